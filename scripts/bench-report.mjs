// Rows of a table of figures and bounds, and their block of BENCHMARKS.md.
import { fill } from './markdown-blocks.mjs';

/** @type {{ what: string, figure: string, bound: string, good: boolean }[]} */
const rows = [];

/** @type {(what: string, figure: string, bound?: string, good?: boolean) => void} */
export function row(what, figure, bound = '', good = true) {
  rows.push({ what, figure, bound, good });
  console.log(`${good ? ' ' : '!'} ${what}: ${figure}${bound ? ` (${bound})` : ''}`);
}

/**
 * Writes the rows and sets the exit code: 1 if a bound is missed.
 * @param {string} block name of the block
 * @param {string} intro
 * @param {string} [outro]
 */
export function report(block, intro, outro = '') {
  const table = rows.map(
    ({ what, figure, bound, good }) =>
      `| ${what} | ${figure} | ${bound}${good ? '' : ' **missed**'} |`,
  );
  const lines = [intro, '', '| what | figure | bound |', '| --- | --- | --- |', ...table, '', outro];
  fill('BENCHMARKS.md', block, lines.join('\n'));
  exitCode();
}

/** Prints whether the bounds are kept, and sets the exit code. */
export function exitCode() {
  const missed = rows.filter(({ good }) => !good).length;
  console.log(missed === 0 ? 'Every bound is kept.' : `${String(missed)} bounds are missed.`);
  process.exitCode = missed === 0 && rows.length > 0 ? 0 : 1;
}
