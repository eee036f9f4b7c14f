// Tests of the container image. Its files are mounted, and its entry point is started as a container
// runtime would: with the image's environment and user, as process 1 of a PID namespace, in a root
// file system that is mounted read-only, with a volume at /data.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from './free-port.mjs';

const IMAGE = process.env.TEST_IMAGE ?? 'localhost/gatehouse-test:latest';
const USER = 65532;
const PASSWORD = 'correct horse battery';

/**
 * @typedef {{
 *   User: string, Env: string[], Entrypoint: string[], StopSignal: string,
 *   Volumes: Record<string, unknown>, ExposedPorts: Record<string, unknown>,
 *   Labels: Record<string, string>, Healthcheck: { Test: string[] },
 * }} ImageConfig
 */

let container = '';
let root = '';
let data = '';
/** @type {ImageConfig} */
let config;

/** @type {(...args: string[]) => string} */
const buildah = (...args) => execFileSync('buildah', args, { encoding: 'utf8' }).trim();

before(() => {
  container = buildah('from', '--pull-never', IMAGE);
  root = buildah('mount', container);
  const inspected = /** @type {{ Docker: { config: ImageConfig } }} */ (
    JSON.parse(buildah('inspect', '--type', 'image', IMAGE))
  );
  config = inspected.Docker.config;
  data = mkdtempSync(join(tmpdir(), 'gatehouse-image-'));
  chownSync(data, USER, USER);
  chmodSync(data, 0o700);
});

after(() => {
  if (container !== '') buildah('rm', container);
  if (data !== '') rmSync(data, { recursive: true, force: true });
});

/**
 * The environment of a container, with further settings.
 * @param {Record<string, string>} settings
 */
function environment(settings) {
  const pairs = config.Env.map((pair) => [
    pair.slice(0, pair.indexOf('=')),
    pair.slice(pair.indexOf('=') + 1),
  ]);
  return { .../** @type {Record<string, string>} */ (Object.fromEntries(pairs)), ...settings };
}

/** @type {(command: string[]) => string[]} */
const inRoot = (command) => [
  'chroot',
  `--userspec=${config.User}`,
  '--groups=',
  root,
  ...command,
];

/**
 * Starts the entry point. Returns the process that waits for it, and the process id of the server.
 * @param {Record<string, string>} settings
 */
async function start(settings) {
  const mounts =
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && mount --bind "$1" "$0/data" && mount -t proc proc "$0/proc" && shift && exec "$@"';
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      mounts,
      root,
      data,
      ...inRoot(config.Entrypoint),
    ],
    { env: { PATH: process.env.PATH ?? '', ...environment(settings) }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) break;
    if (health(settings).status === 0) {
      const children = readFileSync(
        `/proc/${String(child.pid)}/task/${String(child.pid)}/children`,
        'utf8',
      );
      return { pid: Number(children.trim()), ended };
    }
    await sleep(100);
  }
  throw new Error('the server has not become healthy');
}

/**
 * Runs the health check of the image.
 * @param {Record<string, string>} settings
 */
function health(settings) {
  const [kind, ...command] = config.Healthcheck.Test;
  assert.equal(kind, 'CMD');
  const [program = '', ...args] = inRoot(command);
  return spawnSync(program, args, { env: environment(settings), encoding: 'utf8' });
}

test('image is described as its documentation says', () => {
  assert.equal(config.User, `${String(USER)}:${String(USER)}`);
  assert.deepEqual(config.Entrypoint, ['/opt/gatehouse/gatehouse']);
  assert.deepEqual(Object.keys(config.Volumes), ['/data']);
  assert.deepEqual(Object.keys(config.ExposedPorts), ['3000/tcp']);
  assert.equal(config.StopSignal, 'SIGTERM');
  assert.deepEqual(config.Healthcheck.Test, ['CMD', '/opt/gatehouse/gatehouse', 'health']);
  assert.ok(config.Env.includes('GATEHOUSE_DATA_DIR=/data'), config.Env.join(' '));
  assert.match(config.Labels['org.opencontainers.image.version'] ?? '', /^\d+\.\d+\.\d+/);
});

test('image has the program and its libraries, and no shell or setuid file', () => {
  const files = execFileSync('find', [root, '-type', 'f', '-printf', '%P %m %U %s\n'], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const names = files.map(([name = '']) => name);
  for (const needed of [
    'opt/gatehouse/gatehouse',
    'opt/gatehouse/LICENSE',
    'etc/ssl/certs/ca-certificates.crt',
  ])
    assert.ok(names.includes(needed), needed);
  assert.ok(names.some((name) => /^opt\/gatehouse\/site\/pkg\/gatehouse\..*wasm$/.test(name)));
  const others = names.filter((name) => !name.startsWith('opt/gatehouse/'));
  assert.deepEqual(
    others.filter((name) => !/^(etc\/(passwd|group|nsswitch\.conf|ssl\/.*)|.*\.so\.\d+)$/.test(name)),
    [],
    'nothing else is in it',
  );
  for (const [name, mode = '', owner] of files) {
    assert.equal(owner, '0', `${String(name)} belongs to root`);
    assert.equal(Number.parseInt(mode, 8) & 0o6022, 0, `${String(name)}: ${mode}`);
  }
  const size = files.reduce((sum, [, , , bytes]) => sum + Number(bytes), 0);
  console.log(`${(size / 1e6).toFixed(1)} MB`);
  assert.ok(size < 60e6, `${String(size)} bytes`);
  const folder = statSync(join(root, 'data'));
  assert.deepEqual([folder.uid, folder.mode & 0o777], [USER, 0o700]);
  assert.equal(statSync(root).uid, 0);
});

test('container registers, logs in and stops as an unprivileged process 1 in a read-only root', async () => {
  const port = await freePort();
  const settings = { GATEHOUSE_ADDR: `0.0.0.0:${String(port)}` };
  assert.notEqual(health(settings).status, 0, 'nothing serves yet');
  const { pid, ended } = await start(settings);

  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const field = (/** @type {string} */ name) =>
    new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/) ?? [];
  assert.deepEqual(field('Uid'), Array(4).fill(String(USER)));
  assert.deepEqual(field('Gid'), Array(4).fill(String(USER)));
  assert.equal(field('NSpid').at(-1), '1');
  assert.match(field('CapEff')[0] ?? '', /^0+$/);
  const mounts = readFileSync(`/proc/${String(pid)}/mountinfo`, 'utf8').trim().split('\n');
  const ofRoot = mounts.map((line) => line.split(' ')).findLast(([, , , , place]) => place === '/');
  assert.match(ofRoot?.[5] ?? '', /^ro(,|$)/, 'the root file system is read-only');

  const url = `http://127.0.0.1:${String(port)}`;
  const send = (/** @type {string} */ path, /** @type {object} */ body) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const account = { username: 'alice', password: PASSWORD };
  assert.equal((await send('/api/auth/register', account)).status, 201);
  const login = await send('/api/auth/login', account);
  assert.equal(login.status, 200);
  const { access_token: token } = /** @type {{ access_token: string }} */ (await login.json());
  const me = await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${token}` } });
  const { username } = /** @type {{ username: string }} */ (await me.json());
  assert.equal(username, 'alice');
  const page = await (await fetch(`${url}/login`)).text();
  const script = /\/pkg\/[\w-]{22}\/gatehouse\.[^"']*\.js/.exec(page)?.[0] ?? '';
  assert.equal((await fetch(url + script)).status, 200, 'the site files are in the image');
  const { uid, mode } = statSync(join(data, 'gatehouse.sqlite'));
  assert.deepEqual([uid, mode & 0o777], [USER, 0o600]);

  process.kill(pid, 'SIGTERM');
  assert.equal(await ended, 0);
  assert.notEqual(health(settings).status, 0);
});

test('container keeps its data in the volume and starts again', async () => {
  const port = await freePort();
  const settings = { GATEHOUSE_ADDR: `0.0.0.0:${String(port)}` };
  const { pid, ended } = await start(settings);
  const response = await fetch(`http://127.0.0.1:${String(port)}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'alice', password: PASSWORD }),
  });
  assert.equal(response.status, 200);
  process.kill(pid, 'SIGTERM');
  assert.equal(await ended, 0);
});
