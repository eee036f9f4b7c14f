// Refreshes per second, and the cost of the acknowledgement by the next request.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { load, median, post, run, start } from './load.mjs';

const CREDENTIALS = { username: 'refresher', password: 'correct horse battery' };

/** Rate limits are off: they would limit the load. */
const UNLIMITED = { GATEHOUSE_RATE_LIMITS: 'off' };

/** Concurrent requests, each of another session. */
const AT_A_TIME = 64;

/**
 * Script of wrk: each refresh token is presented once, and the response has the next one. Sessions
 * queue, so that no token is presented by two requests at once.
 * @type {(tokens: string[]) => string}
 */
export const refreshScript = (tokens) => `
wrk.method = "POST"
local line, first, last = {}, 1, ${String(tokens.length)}
for token in ("${tokens.join(' ')}"):gmatch("%S+") do line[#line + 1] = token end
function request()
  local token = line[first]
  line[first], first = nil, first + 1
  return wrk.format(nil, nil, { ["Authorization"] = "Bearer " .. token })
end
function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  last = last + 1
  line[last] = token
end
`;

/** @type {(base: string, number: number) => Promise<Record<string, string>[]>} */
async function sessions(base, number) {
  await post(base, '/api/auth/register', CREDENTIALS);
  return Promise.all(
    Array.from({ length: number }, () => post(base, '/api/auth/login', CREDENTIALS)),
  );
}

/**
 * Measures refreshes per second and, in turns on the same disk, sequential commits of the database.
 * @param {string} program
 * @param {string} bareCommits
 * @param {string} folder
 */
export async function refreshRate(program, bareCommits, folder) {
  const data = mkdtempSync(join(folder, 'refreshes-'));
  const server = await start(program, data, UNLIMITED);
  let pairs = await sessions(server.base, AT_A_TIME + 16);
  /** @type {{ refreshes: number[], commits: number[] }} */
  const rates = { refreshes: [], commits: [] };
  for (let round = 0; round < 3; round += 1) {
    rates.commits.push(Number((await run(bareCommits, [data])).stdout));
    const lua = join(folder, 'refresh.lua');
    writeFileSync(lua, refreshScript(pairs.map(({ refresh_token: token = '' }) => token)));
    rates.refreshes.push(
      (await load(`${server.base}/api/auth/refresh`, { connections: AT_A_TIME, script: lua })).rate,
    );
    // The last tokens of a round stay in wrk: the next round logs in again.
    pairs = await Promise.all(pairs.map(() => post(server.base, '/api/auth/login', CREDENTIALS)));
  }
  await server.stop();
  return { refreshes: median(rates.refreshes), commits: median(rates.commits) };
}

/**
 * Measures the first request after a refresh, which acknowledges it, against one that differs only
 * in that: it follows a retry of a refresh that was acknowledged before. In turns, once a round and session each; medians in
 * milliseconds.
 * @param {string} program
 * @param {string} folder
 */
export async function acknowledgement(program, folder) {
  const data = mkdtempSync(join(folder, 'acknowledgement-'));
  const server = await start(program, data, {
    ...UNLIMITED,
    GATEHOUSE_REFRESH_GRACE_SECONDS: '600',
  });
  const refresh = (/** @type {string} */ token) =>
    post(server.base, '/api/auth/refresh', {}, token);
  const me = async (/** @type {string} */ token) => {
    const began = performance.now();
    const answer = await fetch(`${server.base}/api/me`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    await answer.text();
    if (answer.status !== 200) throw new Error(`/api/me: ${String(answer.status)}`);
    return performance.now() - began;
  };
  /** @type {number[]} */
  const first = [];
  /** @type {number[]} */
  const later = [];
  let pairs = await sessions(server.base, 100);
  for (let round = 0; round < 12; round += 1) {
    // Half of the sessions have a stored acknowledgement; these repeat their last refresh.
    const known = pairs.filter((_, number) => number % 2 === round % 2);
    const before = known.map(({ refresh_token: token = '' }) => token);
    const acknowledged = await Promise.all(before.map(refresh));
    await Promise.all(acknowledged.map(({ access_token: token = '' }) => me(token)));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const again = await Promise.all(before.map(refresh));
    const fresh = await Promise.all(
      pairs
        .filter((_, number) => number % 2 !== round % 2)
        .map(({ refresh_token: token = '' }) => refresh(token)),
    );
    for (const [number, pair] of fresh.entries()) {
      const times = { first: 0, later: 0 };
      // The order alternates.
      for (const which of number % 2 === 0
        ? /** @type {const} */ (['first', 'later'])
        : /** @type {const} */ (['later', 'first'])) {
        times[which] = await me((which === 'first' ? pair : again[number])?.access_token ?? '');
      }
      first.push(times.first);
      later.push(times.later);
    }
    pairs = [...fresh, ...again];
  }
  await server.stop();
  return { first: median(first), later: median(later) };
}
