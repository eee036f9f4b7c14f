// Runs the parts of the test suite in turn, shows their output and prints the totals.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

import { ofCargo, ofNode, ofPlaywright, total } from './results.mjs';

const REPORT = 'end2end/results/report.json';
const ENGINES_REPORT = 'end2end/results/browsers.json';
const WATCH_REPORT = 'end2end/results/watch.json';

/**
 * A part: commands to prepare it, the command to run it, and the parser of its output. An extra part
 * runs only if it is named.
 * @typedef {{
 *   name: string,
 *   isExtra?: boolean,
 *   prepare?: string[][],
 *   run: string[],
 *   count: (printed: { stdout: string, stderr: string }) => import('./results.mjs').Counts,
 * }} Part
 */

/** @type {Part[]} */
const PARTS = [
  {
    name: 'scripts',
    run: ['node', '--test', 'scripts/results.test.mjs', 'scripts/source-text.test.mjs'],
    count: ({ stdout }) => ofNode(stdout),
  },
  {
    // `app` gets its feature `ssr` from the server.
    name: 'cargo',
    run: ['cargo', 'test', '--locked', '--workspace', '--exclude', 'frontend', '--no-fail-fast'],
    count: ofCargo,
  },
  {
    // The same server on PostgreSQL.
    name: 'postgres',
    run: ['scripts/test-postgres'],
    count: ofCargo,
  },
  {
    // The test runner of wasm-bindgen, in Chromium.
    name: 'browser',
    run: [
      'cargo',
      'test',
      '--locked',
      '-p',
      'frontend',
      '--target',
      'wasm32-unknown-unknown',
      '--test',
      'browser',
    ],
    count: ofCargo,
  },
  {
    name: 'end2end',
    prepare: [['scripts/build']],
    run: ['playwright', 'test', '--config', 'end2end/playwright.config.ts'],
    count: () => ofPlaywright(readFileSync(REPORT, 'utf8')),
  },
  {
    // Packs the release build.
    name: 'image',
    isExtra: true,
    run: ['scripts/test-image'],
    count: ({ stdout }) => ofNode(stdout),
  },
  {
    name: 'engines',
    isExtra: true,
    run: ['scripts/test-browsers'],
    count: () => ofPlaywright(readFileSync(ENGINES_REPORT, 'utf8')),
  },
  {
    name: 'watch',
    isExtra: true,
    run: ['scripts/test-watch'],
    count: () => ofPlaywright(readFileSync(WATCH_REPORT, 'utf8')),
  },
];

/**
 * Runs a command, shows its output and returns it.
 * @param {string[]} command
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
function execute([program = '', ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      stdout += text;
      process.stdout.write(text);
    });
    child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      stderr += text;
      process.stderr.write(text);
    });
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve({ code: 1, stdout, stderr });
    });
    // A process killed by a signal has no exit code.
    child.on('close', (code) => {
      resolve({ code: code ?? 1, stdout, stderr });
    });
  });
}

/**
 * @param {Part} part
 * @returns {Promise<import('./results.mjs').Outcome>}
 */
async function runPart({ name, prepare = [], run, count }) {
  console.log(`\n== ${name}`);
  for (const command of prepare) {
    const { code } = await execute(command);
    if (code !== 0) return { name, code, counts: null };
  }
  const { code, ...printed } = await execute(run);
  try {
    return { name, code, counts: count(printed) };
  } catch (error) {
    console.error(`${name}: no result to read: ${String(error)}`);
    return { name, code, counts: null };
  }
}

const names = process.argv.slice(2);
/** All parts but the extra ones. */
const isAll = names.length === 0 || names.includes('all');
const wanted = names.filter((name) => name !== 'all');
const unknown = wanted.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(
    `There is no part ${unknown.join(', ')}; there are ${PARTS.map((part) => part.name).join(', ')}.`,
  );
  process.exit(2);
}

// Removes the reports of an earlier run.
for (const report of [REPORT, ENGINES_REPORT, WATCH_REPORT]) rmSync(report, { force: true });

const outcomes = [];
for (const part of PARTS) {
  if ((isAll && part.isExtra !== true) || wanted.includes(part.name))
    outcomes.push(await runPart(part));
}
const { passed, failed, failures, remarks } = total(outcomes);
// Repeated at the end, because a log of CI may be cut to its last lines.
if (failures.length > 0) console.log(`\n== failures\n\n${failures.join('\n\n')}`);
console.log(`\n${remarks.join('\n')}\n`);
console.log(`${String(passed)} passed, ${String(failed)} failed`);
process.exitCode = failed > 0 ? 1 : 0;
