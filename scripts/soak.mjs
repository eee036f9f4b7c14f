// Load, kills and restarts: after every restart, each change acknowledged with 2xx must exist.
// `node scripts/soak.mjs PROGRAM SECONDS`
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

import { freePort } from './free-port.mjs';
import { whole } from './load.mjs';

const [program = '', duration = '600', kills = '200'] = process.argv.slice(2);
const SECONDS = Number(duration);
const CLIENTS = 6;
/** Maximum number of kills and stops. */
const MAX_STOPS = 2000;
const PASSWORD = 'correct horse battery';
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/**
 * Acknowledged state of a user. `nickname` is the last acknowledged one; `unanswered` is one whose
 * response never came and which may exist, too.
 * @typedef {{ name: string, access: string, refresh: string, nickname: string | null, unanswered: string | null, files: string[],
 *   loggedOut: string[] }} User
 */

/** @type {User[]} */
const users = [];
/** @type {string[]} */
const lost = [];
const counts = { calls: 0, unavailable: 0, unanswered: 0, kills: 0, stops: 0, checks: 0 };
const peak = { memory: 0, descriptors: 0, journal: 0 };

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-soak-'));
const data = join(folder, 'data');
const port = await freePort();
const base = `http://127.0.0.1:${String(port)}`;
/** @type {import('node:child_process').ChildProcess} */
let server = await start();
process.once('exit', () => {
  server.kill('SIGKILL');
});

// A seeded random generator: failures can be reproduced as far as the machine allows.
let seed = 1;
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
}

/** Starts the server and waits until it responds. */
async function start() {
  const child = spawn(program, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      GATEHOUSE_ADDR: `127.0.0.1:${String(port)}`,
      GATEHOUSE_DATA_DIR: data,
      GATEHOUSE_LOG: 'error',
      GATEHOUSE_RATE_LIMITS: 'off',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { value, done } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  if (done === true || !value.includes('listening')) {
    lost.push(
      `the server did not start after ${String(counts.kills)} kills and ${String(counts.stops)} stops`,
    );
    report();
  }
  return child;
}

/**
 * Sends a request; `null` if no response came because the server was killed. `body` is empty if the
 * response is not JSON.
 * @param {string} method
 * @param {string} path
 * @param {{ token?: string, json?: unknown, bytes?: Buffer }} [options]
 * @returns {Promise<{ status: number, bytes: Buffer, body: Record<string, unknown> } | null>}
 */
async function call(method, path, { token, json, bytes } = {}) {
  counts.calls += 1;
  const headers = {
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
  };
  const body = json === undefined ? bytes && new Uint8Array(bytes) : JSON.stringify(json);
  try {
    const answer = await fetch(base + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(20_000),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isJson = answer.headers.get('content-type') === 'application/json';
    if (answer.status === 503) counts.unavailable += 1;
    return {
      status: answer.status,
      bytes,
      body: isJson
        ? /** @type {Record<string, unknown>} */ (JSON.parse(bytes.toString('utf8')))
        : {},
    };
  } catch {
    counts.unanswered += 1;
    return null;
  }
}

/**
 * Sends a request of a check. The server is not killed meanwhile: a request that a busy machine
 * leaves without a response, or that is refused for now (503), is repeated for a minute.
 * @type {typeof call}
 */
async function ask(method, path, options) {
  for (let tries = 1; ; tries += 1) {
    const answer = await call(method, path, options);
    if ((answer !== null && answer.status !== 503) || tries === 30) return answer;
    await pause(2000);
  }
}

/** @param {{ status: number } | null} answer */
const isDone = (answer) => answer !== null && answer.status >= 200 && answer.status < 300;

let isOver = false;
let created = 0;

/** A client: creates accounts one after the other and performs every operation with each. */
async function client() {
  while (!isOver) {
    const name = `user${String((created += 1))}`;
    const json = { username: name, password: PASSWORD };
    if (!isDone(await call('POST', '/api/auth/register', { json }))) {
      await pause(20);
      continue;
    }
    /** @type {User} */
    const user = {
      name,
      access: '',
      refresh: '',
      nickname: null,
      unanswered: null,
      files: [],
      loggedOut: [],
    };
    users.push(user);
    for (let round = 0; round < 3; round += 1) await use(user, json);
  }
}

/**
 * @param {User} user
 * @param {unknown} json
 */
async function use(user, json) {
  const session = await call('POST', '/api/auth/login', { json });
  if (session === null || !isDone(session)) return;
  user.access = String(session.body.access_token);
  user.refresh = String(session.body.refresh_token);
  for (let change = 0; change < 3; change += 1) {
    const nickname = `${user.name}-${String(Math.floor(random() * 1e6))}`;
    user.unanswered = nickname;
    const answer = await call('PATCH', '/api/me', { token: user.access, json: { nickname } });
    if (isDone(answer)) user.nickname = nickname;
    if (answer !== null) user.unanswered = null;
    else break;
  }
  const file = await call('POST', '/api/me/files?name=a.png', {
    token: user.access,
    bytes: PICTURE,
  });
  if (file !== null && isDone(file))
    user.files.push(/** @type {{ id: string }} */ (file.body.file).id);
  const next = await call('POST', '/api/auth/refresh', { token: user.refresh });
  if (next !== null && isDone(next)) {
    user.access = String(next.body.access_token);
    user.refresh = String(next.body.refresh_token);
  }
  const other = await call('POST', '/api/auth/login', { json });
  if (other !== null && isDone(other)) {
    const tokens = [String(other.body.access_token), String(other.body.refresh_token)];
    if (
      isDone(await call('DELETE', '/api/auth/logout', { token: String(other.body.access_token) }))
    )
      user.loggedOut.push(...tokens);
  }
}

/**
 * Checks over HTTP that the acknowledged state of a user exists.
 * @param {User} user
 */
async function check(user) {
  counts.checks += 1;
  const { name } = user;
  for (const [index, token] of user.loggedOut.entries()) {
    const answer = await ask(
      index % 2 === 0 ? 'GET' : 'POST',
      index % 2 === 0 ? '/api/me' : '/api/auth/refresh',
      { token },
    );
    if (answer?.status !== 401)
      lost.push(`${name}: a token that was logged out answers ${String(answer?.status)}`);
  }
  const json = { username: name, password: PASSWORD };
  const session = await ask('POST', '/api/auth/login', { json });
  if (session === null || !isDone(session)) {
    lost.push(`${name}: the account answers ${String(session?.status)}`);
    return;
  }
  const token = String(session.body.access_token);
  const me = await ask('GET', '/api/me', { token });
  const nickname = /** @type {string | null | undefined} */ (me?.body.nickname) ?? null;
  if (nickname !== user.nickname && (user.unanswered === null || nickname !== user.unanswered)) {
    lost.push(`${name}: the nickname is ${String(nickname)} and not ${String(user.nickname)}`);
  }
  for (const id of user.files) {
    const answer = await ask('GET', `/api/me/file?id=${id}`, { token });
    if (answer?.status !== 200 || !answer.bytes.equals(PICTURE))
      lost.push(`${name}: a file answers ${String(answer?.status)}`);
  }
}

/** @param {User[]} some */
async function checkAll(some) {
  const waiting = [...some];
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let user = waiting.pop(); user !== undefined; user = waiting.pop()) await check(user);
    }),
  );
}

function measure() {
  try {
    const status = readFileSync(`/proc/${String(server.pid)}/status`, 'utf8');
    peak.memory = Math.max(peak.memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    peak.descriptors = Math.max(
      peak.descriptors,
      readdirSync(`/proc/${String(server.pid)}/fd`).length,
    );
    peak.journal = Math.max(peak.journal, statSync(join(data, 'gatehouse.sqlite-wal')).size);
  } catch {
    // The server is being restarted.
  }
}

function report() {
  for (const loss of lost.slice(0, 20)) console.log(`LOST ${loss}`);
  console.log(
    `soak: ${whole(counts.calls)} calls, ${whole(users.length)} accounts, ${whole(counts.kills)} kills, ${whole(counts.stops)} stops, ` +
      `${whole(counts.checks)} checks of an account; 503: ${whole(counts.unavailable)}, without an answer: ${whole(counts.unanswered)}; ` +
      `lost: ${whole(lost.length)}`,
  );
  console.log(
    `most memory ${whole(peak.memory)} MiB, most descriptors ${whole(peak.descriptors)}, longest journal ${whole(peak.journal / 1024)} KiB`,
  );
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  if (lost.length > 0) process.exit(1);
}

const measuring = setInterval(measure, 100);
const end = performance.now() + SECONDS * 1000;
let checked = 0;
while (performance.now() < end && counts.kills + counts.stops < MAX_STOPS) {
  isOver = false;
  const clients = Array.from({ length: CLIENTS }, client);
  await pause(500 + random() * 4000);
  const signal = random() < 0.2 ? 'SIGTERM' : 'SIGKILL';
  counts[signal === 'SIGKILL' ? 'kills' : 'stops'] += 1;
  const exited = once(server, 'exit');
  server.kill(signal);
  const [code] = /** @type {[number | null]} */ (await exited);
  if (signal === 'SIGTERM' && code !== 0) lost.push(`SIGTERM ended it with ${String(code)}`);
  isOver = true;
  await Promise.all(clients);
  server = await start();
  // Checks the users that were active when the server ended, and some others.
  const older = Array.from(
    { length: Math.min(checked, 10) },
    () => users[Math.floor(random() * checked)],
  );
  await checkAll([...users.slice(checked), ...older.filter((user) => user !== undefined)]);
  checked = users.length;
  if (lost.length > 0) break;
}
await checkAll(users.slice(0, 2000));
clearInterval(measuring);
report();

// First starts, upgrades and restores, killed at random moments: tests of `make test` with the
// release build.
const storm = spawn(
  'cargo',
  [
    'test',
    '--locked',
    '-p',
    'server',
    '--test',
    'program',
    '--',
    '--nocapture',
    '--test-threads=1',
    'at_any_moment',
  ],
  {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, GATEHOUSE_TEST_PROGRAM: program, GATEHOUSE_TEST_KILLS: kills },
  },
);
const [code] = /** @type {[number | null]} */ (await once(storm, 'exit'));
process.exit(code ?? 1);
