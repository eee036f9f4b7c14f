// Benchmarks the server against the limits of the machine and writes its part of BENCHMARKS.md. Only figures of
// one run are comparable: alternatives are measured in turns, and medians count.
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';

import { SMTPServer } from 'smtp-server';

import { overload } from './bench-overload.mjs';
import { acknowledgement, refreshRate } from './bench-refreshes.mjs';
import { exitCode, report, row } from './bench-report.mjs';
import { freePort } from './free-port.mjs';
import { load, loginScript, median, post, run, start, whole } from './load.mjs';
import { firstVisits } from './speed.mjs';

const [program = '', examples = '', ...only] = process.argv.slice(2);
/** Credentials of the measured logins. */
const PEOPLE = 64;
/** Messages of the measured outbox. */
const MESSAGES = 1000;
const CREDENTIALS = { username: 'bench', password: 'correct horse battery' };
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));

async function tokens(/** @type {string} */ data) {
  const server = await start(join(examples, 'beside_bare'), data);
  await post(server.base, '/api/auth/register', CREDENTIALS);
  const { access_token: bearer = '' } = await post(server.base, '/api/auth/login', CREDENTIALS);
  /** @type {{ me: number[], bare: number[] }} */
  const rates = { me: [], bare: [] };
  // Enough connections to keep the load generator busy with either route: waking it up between
  // responses would be paid by the server, and by the slower route only.
  const options = { connections: 256, bearer };
  for (let round = 0; round < 5; round += 1) {
    rates.bare.push((await load(`${server.base}/bare`, options)).rate);
    rates.me.push((await load(`${server.base}/api/me`, options)).rate);
  }
  await server.stop();
  const ratio = median(rates.me.map((rate, round) => rate / (rates.bare[round] ?? Number.NaN)));
  row('`GET /api/me` with a valid token', `${whole(median(rates.me))}/s`);
  row(
    'a bare axum route of the same process behind the same layers',
    `${whole(median(rates.bare))}/s`,
  );
  row('ratio of the two', ratio.toFixed(2), 'at least 0.8', ratio >= 0.8);
}

async function starting(/** @type {string} */ data) {
  const times = [];
  for (let round = 0; round < 7; round += 1) {
    const server = await start(program, data);
    times.push(server.toFirstAnswer);
    await server.stop();
  }
  row(
    'start to first answer on an existing database',
    `${whole(median(times))} ms`,
    'under 200 ms',
    median(times) < 200,
  );
}

async function visits(/** @type {string} */ login) {
  const { desktop, phone } = await firstVisits(login);
  row(
    'first load of `/login`, all that is transferred',
    `${(desktop.bytes / 1000).toFixed(1)} kB`,
    'at most 225 kB',
    desktop.bytes <= 225_000,
  );
  row(
    'first load of `/login`, requests',
    String(desktop.requests),
    'at most 6',
    desktop.requests <= 6,
  );
  row('cold Chromium: first paint', `${whole(desktop.paint)} ms`);
  row('cold Chromium: a click sends the request', `${whole(desktop.click)} ms`);
  row(
    'slow phone (1.6 Mbit/s, 150 ms, CPU 4 times slower): first paint',
    `${whole(phone.paint)} ms`,
    'under 700 ms',
    phone.paint < 700,
  );
  row(
    'slow phone: a click sends the request',
    `${whole(phone.click)} ms`,
    'under 1 750 ms',
    phone.click < 1750,
  );
  const shift = Math.max(desktop.shift, phone.shift);
  row('layout shift (CLS) of either', shift.toFixed(3), 'under 0.01', shift < 0.01);
}

async function pagesAndLogins(/** @type {string} */ data) {
  const server = await start(program, data, { GATEHOUSE_RATE_LIMITS: 'off' });
  // The visits submit the form, so passwords are hashed afterwards.
  const before = server.memory();
  row(
    'resident memory before the first log-in',
    `${before.toFixed(1)} MB`,
    'under 40 MB',
    before < 40,
  );
  await visits(`${server.base}/login`);
  row('server-rendered `/login`', `${whole((await load(`${server.base}/login`)).rate)}/s`);
  row('resident memory after a flood of pages', `${server.memory().toFixed(1)} MB`);

  // Enough users that none reaches the limit of a hundred sessions.
  for (let who = 0; who < PEOPLE; who += 1)
    await post(server.base, '/api/auth/register', {
      ...CREDENTIALS,
      username: `person${String(who)}`,
    });
  const script = join(folder, 'login.lua');
  writeFileSync(script, loginScript(PEOPLE, CREDENTIALS.password));
  const login = `${server.base}/api/auth/login`;
  const rates = [];
  const ratios = [];
  for (let round = 0; round < 5; round += 1) {
    const bare = Number((await run(join(examples, 'bare_argon2'))).stdout);
    const { rate } = await load(login, { seconds: 8, connections: 16, script });
    rates.push(rate);
    ratios.push(rate / bare);
  }
  row('log-ins', `${median(rates).toFixed(0)}/s`);
  row(
    'log-ins over bare Argon2id on the same cores',
    median(ratios).toFixed(2),
    'at least 0.9',
    median(ratios) >= 0.9,
  );

  const bystander = { ...CREDENTIALS, username: 'bystander' };
  await post(server.base, '/api/auth/register', bystander);
  const { access_token: bearer = '' } = await post(server.base, '/api/auth/login', bystander);
  const flood = load(login, { seconds: 12, connections: 64, script });
  const { p99 } = await load(`${server.base}/api/me`, { seconds: 8, connections: 4, bearer });
  await flood;
  row(
    'p99 of `GET /api/me` while log-ins saturate the hashing',
    `${p99.toFixed(1)} ms`,
    'under 50 ms',
    p99 < 50,
  );
  const after = server.memory();
  row(
    'resident memory after a flood of log-ins',
    `${after.toFixed(1)} MB`,
    'under 100 MB',
    after < 100,
  );
  await server.stop();
}

/**
 * Compares the response times of requests with and without an account: medians of requests in
 * turns. Response times must not reveal usernames.
 * @param {string} base
 * @param {number} status
 * @param {number} rounds requests for each that are measured
 * @param {string} [path]
 * @param {string[]} [usernames] that of the account, and another one
 */
async function timeToTell(
  base,
  status,
  rounds,
  path = '/api/auth/login',
  usernames = ['timed', 'unknown'],
) {
  /** Requests for each that are not measured. */
  const before = 20;
  const body = (/** @type {string} */ username) =>
    JSON.stringify({ username, password: 'not the password at all' });
  const bodies = usernames.map(body);
  /** @type {number[][]} */
  const times = [[], []];
  for (let round = 0; round < before + rounds; round += 1) {
    // The order alternates, so that the state after the first request favors neither.
    for (const who of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const began = performance.now();
      const answer = await fetch(`${base}${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: bodies[who] ?? '',
      });
      await answer.text();
      if (round < before) continue;
      if (answer.status !== status)
        throw new Error(`${String(answer.status)} where ${String(status)} was expected`);
      times[who]?.push(performance.now() - began);
    }
  }
  const [known = Number.NaN, unknown = Number.NaN] = times.map(median);
  const apart = Math.abs(known / unknown - 1);
  return {
    figure: `${known.toFixed(2)} ms, ${unknown.toFixed(2)} ms: ${(apart * 100).toFixed(1)} % apart`,
    good: apart <= 0.05,
  };
}

async function enumeration(/** @type {string} */ data) {
  const many = await start(program, data, { GATEHOUSE_LOGIN_FAILURES_PER_ACCOUNT: '10000' });
  await post(many.base, '/api/auth/register', { ...CREDENTIALS, username: 'timed' });
  const wrong = await timeToTell(many.base, 401, 200);
  row(
    'a wrong password and an unknown account, medians of 200',
    wrong.figure,
    'within 5 %',
    wrong.good,
  );
  await many.stop();
  const mail = await start(program, data, {
    GATEHOUSE_MAIL_URL: `folder:${data}/mail`,
    GATEHOUSE_MAIL_FROM: 'no-reply@accounts.example',
    GATEHOUSE_PUBLIC_URL: 'https://accounts.example',
    GATEHOUSE_MAILS_PER_ACCOUNT: '10000',
  });
  const usernames = ['timed@example.com', 'unknown@example.com'];
  await post(mail.base, '/api/auth/register', { ...CREDENTIALS, username: usernames[0] });
  // More than above: a response takes less than a millisecond, of which noise is a larger part.
  const forgot = await timeToTell(mail.base, 202, 1_000, '/api/auth/forgot', usernames);
  row(
    'a forgotten password with and without an account, medians of 1 000',
    forgot.figure,
    'within 5 %',
    forgot.good,
  );
  await mail.stop();
  const few = await start(program, data);
  const throttled = await timeToTell(few.base, 429, 1_000);
  row('the same while both are throttled', throttled.figure, 'within 5 %', throttled.good);
  await few.stop();
}

/**
 * Measures the refusal of a request with a too large Content-Length: it comes before the body.
 * @param {string} url
 * @param {number} bytes
 * @returns {Promise<number | undefined>} the status
 */
function announce(url, bytes) {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': bytes };
    const call = request(url, { method: 'POST', headers }, (answer) => {
      resolve(answer.statusCode);
      call.destroy();
    });
    call.on('error', reject);
    call.write('{"username":"unknown","password":"');
  });
}

/** Measures the refusal of an overlong password: it must not be hashed. */
async function longPassword(/** @type {string} */ data) {
  const server = await start(program, data);
  const times = [];
  for (let round = 0; round < 50; round += 1) {
    const began = performance.now();
    const status = await announce(`${server.base}/api/auth/login`, 1_000_000);
    if (status !== 413) throw new Error(`${String(status)} where 413 was expected`);
    times.push(performance.now() - began);
  }
  const typical = median(times);
  row(
    'a password of a megabyte is refused',
    `after ${typical.toFixed(1)} ms`,
    'under 50 ms',
    typical < 50,
  );
  await server.stop();
}

async function refreshes() {
  const { refreshes, commits } = await refreshRate(program, join(examples, 'bare_commits'), folder);
  const isSlow = commits <= 1000;
  const bound = isSlow ? commits : 5000;
  row('durable commits of SQLite itself on this disk, one after the other', `${whole(commits)}/s`);
  row(
    'refreshes, 64 at a time, each answered once it is on disk',
    `${whole(refreshes)}/s`,
    isSlow
      ? 'at least as many as those commits, which take a millisecond or more'
      : 'at least 5 000/s where such a commit takes less than a millisecond',
    refreshes >= bound,
  );
  const { first, later } = await acknowledgement(program, folder);
  const apart = first / later - 1;
  row(
    '`GET /api/me` that acknowledges a refresh, and one that has nothing to acknowledge, medians of 600',
    `${first.toFixed(3)} ms, ${later.toFixed(3)} ms: ${(apart * 100).toFixed(1)} % apart`,
    'at most 5 % more',
    apart <= 0.05,
  );
}

/** Measures a page of search results among 100 000 users. */
async function manyAccounts() {
  const data = join(folder, 'many');
  const env = { PATH: process.env.PATH, GATEHOUSE_DATA_DIR: data };
  // The first start creates the database; then the administrator, then the users.
  await (await start(program, data)).stop();
  const created = run(program, ['user', 'create', 'root', '--admin'], { env });
  created.child.stdin?.end(CREDENTIALS.password);
  await created;
  const began = performance.now();
  await run(program, ['seed', '--users', '10000'], { env });
  const seconds = (performance.now() - began) / 1000;
  row('`gatehouse seed --users 10000`', `${seconds.toFixed(1)} s`, 'under 60 s', seconds < 60);
  await run(program, ['seed', '--users', '90000'], { env });
  const server = await start(program, data);
  const { access_token: bearer = '' } = await post(server.base, '/api/auth/login', {
    ...CREDENTIALS,
    username: 'root',
  });
  const headers = { Authorization: `Bearer ${bearer}` };
  // Searches from a single letter, which matches thousands, to a whole name; every order; and from
  // the middle of the list.
  const searches = ['', 'm', 'ma', 'mar', 'mary', 'mary.smith', 'unknown-has-this'];
  const sorts = ['-created_at', 'created_at', 'username', '-username'];
  const worst = { time: 0, query: '' };
  const all = [];
  for (const search of searches) {
    for (const sort of sorts) {
      let query = `?search=${search}&sort=${sort}`;
      for (let page = 0; page < 3; page += 1) {
        const taken = [];
        let next;
        for (let round = 0; round < 11; round += 1) {
          const asked = performance.now();
          const answer = await fetch(`${server.base}/api/users${query}`, { headers });
          ({ next } = /** @type {{ next: string | null }} */ (await answer.json()));
          taken.push(performance.now() - asked);
          if (!answer.ok) throw new Error(`${query}: ${String(answer.status)}`);
        }
        const typical = median(taken);
        all.push(typical);
        if (typical > worst.time) Object.assign(worst, { time: typical, query });
        if (typeof next !== 'string') break;
        query = `?search=${search}&sort=${sort}&after=${next}`;
      }
    }
  }
  await server.stop();
  row(
    'a page of `GET /api/users` among 100 000, median of all searches and orders',
    `${median(all).toFixed(1)} ms`,
  );
  row(
    'the slowest of these, median of 11',
    `${worst.time.toFixed(1)} ms: \`${worst.query.replace(/&after=.*/, '&after=…')}\``,
    'under 50 ms',
    worst.time < 50,
  );
}

/** Measures how fast waiting messages are sent to a mail server on this machine. */
async function messages() {
  const port = await freePort();
  /** @type {(() => void)[]} */
  const waiting = [];
  let isOpen = false;
  let received = 0;
  const events = new EventEmitter();
  const all = once(events, 'all');
  const mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    // Messages wait until all of them are in the outbox.
    onMailFrom: (_address, _session, answer) => {
      if (isOpen) answer();
      else waiting.push(answer);
    },
    onData: (stream, _session, answer) => {
      stream.on('end', () => {
        received += 1;
        if (received === MESSAGES) events.emit('all');
        answer();
      });
      stream.resume();
    },
  });
  mailServer.listen(port, '127.0.0.1');
  const server = await start(program, join(folder, 'messages'), {
    GATEHOUSE_MAIL_URL: `smtp://127.0.0.1:${String(port)}`,
    GATEHOUSE_MAIL_FROM: 'no-reply@accounts.example',
    GATEHOUSE_PUBLIC_URL: 'https://accounts.example',
    GATEHOUSE_RATE_LIMITS: 'off',
  });
  // Each registration sends a message.
  for (let number = 0; number < MESSAGES; number += 50) {
    const names = Array.from({ length: 50 }, (_, user) => `user${String(number + user)}@example.com`);
    await Promise.all(
      names.map((username) => post(server.base, '/api/auth/register', { ...CREDENTIALS, username })),
    );
  }
  const began = performance.now();
  isOpen = true;
  for (const answer of waiting) answer();
  await all;
  const seconds = (performance.now() - began) / 1000;
  row(
    `${whole(MESSAGES)} waiting messages are sent to a mail server on this machine`,
    `in ${seconds.toFixed(1)} s`,
  );
  await server.stop();
  mailServer.close(() => undefined);
}

/**
 * Measures other users' response times while an attacker exhausts connections, uploads and
 * decoding.
 */
async function underAttack() {
  const { peak, p99, slowest, connections, answers } = await overload(
    program,
    join(folder, 'attack'),
  );
  const refused = [...answers]
    .map(([status, times]) => `${String(times)} times ${String(status)}`)
    .join(', ');
  // 1 000 unfinished heads of 31 kB, 800 unfinished uploads, and images that decompress to half a
  // gigabyte.
  const held = `${peak.toFixed(0)} MB at most, with ${whole(connections)} descriptors open; pictures answered ${refused}`;
  row(
    'resident memory under held connections, held uploads and picture bombs',
    held,
    'under 300 MB',
    peak < 300 && connections > 1000,
  );
  row(
    'p99 of `GET /api/me` of another user meanwhile',
    `${p99.toFixed(1)} ms`,
    'under 50 ms',
    p99 < 50,
  );
  row(
    'the slowest log-in of another user meanwhile',
    `${whole(slowest)} ms`,
    'under 1 000 ms',
    slowest < 1000,
  );
}

const data = join(folder, 'data');
const measurements = {
  tokens: () => tokens(data),
  starting: () => starting(data),
  pages: () => pagesAndLogins(data),
  refreshes,
  enumeration: () => enumeration(data),
  messages,
  password: () => longPassword(data),
  accounts: manyAccounts,
  attack: underAttack,
};
try {
  for (const [name, measure] of Object.entries(measurements))
    if (only.length === 0 || only.includes(name)) await measure();
} finally {
  rmSync(folder, { recursive: true });
}
// The table is written by complete runs only.
if (only.length > 0) {
  exitCode();
} else {
  const [cpu] = cpus();
  const versions = await Promise.all(
    [
      ['rustc', '--version'],
      ['wrk', '--version'],
    ].map(async ([command = '', ...args]) => {
      // wrk prints its version and fails.
      const { stdout } = await run(command, args).catch(
        (/** @type {unknown} */ error) => /** @type {{ stdout: string }} */ (error),
      );
      return stdout.split('\n')[0]?.replace(/ Copyright.*| \[.*/, '') ?? '';
    }),
  );
  const machine = `${cpu?.model ?? 'unknown processor'}, ${String(cpus().length)} cores, Linux ${release().split('-')[0] ?? ''}`;
  const date = new Date().toISOString().slice(0, 10);
  report(
    'bench',
    `${machine}; ${versions.join('; ')};\n${date}. Load and server share the cores.`,
    '`cargo bench -p server` measures what is inside, with criterion.',
  );
}
