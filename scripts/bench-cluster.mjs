// Benchmarks two nodes on one PostgreSQL server and rewrites their section of BENCHMARKS.md:
// `POSTGRES_OPTIONS=' ' scripts/postgres node scripts/bench-cluster.mjs PROGRAM`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { refreshScript } from './bench-refreshes.mjs';
import { report, row } from './bench-report.mjs';
import { load, loginScript, median, post, run, start, whole } from './load.mjs';

const [program = '', examples = ''] = process.argv.slice(2);
const url = process.env.POSTGRES_URL ?? '';
const cluster = process.env.POSTGRES_FOLDER ?? '';
const folder = mkdtempSync(join(tmpdir(), 'bench-cluster-'));
const PASSWORD = 'correct horse battery';
/** Accounts of the measured log-ins, so that none reaches the limit of a hundred sessions. */
const USERS = 96;
const OTHER = 'another horse battery';
/** Role of the nodes: not a superuser, so that a right can be taken from it. */
const ROLE = 'node';

/** @typedef {Awaited<ReturnType<typeof start>> & { kill: () => Promise<void> }} Node */
/** @typedef {{ access: string, refresh: string, id: string }} Session */

/** @type {(database: string, ...sql: string[]) => Promise<string>} */
async function psql(database, ...sql) {
  const commands = sql.flatMap((statement) => ['-c', statement]);
  const { stdout } = await run('psql', [
    ...['-v', 'ON_ERROR_STOP=1', '-qAt'],
    address(database, 'gatehouse'),
    ...commands,
  ]);
  return stdout.trim();
}

/** @type {(database: string, role: string) => string} */
const address = (database, role) =>
  url.replace(/\/\/[^@]*@/, `//${role}@`).replace(/\/[^/?]*\?/, `/${database}?`);

/** @type {(name: string, database?: string, settings?: Record<string, string>) => Promise<Node>} */
async function node(name, database = 'bench', settings = {}) {
  const server = await start(program, join(folder, name), {
    GATEHOUSE_DATABASE_URL: address(database, ROLE),
    GATEHOUSE_UPLOADS_DIR: join(folder, `uploads-${database}`),
    GATEHOUSE_KEYS_SECRET: 'the secret of the keys of all nodes of this benchmark',
    GATEHOUSE_RATE_LIMITS: 'off',
    GATEHOUSE_REFRESH_GRACE_SECONDS: '0',
    ...settings,
  });
  return { ...server, kill: () => server.stop('SIGKILL') };
}

/** @type {(database: string) => Promise<void>} */
async function createDatabase(database) {
  await psql('postgres', `CREATE DATABASE ${database} OWNER ${ROLE}`);
}

/**
 * Sends a request and returns its status, headers and body.
 * @type {(node: Node, method: string, path: string, token?: string, body?: unknown) => Promise<{ status: number, retry: string | null, body: Record<string, string> }>}
 */
async function call(node, method, path, token, body) {
  const headers = {
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  const answer = await fetch(node.base + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    retry: answer.headers.get('retry-after'),
    body: /** @type {Record<string, string>} */ (text === '' ? {} : JSON.parse(text)),
  };
}

/** @type {(node: Node, method: string, path: string, token?: string, body?: unknown) => Promise<Record<string, string>>} */
async function succeed(node, method, path, token, body) {
  const answer = await call(node, method, path, token, body);
  if (answer.status >= 300)
    throw new Error(`${method} ${path}: ${String(answer.status)} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** @type {(node: Node, username: string, password?: string) => Promise<Session>} */
async function login(node, username, password = PASSWORD) {
  const pair = await post(node.base, '/api/auth/login', { username, password });
  const { access_token: access = '', refresh_token: refresh = '' } = pair;
  const user = /** @type {{ id: string }} */ (/** @type {unknown} */ (pair.user));
  return { access, refresh, id: user.id };
}

/** @type {(node: Node, token: string) => Promise<{ access: string, refresh: string }>} */
async function refreshed(node, token) {
  const pair = await succeed(node, 'POST', '/api/auth/refresh', token);
  const { access_token: access = '', refresh_token: refresh = '' } = pair;
  return { access, refresh };
}

/** @type {(node: Node, username: string) => Promise<unknown>} */
const register = (node, username) =>
  post(node.base, '/api/auth/register', { username, password: PASSWORD });

/** @type {(node: Node, token: string) => Promise<number>} */
const status = async (node, token) => (await call(node, 'GET', '/api/me', token)).status;

/**
 * Milliseconds until a node refuses a token.
 * @type {(node: Node, token: string) => Promise<number>}
 */
async function untilRefused(node, token) {
  const began = performance.now();
  for (;;) {
    const asked = performance.now() - began;
    const answer = await status(node, token);
    if (answer === 401) return performance.now() - began;
    if (answer !== 200) throw new Error(`/api/me: ${String(answer)}`);
    if (asked > 10_000) throw new Error('a revoked token is accepted after 10 s');
  }
}

/** @type {(times: number[], part: number) => number} */
const quantile = (times, part) =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))] ??
  Number.NaN;

/** @type {(times: number[]) => string} */
const spread = (times) =>
  [0.5, 0.99, 1].map((part) => quantile(times, part).toFixed(1)).join(' / ') + ' ms';

/** @type {(what: string, times: number[], bound: number, part?: number) => void} */
function delayRow(what, times, bound, part = 0.99) {
  const good = quantile(times, part) <= bound;
  const name = part === 1 ? 'max' : 'p99';
  row(
    `${what}, ${whole(times.length)} times: p50 / p99 / max`,
    spread(times),
    `${name} at most ${whole(bound)} ms`,
    good,
  );
}

/**
 * Sessions that both nodes have cached.
 * @type {(a: Node, b: Node, username: string, count: number) => Promise<Session[]>}
 */
async function cachedSessions(a, b, username, count) {
  /** @type {Session[]} */
  const sessions = [];
  while (sessions.length < count) {
    const some = Math.min(8, count - sessions.length);
    const more = await Promise.all(Array.from({ length: some }, () => login(a, username)));
    await Promise.all(more.map(({ access }) => status(b, access)));
    sessions.push(...more);
  }
  return sessions;
}

/** @type {(a: Node, b: Node, count: number, username: string) => Promise<number[]>} */
async function logouts(a, b, count, username) {
  /** @type {number[]} */
  const times = [];
  while (times.length < count) {
    const sessions = await cachedSessions(a, b, username, Math.min(64, count - times.length));
    for (const { access } of sessions) {
      await succeed(a, 'DELETE', '/api/auth/logout', access);
      times.push(await untilRefused(b, access));
    }
  }
  return times;
}

/** @type {(a: Node, b: Node, admin: Session, count: number) => Promise<number[]>} */
async function disables(a, b, admin, count) {
  const times = [];
  for (let round = 0; round < count; round += 1) {
    const [session] = await cachedSessions(a, b, 'disabled', 1);
    if (session === undefined) break;
    const change = (/** @type {boolean} */ disabled) =>
      succeed(a, 'PATCH', '/api/users', admin.access, { id: session.id, disabled });
    await change(true);
    times.push(await untilRefused(b, session.access));
    await change(false);
  }
  return times;
}

/** @type {(a: Node, b: Node, count: number) => Promise<number[]>} */
async function passwordChanges(a, b, count) {
  const times = [];
  let [password, next] = [PASSWORD, OTHER];
  for (let round = 0; round < count; round += 1) {
    const [changing, other] = [
      await login(a, 'changing', password),
      await login(a, 'changing', password),
    ];
    await status(b, other.access);
    const change = { current_password: password, password: next };
    await succeed(a, 'POST', '/api/me/password', changing.access, change);
    times.push(await untilRefused(b, other.access));
    [password, next] = [next, password];
  }
  return times;
}

/** @type {(a: Node, b: Node, count: number) => Promise<number[]>} */
async function reuses(a, b, count) {
  const times = [];
  for (const { refresh } of await cachedSessions(a, b, 'reused', count)) {
    const next = await refreshed(a, refresh);
    const { access } = await refreshed(a, next.refresh);
    if ((await status(b, access)) !== 200) throw new Error('not accepted');
    const { status: refused } = await call(a, 'POST', '/api/auth/refresh', refresh);
    if (refused !== 401) throw new Error(`a used token: ${String(refused)}`);
    times.push(await untilRefused(b, access));
  }
  return times;
}

/** @type {(a: Node, b: Node, admin: Session) => Promise<void>} */
async function revocations(a, b, admin) {
  delayRow('log-out on one node to refusal on the other', await logouts(a, b, 1000, 'leaving'), 50);
  delayRow('the same for a disabled account', await disables(a, b, admin, 200), 50);
  delayRow('the same for a changed password', await passwordChanges(a, b, 100), 50);
  delayRow('the same for a reused refresh token', await reuses(a, b, 99), 50);
  await psql('bench', 'REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM PUBLIC');
  delayRow('log-out, without notifications', await logouts(a, b, 100, 'unheard'), 1000, 1);
  await psql('bench', 'GRANT EXECUTE ON FUNCTION pg_notify(text, text) TO PUBLIC');
}

/** @type {(b: Node) => Promise<void>} */
async function killed(b) {
  const times = [];
  for (let round = 0; round < 5; round += 1) {
    const c = await node('c');
    const [session] = await cachedSessions(c, b, 'leaving', 1);
    if (session === undefined) break;
    await succeed(c, 'DELETE', '/api/auth/logout', session.access);
    const dead = c.kill();
    times.push(await untilRefused(b, session.access));
    await dead;
  }
  delayRow('log-out on a node that is killed right after its answer', times, 1000, 1);
}

/**
 * Refreshes sessions at a rate until it is stopped.
 * @type {(node: Node, sessions: Session[], perSecond: number) => { stop: () => Promise<number> }}
 */
function refreshing(node, sessions, perSecond) {
  let running = true;
  let done = 0;
  const began = performance.now();
  const workers = sessions.map(async (session) => {
    let { refresh } = session;
    while (running) {
      const due = (done / perSecond) * 1000 - (performance.now() - began);
      done += 1;
      if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
      refresh = (await refreshed(node, refresh)).refresh;
    }
  });
  return {
    stop: async () => {
      running = false;
      await Promise.all(workers);
      return done / ((performance.now() - began) / 1000);
    },
  };
}

/**
 * Load on a node while another one refreshes sessions that both know. The nodes share the cores, so
 * it is compared with the same refreshes in another database.
 * @type {(a: Node, b: Node) => Promise<void>}
 */
async function besideRefreshes(a, b) {
  await createDatabase('elsewhere');
  const c = await node('elsewhere', 'elsewhere');
  await register(c, 'busy');
  const bearer = (await login(b, 'busy')).access;
  /** @type {{ same: number[], other: number[], refreshes: number[] }} */
  const rates = { same: [], other: [], refreshes: [] };
  for (let round = 0; round < 3; round += 1) {
    for (const [where, kept] of /** @type {const} */ ([
      [c, rates.other],
      [a, rates.same],
    ])) {
      const sessions = await Promise.all(Array.from({ length: 24 }, () => login(where, 'busy')));
      if (where === a) await Promise.all(sessions.map(({ access }) => status(b, access)));
      const refreshes = refreshing(where, sessions, 500);
      kept.push((await load(`${b.base}/api/me`, { bearer, seconds: 4 })).rate);
      rates.refreshes.push(await refreshes.stop());
    }
  }
  await c.stop();
  const ratio = median(rates.same.map((rate, round) => rate / (rates.other[round] ?? Number.NaN)));
  row(
    `\`GET /api/me\` on one node while the other makes ${whole(median(rates.refreshes))} refreshes/s`,
    `${whole(median(rates.same))}/s`,
  );
  row(
    'the same beside as many refreshes in another database',
    `${whole(median(rates.other))}/s`,
  );
  row('ratio of the two', ratio.toFixed(2), 'at least 0.95', ratio >= 0.95);
}

/**
 * The statements of a refresh, of one of these sessions.
 * @type {(sessions: string[]) => string}
 */
const refreshStatements = (sessions) => `
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

/** @type {(nodes: Node[], sessions: Session[]) => Promise<number>} */
async function refreshRate(nodes, sessions) {
  const each = Math.floor(sessions.length / nodes.length);
  const loads = nodes.map((server, number) => {
    const lua = join(folder, `refresh${String(number)}.lua`);
    const part = sessions.slice(number * each, (number + 1) * each);
    writeFileSync(lua, refreshScript(part.map(({ refresh }) => refresh)));
    const connections = Math.floor(64 / nodes.length);
    return load(`${server.base}/api/auth/refresh`, { connections, script: lua, seconds: 4 });
  });
  return (await Promise.all(loads)).reduce((sum, { rate }) => sum + rate, 0);
}

/**
 * Logs users in for 6 s, over all nodes.
 * @type {(nodes: Node[]) => Promise<number>}
 */
async function loginRate(nodes) {
  const script = join(folder, 'login.lua');
  writeFileSync(script, loginScript(USERS, PASSWORD));
  const loads = nodes.map(({ base }) =>
    load(`${base}/api/auth/login`, { connections: 16 / nodes.length, script }),
  );
  return (await Promise.all(loads)).reduce((sum, { rate }) => sum + rate, 0);
}

/** Processor time of PostgreSQL so far, in seconds, with that of connections that have ended. */
function postgresTime() {
  const [postmaster = ''] = readFileSync(join(cluster, 'data/postmaster.pid'), 'utf8').split('\n');
  const ticks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((id) => {
      try {
        // The name of the program, in parentheses, may contain spaces (proc_pid_stat(5)).
        const [, after = ''] = /\) (.*)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? [];
        const fields = after.split(' ');
        const own = Number(fields[11]) + Number(fields[12]);
        if (id === postmaster) return own + Number(fields[13]) + Number(fields[14]);
        return fields[1] === postmaster ? own : 0;
      } catch {
        // It has ended meanwhile.
        return 0;
      }
    });
  // Linux counts in hundredths of a second for every program (USER_HZ).
  return ticks.reduce((sum, time) => sum + time, 0) / 100;
}

/**
 * Runs a load of some seconds, and returns its rate with PostgreSQL's processor time for each of its operations in
 * microseconds.
 * @param {number} seconds
 * @param {() => Promise<number>} measure
 */
async function withPostgresTime(seconds, measure) {
  const before = postgresTime();
  const rate = await measure();
  return { rate, time: ((postgresTime() - before) / (rate * seconds)) * 1e6 };
}

/**
 * Returns the session of a token (claim `sid`).
 * @param {string} token
 */
function sessionOf(token) {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  const { sid } = /** @type {{ sid: string }} */ (JSON.parse(payload));
  return sid;
}

/** @type {(nodes: Node[]) => Promise<Session[]>} */
async function newSessions(nodes) {
  const users = Array.from({ length: USERS }, (_, number) => number);
  const logins = users.map((number) => {
    const server = nodes[number % nodes.length];
    if (server === undefined) throw new Error('no node');
    return login(server, `person${String(number)}`);
  });
  return Promise.all(logins);
}

/** @type {(sessions: Session[]) => Promise<number>} */
async function pgbench(sessions) {
  const names = sessions.map(({ access }) => sessionOf(access));
  const sql = join(folder, 'refresh.sql');
  writeFileSync(sql, refreshStatements(names));
  const { stdout } = await run('pgbench', [
    ...['-n', '-M', 'prepared', '-c', '8', '-j', '2', '-T', '4', '--max-tries', '100'],
    ...['-f', sql, address('bench', ROLE)],
  ]);
  return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
}

/** @type {(a: Node, b: Node) => Promise<void>} */
async function throughput(a, b) {
  /** @typedef {{ rate: number, time: number }[]} Rates */
  /** @type {{ one: Rates, two: Rates, pgbench: Rates }} */
  const refreshes = { one: [], two: [], pgbench: [] };
  /** @type {Record<'one' | 'two' | 'bareOne' | 'bareTwo', number[]>} */
  const logins = { one: [], two: [], bareOne: [], bareTwo: [] };
  const bare = async () => Number((await run(join(examples, 'bare_argon2'))).stdout);
  for (let number = 0; number < USERS; number += 1) await register(a, `person${String(number)}`);
  for (let round = 0; round < 3; round += 1) {
    logins.bareOne.push(await bare());
    logins.one.push(await loginRate([a]));
    // Two processes that hash at once share the cores and their caches, as two nodes do here.
    const [first, second] = await Promise.all([bare(), bare()]);
    logins.bareTwo.push(first + second);
    logins.two.push(await loginRate([a, b]));
    const advanced = await newSessions([a]);
    refreshes.pgbench.push(await withPostgresTime(4, () => pgbench(advanced)));
    // pgbench has advanced those sessions: others are refreshed.
    for (const [nodes, rates] of /** @type {const} */ ([
      [[a], refreshes.one],
      [[a, b], refreshes.two],
    ])) {
      const sessions = await newSessions([...nodes]);
      rates.push(await withPostgresTime(4, () => refreshRate([...nodes], sessions)));
    }
  }
  /** @type {(rates: Rates) => string} */
  const shown = (rates) =>
    `${whole(median(rates.map(({ rate }) => rate)))}/s, ${whole(median(rates.map(({ time }) => time)))} µs`;
  /** @type {(rates: Rates) => number} */
  const overPgbench = (rates) =>
    median(rates.map(({ time }, round) => time / (refreshes.pgbench[round]?.time ?? Number.NaN)));
  const [one, two] = [overPgbench(refreshes.one), overPgbench(refreshes.two)];
  row(
    '`pgbench` with the statements of a refresh: rate, processor time of PostgreSQL for each',
    shown(refreshes.pgbench),
  );
  row('refreshes on one node: the same', shown(refreshes.one));
  row('refreshes on two nodes: the same', shown(refreshes.two));
  row(
    "PostgreSQL's time for a refresh over that of `pgbench`, on one node, on two nodes",
    `${one.toFixed(2)}, ${two.toFixed(2)}`,
    'at most 1.25',
    Math.max(one, two) <= 1.25,
  );
  // A log-in's statements take a hundredth of its hash: `pgbench` would tell nothing.
  const ratios = [
    [logins.one, logins.bareOne],
    [logins.two, logins.bareTwo],
  ].map(([rates = [], hashes = []]) =>
    median(rates.map((rate, round) => rate / (hashes[round] ?? Number.NaN))),
  );
  row(
    'bare Argon2id on the same cores, which is most of a log-in: one process, two at once',
    `${whole(median(logins.bareOne))}/s, ${whole(median(logins.bareTwo))}/s`,
  );
  row(
    'log-ins on one node, on two nodes',
    `${whole(median(logins.one))}/s, ${whole(median(logins.two))}/s`,
  );
  row(
    'over Argon2id',
    ratios.map((ratio) => ratio.toFixed(2)).join(', '),
    'at least 0.8',
    Math.min(...ratios) >= 0.8,
  );
}

/** @type {(a: Node, b: Node, admin: Session) => Promise<void>} */
async function races(a, b, admin) {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, number) =>
      call(number % 2 === 0 ? a : b, 'POST', '/api/auth/register', undefined, {
        username: 'wanted',
        password: PASSWORD,
      }),
    ),
  );
  const created = answers.filter(({ status: code }) => code === 201).length;
  const taken = answers.filter(({ status: code }) => code === 409).length;
  row(
    '50 registrations of one name over both nodes: created, refused as taken',
    `${String(created)}, ${String(taken)}`,
    '1, 49',
    created === 1 && taken === 49,
  );
  let remaining = 0;
  const rounds = 20;
  for (let round = 0; round < rounds; round += 1) {
    // Two administrators are all that there are.
    const names = [`one${String(round)}`, `two${String(round)}`];
    for (const name of names) await register(a, name);
    const pair = await Promise.all(names.map((name) => login(a, name)));
    for (const { id } of pair)
      await succeed(a, 'PATCH', '/api/users', admin.access, { id, role: 'admin' });
    const ids = pair.map(({ id }) => `'${id}'`).join(',');
    await psql('bench', `UPDATE users SET role = 'user' WHERE role = 'admin' AND id NOT IN (${ids})`);
    await Promise.all(
      pair.map(({ access }, number) =>
        call(number === 0 ? a : b, 'PATCH', '/api/users', access, {
          id: pair[1 - number]?.id,
          disabled: true,
        }),
      ),
    );
    const left = await psql(
      'bench',
      "SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL",
    );
    remaining += left === '1' ? 1 : 0;
    await psql('bench', `UPDATE users SET role = 'admin' WHERE id = '${admin.id}'`);
  }
  row(
    'two administrators who disable each other over two nodes: one remains',
    `${String(remaining)} of ${String(rounds)} times`,
    'always',
    remaining === rounds,
  );
}

/** Runs a command as the owner of the database's files. */
async function asOwner(/** @type {string} */ command) {
  const { uid, gid } = statSync(join(cluster, 'data'));
  await new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: cluster,
      stdio: 'ignore',
      ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

/** @type {(a: Node, b: Node) => Promise<void>} */
async function outage(a, b) {
  const sessions = await cachedSessions(a, b, 'outage', 20);
  const [options, pid] = ['postmaster.opts', 'postmaster.pid'].map((name) =>
    readFileSync(join(cluster, 'data', name), 'utf8'),
  );
  await asOwner(`kill -INT ${String(pid?.split('\n')[0])}`);
  const stopped = performance.now();
  const seen = { accepted: 0, unavailable: 0, bare: 0, other: 0 };
  let refusing = Number.NaN;
  while (performance.now() - stopped < 10_000) {
    const session = sessions[Math.floor(Math.random() * sessions.length)];
    const answer = await call(b, 'GET', '/api/me', session?.access);
    if (answer.status === 200) seen.accepted += 1;
    else if (answer.status === 503 && answer.retry !== null) {
      if (Number.isNaN(refusing)) refusing = performance.now() - stopped;
      seen.unavailable += 1;
    } else if (answer.status === 503) seen.bare += 1;
    else seen.other += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await asOwner(`cd ${cluster} && nohup ${String(options).trim()} >>data/log 2>&1 &`);
  const began = performance.now();
  let healed = Number.NaN;
  while (Number.isNaN(healed) && performance.now() - began < 30_000) {
    const answers = await Promise.all([a, b].map((one) => status(one, sessions[0]?.access ?? '')));
    if (answers.every((answer) => answer === 200)) healed = performance.now() - began;
    else await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const alive = await Promise.all(
    sessions.map(async ({ refresh }, number) => {
      const answer = await call(number % 2 === 0 ? a : b, 'POST', '/api/auth/refresh', refresh);
      return answer.status === 200;
    }),
  );
  const lost = alive.filter((one) => !one).length;
  row(
    'the database stopped for 10 s: first 503 of a cached session',
    `after ${(refusing / 1000).toFixed(1)} s`,
    'at most 7 s',
    refusing <= 7000,
  );
  row(
    'answers meanwhile: from the cache, 503 with `Retry-After`, any other',
    `${String(seen.accepted)}, ${String(seen.unavailable)}, ${String(seen.other + seen.bare)}`,
    'no other',
    seen.other + seen.bare === 0 && seen.unavailable > 0,
  );
  row(
    'requests to both nodes succeed after the database is started again',
    `after ${(healed / 1000).toFixed(1)} s`,
    'at most 10 s',
    healed <= 10_000,
  );
  row('sessions lost by that', `${String(lost)} of ${String(sessions.length)}`, 'none', lost === 0);
}

await psql('postgres', `CREATE ROLE ${ROLE} LOGIN`);
await createDatabase('bench');
const [a, b] = [await node('a'), await node('b')];
for (const name of ['leaving', 'unheard', 'disabled', 'changing', 'reused', 'busy', 'outage', 'root'])
  await register(a, name);
await psql('bench', "UPDATE users SET role = 'admin' WHERE username = 'root'");
// The nodes have cached nothing of it yet.
const root = await login(a, 'root');
await revocations(a, b, root);
await killed(b);
await besideRefreshes(a, b);
await throughput(a, b);
await races(a, b, root);
await outage(a, b);
await Promise.all([a.stop(), b.stop()]);
rmSync(folder, { recursive: true, force: true });

const version = (await run('postgres', ['--version'])).stdout.trim();
const date = new Date().toISOString().slice(0, 10);
report(
  'bench-cluster',
  `${version}, which waits for the disk; ${date}. The nodes, PostgreSQL and the load share the cores: ratios count.`,
  'Nodes whose clocks are 3 s apart refuse no valid token: `node_with_a_clock_three_seconds_ahead_or_behind_refuses_no_token`. The start with a million sessions is measured by `make bench-large`, and the figures of SQLite are those of the first table.',
);
