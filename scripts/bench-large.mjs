// Benchmarks a million accounts, a million sessions and a large blocklist on both databases and
// writes their part of BENCHMARKS.md:
// `POSTGRES_OPTIONS=' ' scripts/postgres node scripts/bench-large.mjs PROGRAM EXAMPLES`.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { exitCode, report, row } from './bench-report.mjs';
import { median, post, run, start, whole } from './load.mjs';

const [program = '', examples = '', ...only] = process.argv.slice(2);
const postgres = process.env.POSTGRES_URL ?? '';
const folder = mkdtempSync(join(tmpdir(), 'bench-large-'));
const ROOT = { username: 'root', password: 'correct horse battery' };
/** Far after the end of the benchmark, in seconds of Unix time. */
const FUTURE = 4_000_000_000;
const ROUNDS = 5;
/** Pages that are read of each search. */
const PAGES = 4;
/**
 * From one letter to a whole name, frequent words that occur together, and such that hardly do.
 * @type {string[]}
 */
const SEARCHES = [
  ...['', 'm', 'ma', 'mary', 'smith', 'unknown-has-this', 'com', 'example', 'mary com', 'm s', 'j s'],
  ...['com net', 'example net org', 'jo smi exa com', 'a b c d', '1 com'],
];
const FILTERS = ['', '&status=active', '&role=user', '&status=disabled'];
const SORTS = ['-created_at', 'created_at', 'username', '-username'];

/** @typedef {{ name: string, settings: Record<string, string>, url: string }} Place */

/** @type {(statement: string) => Promise<unknown>} */
const administer = (statement) => run(join(examples, 'sql'), [postgres, statement]);

/**
 * A new database.
 * @type {(kind: string, name: string) => Promise<Place>}
 */
async function place(kind, name) {
  const data = join(folder, name);
  mkdirSync(data);
  const settings = {
    GATEHOUSE_DATA_DIR: data,
    GATEHOUSE_KEYS_SECRET: 'the secret of the keys of a benchmark',
  };
  if (kind === 'SQLite')
    return { name: kind, settings, url: `sqlite://${join(data, 'gatehouse.sqlite')}` };
  await administer(`CREATE DATABASE ${name}`);
  const url = postgres.replace(/\/postgres\?/, `/${name}?`);
  return { name: kind, settings: { ...settings, GATEHOUSE_DATABASE_URL: url }, url };
}

/** @type {(where: Place) => ReturnType<typeof start>} */
const serve = ({ settings }) =>
  start(program, settings.GATEHOUSE_DATA_DIR ?? '', { ...settings, GATEHOUSE_RATE_LIMITS: 'off' });

/** @type {(where: Place, args: string[], input?: string) => Promise<void>} */
async function command({ settings }, args, input = '') {
  const env = { PATH: process.env.PATH, ...settings };
  const running = run(program, args, { env });
  running.child.stdin?.end(input);
  await running;
}

/** @type {(where: Place, users: number) => Promise<number>} */
async function seconds(where, users) {
  const began = performance.now();
  await command(where, ['seed', '--users', String(users)]);
  return (performance.now() - began) / 1000;
}

/** @type {(kind: string) => Promise<number>} */
async function seedSmall(kind) {
  const small = await place(kind, 'small');
  await (await serve(small)).stop();
  const taken = await seconds(small, 100_000);
  await remove(small);
  return taken;
}

/** @type {(where: Place) => Promise<void>} */
async function remove({ name, settings }) {
  const data = settings.GATEHOUSE_DATA_DIR ?? '';
  rmSync(data, { recursive: true });
  if (name === 'PostgreSQL') await administer(`DROP DATABASE ${basename(data)}`);
}

/** @type {(where: Place) => Promise<void>} */
async function pages(where) {
  const server = await serve(where);
  const { access_token: bearer = '' } = await post(server.base, '/api/auth/login', ROOT);
  const headers = { Authorization: `Bearer ${bearer}` };
  /** @type {(query: string) => Promise<[number, string | null]>} */
  const ask = async (query) => {
    const asked = performance.now();
    const answer = await fetch(`${server.base}/api/users${query}`, { headers });
    const { next } = /** @type {{ next: string | null }} */ (await answer.json());
    if (!answer.ok) throw new Error(`${query}: ${String(answer.status)}`);
    return [performance.now() - asked, next];
  };
  /** @type {{ name: string, query: string, times: number[] }[]} */
  const measured = [];
  for (const search of SEARCHES)
    for (const filter of search.length > 3 ? [''] : FILTERS)
      for (const sort of SORTS) {
        const list = `?search=${encodeURIComponent(search)}&sort=${sort}${filter}`;
        let query = list;
        for (let page = 0; page < PAGES; page += 1) {
          const [time, next] = await ask(query);
          measured.push({ name: page === 0 ? list : `${list}&after=…`, query, times: [time] });
          if (next === null) break;
          query = `${list}&after=${next}`;
        }
      }
  // A page is measured again only after all others: a slow second of the machine is not its own.
  for (let round = 1; round < ROUNDS; round += 1)
    for (const { query, times } of measured) times.push((await ask(query))[0]);
  const typical = measured.map(({ name, times }) => ({ name, time: median(times) }));
  const worst = typical.reduce((one, other) => (other.time > one.time ? other : one));
  await server.stop();
  row(
    `${where.name}: a page of \`GET /api/users\`, median of ${whole(typical.length)}`,
    `${median(typical.map(({ time }) => time)).toFixed(1)} ms`,
  );
  row(
    `${where.name}: the slowest of these, median of ${String(ROUNDS)}`,
    `${worst.time.toFixed(1)} ms: \`${worst.name}\``,
    'under 50 ms',
    worst.time < 50,
  );
}

/** @type {(where: Place) => Promise<void>} */
async function sessions(where) {
  const isSqlite = where.name === 'SQLite';
  const numbers = (/** @type {number} */ count) =>
    isSqlite
      ? `(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${String(count)}) SELECT n FROM c)`
      : `generate_series(1, ${String(count)}) AS c(n)`;
  const id = isSqlite ? 'randomblob(16)' : 'gen_random_uuid()';
  const [yes, no] = isSqlite ? ['1', '0'] : ['true', 'false'];
  await run(join(examples, 'sql'), [
    where.url,
    `INSERT INTO sessions (id, user_id, generation, acknowledged, undelivered, remember, created_at, refreshed_at,
       expires_at, ended_at, end_reason, new_device)
     SELECT ${id}, ${id}, 1, ${yes}, '', ${yes}, 1700000000, 1700000000, ${String(FUTURE)},
       CASE WHEN n <= 100000 THEN 1700000000 END, CASE WHEN n <= 100000 THEN 'logged_out' END, ${no}
     FROM ${numbers(1_000_000)}`,
    `INSERT INTO revoked_tokens (jti, type, expires_at, revoked_at, reason)
     SELECT 'a-token-id-of-32-characters-' || n, 'access', ${String(FUTURE)}, 1700000000, 'logged_out' FROM ${numbers(100_000)}`,
    'ANALYZE',
  ]);
  const times = [];
  let memory = Number.NaN;
  for (let round = 0; round < 5; round += 1) {
    const server = await serve(where);
    times.push(server.toFirstAnswer);
    memory = server.memory();
    await server.stop();
  }
  row(
    `${where.name}: start with a million sessions, 100 000 of them ended, and a blocklist of 100 000; resident memory`,
    `${whole(median(times))} ms, ${memory.toFixed(0)} MB`,
    'under 2 s',
    median(times) < 2000,
  );
}

/** @type {(kind: string) => Promise<void>} */
async function measure(kind) {
  const large = await place(kind, 'large');
  await (await serve(large)).stop();
  await command(large, ['user', 'create', ROOT.username, '--admin'], ROOT.password);
  // Once before and twice after: within minutes the speed of a machine may change by a quarter.
  const few = [await seedSmall(kind)];
  const all = await seconds(large, 1_000_000);
  few.push(await seedSmall(kind), await seedSmall(kind));
  const some = median(few);
  row(
    `${kind}: \`gatehouse seed\` of 100 000 accounts (median of 3), of a million`,
    `${some.toFixed(1)} s, ${all.toFixed(1)} s: ${(all / some).toFixed(1)} times as long`,
    'at most 12 times',
    all <= 12 * some,
  );
  await pages(large);
  await sessions(large);
  await remove(large);
}

try {
  for (const kind of ['SQLite', 'PostgreSQL'])
    if (only.length === 0 || only.includes(kind.toLowerCase())) await measure(kind);
} finally {
  rmSync(folder, { recursive: true });
}
if (only.length > 0) exitCode();
else
  report(
    'bench-large',
    `${new Date().toISOString().slice(0, 10)}. Server, database and requests share the cores.`,
  );
