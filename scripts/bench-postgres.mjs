// Refreshes and logins per second on PostgreSQL, beside pgbench with the statements of the same
// transactions: `POSTGRES_OPTIONS=' ' scripts/postgres node scripts/bench-postgres.mjs PROGRAM`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { refreshScript } from './bench-refreshes.mjs';
import { load, median, post, run, start } from './load.mjs';

const [program = 'target/release/gatehouse'] = process.argv.slice(2);
const url = process.env.POSTGRES_URL ?? '';
/** Concurrent requests, each of another session. */
const CLIENTS = 64;
const ROUNDS = 3;
const CREDENTIALS = { username: 'refresher', password: 'correct horse battery' };

/**
 * The statements of a refresh, of one of these sessions.
 * @type {(sessions: string[]) => string}
 */
const refresh = (sessions) => `
\\set n random(1, ${String(sessions.length)})
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT id, user_id, generation, parent_generation, acknowledged, undelivered, remember, created_at, refreshed_at,
  expires_at, ended_at, end_reason, address, user_agent, new_device
  FROM sessions WHERE id = (ARRAY['${sessions.join("','")}'])[:n]::uuid LIMIT 1;
UPDATE sessions SET address = '127.0.0.1', user_agent = NULL, generation = generation + 1, parent_generation = generation,
  acknowledged = false, undelivered = '', refreshed_at = 1800000000, ended_at = NULL, end_reason = NULL
  WHERE id = (ARRAY['${sessions.join("','")}'])[:n]::uuid;
COMMIT;
`;

/**
 * Runs a program and returns its output.
 * @param {string} name
 * @param {string[]} args
 */
const output = async (name, args) => (await run(name, args)).stdout;

const folder = mkdtempSync(join(tmpdir(), 'bench-postgres-'));
await output('psql', [url, '-c', 'CREATE DATABASE bench']);
const database = url.replace('/postgres?', '/bench?');
const server = await start(program, folder, {
  GATEHOUSE_RATE_LIMITS: 'off',
  GATEHOUSE_DATABASE_URL: database,
});
await post(server.base, '/api/auth/register', CREDENTIALS);
const login = () => post(server.base, '/api/auth/login', CREDENTIALS);

/** @type {{ refreshes: number[], pgbench: number[], logins: number[] }} */
const rates = { refreshes: [], pgbench: [], logins: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  const began = performance.now();
  const pairs = await Promise.all(Array.from({ length: CLIENTS + 16 }, login));
  rates.logins.push(pairs.length / ((performance.now() - began) / 1000));

  const sessions = (
    await output('psql', [database, '-Atc', 'SELECT id FROM sessions WHERE ended_at IS NULL'])
  )
    .trim()
    .split('\n');
  const sql = join(folder, 'refresh.sql');
  writeFileSync(sql, refresh(sessions));
  // As many connections as the server's changes have.
  const printed = await output('pgbench', [
    ...['-n', '-M', 'prepared', '-c', '8', '-j', '2', '-T', '8', '--max-tries', '100'],
    ...['-f', sql, database],
  ]);
  rates.pgbench.push(Number(/tps = ([\d.]+)/.exec(printed)?.[1]));

  const lua = join(folder, 'refresh.lua');
  writeFileSync(lua, refreshScript(pairs.map(({ refresh_token: token = '' }) => token)));
  rates.refreshes.push(
    (await load(`${server.base}/api/auth/refresh`, { connections: CLIENTS, script: lua })).rate,
  );
}
await server.stop();
rmSync(folder, { recursive: true });
const [refreshes, pgbench, logins] = [rates.refreshes, rates.pgbench, rates.logins].map(median);
console.log(`refreshes ${String(Math.round(refreshes ?? 0))}/s, pgbench ${String(Math.round(pgbench ?? 0))}/s`);
console.log(`ratio ${((refreshes ?? 0) / (pgbench ?? 1)).toFixed(2)}, logins ${(logins ?? 0).toFixed(1)}/s`);
