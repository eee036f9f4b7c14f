// Benchmark helpers: server process, requests, load by wrk, statistics.
import { execFile, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** @type {(values: number[]) => number} */
export const median = (values) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
/** @type {(value: number) => string} */
export const whole = (value) => Math.round(value).toLocaleString('en').replaceAll(',', ' ');

/**
 * Starts a server with a clean environment, without settings of this machine.
 * @param {string} command
 * @param {string} data
 * @param {Record<string, string>} [settings]
 */
export async function start(command, data, settings = {}) {
  const began = performance.now();
  const child = spawn(command, {
    env: {
      PATH: process.env.PATH,
      GATEHOUSE_ADDR: '127.0.0.1:0',
      GATEHOUSE_DATA_DIR: data,
      GATEHOUSE_LOG: 'error',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Ends the server if a measurement fails.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const { value: line } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  const base = String(line).replace('Gatehouse is listening on ', '');
  const answer = await fetch(`${base}/api/me`);
  if (answer.status !== 401) throw new Error(`${command} answers ${String(answer.status)}`);
  return {
    base,
    toFirstAnswer: performance.now() - began,
    /** Resident memory, in MB. */
    memory: () =>
      Number(
        /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(child.pid)}/status`, 'utf8'))?.[1],
      ) / 1024,
    /** Open file descriptors, mostly connections. */
    connections: () => readdirSync(`/proc/${String(child.pid)}/fd`).length,
    stop: (/** @type {NodeJS.Signals} */ signal = 'SIGTERM') =>
      new Promise((resolve) => {
        child.once('exit', resolve);
        child.kill(signal);
      }),
  };
}

/** @type {(base: string, path: string, body: unknown, bearer?: string) => Promise<Record<string, string>>} */
export async function post(base, path, body, bearer) {
  const headers = {
    'Content-Type': 'application/json',
    ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
  };
  const answer = await fetch(base + path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${String(answer.status)} ${await answer.text()}`);
  return /** @type {Promise<Record<string, string>>} */ (answer.json());
}

/**
 * Runs wrk and returns requests per second and the 99th percentile in milliseconds. An error
 * response ends the run.
 * @param {string} url
 * @param {{ seconds?: number, connections?: number, bearer?: string, script?: string }} [options]
 */
export async function load(url, { seconds = 6, connections = 32, bearer, script } = {}) {
  const header = bearer === undefined ? [] : ['-H', `Authorization: Bearer ${bearer}`];
  const lua = script === undefined ? [] : ['-s', script];
  const { stdout } = await run('wrk', [
    '-t1',
    `-c${String(connections)}`,
    `-d${String(seconds)}s`,
    '--timeout',
    '10s',
    '--latency',
    ...header,
    ...lua,
    url,
  ]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}\n${stdout}`);
  const [, latency = '', unit = ''] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const scale = { us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN;
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p99: Number(latency) * scale,
  };
}

/**
 * Script of wrk that logs users in, in turns: `person0`, `person1` and so on.
 * @type {(users: number, password: string) => string}
 */
export const loginScript = (users, password) => `wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local user = 0
request = function()
  user = (user + 1) % ${String(users)}
  return wrk.format(nil, nil, nil, '{"username":"person' .. user .. '","password":"${password}"}')
end
`;
