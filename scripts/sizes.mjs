// Reads a WebAssembly program with its names, adds its functions up by crate, and lists what the first visit loads.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { fill } from './markdown-blocks.mjs';
import { read } from './wasm.mjs';

const [named = '', site = ''] = process.argv.slice(2);

/**
 * The crate that a function was written in: the first name of its path, or of the type that it belongs to, or of the trait where
 * it is there for many types.
 * @param {string} name
 */
function crateOf(name) {
  const path = name.replaceAll(/\[[0-9a-f]{16}\]/g, '');
  const [, crate] =
    /^<?(?:[&*]|mut |dyn |const )*([a-z_]\w*)::/.exec(path) ??
    /^<.* as ([a-z_]\w*)::/.exec(path) ??
    [];
  return crate ?? 'glue';
}

/** @param {string} file */
function byCrate(file) {
  const { functions, data } = read(readFileSync(file));
  /** @type {Map<string, number>} */
  const crates = new Map([['texts and tables', data]]);
  // Before each name stands the place that scripts/order.mjs has given it.
  for (const one of functions) one.name = one.name.replace(/^\d{6} /, '');
  for (const { name, length } of functions)
    crates.set(crateOf(name), (crates.get(crateOf(name)) ?? 0) + length);
  const largest = functions.sort((a, b) => b.length - a.length).slice(0, 40);
  console.log(
    largest.map(({ name, length }) => `${String(length).padStart(6)} ${name}`).join('\n'),
  );
  return [...crates].sort(([, a], [, b]) => b - a);
}

/** @type {(bytes: number) => string} */
const kilo = (bytes) => (bytes / 1000).toFixed(1);

/** What is on the wire for a file: its brotli beside it, or it itself. */
function files() {
  const folder = join(site, 'pkg');
  const found = readdirSync(folder).filter((file) => /\.(?:js|wasm|css)$/.test(file));
  return found.map((file) => {
    const raw = readFileSync(join(folder, file));
    const wire = readFileSync(join(folder, `${file}.br`));
    return { kind: file.replace(/\..*\./, '.'), raw: raw.length, wire: wire.length };
  });
}

const crates = byCrate(named);
const whole = crates.reduce((sum, [, bytes]) => sum + bytes, 0);
if ((new Map(crates).get('glue') ?? 0) > whole / 2)
  throw new Error('the functions have lost their names');
const shown = crates.filter(([, bytes]) => bytes >= whole / 100);
const rest = crates.slice(shown.length).reduce((sum, [, bytes]) => sum + bytes, 0);

const KINDS = {
  'gatehouse.wasm': 'the program (WebAssembly)',
  'gatehouse.js': 'its glue (JavaScript)',
  'gatehouse.css': 'the style sheet',
  '__wasm_split.js': 'what loads the rest (JavaScript)',
  'split_lazy_pages.wasm':
    'the pages of people who are signed in (WebAssembly), which others do not load',
};
fill(
  'docs/pages.md',
  'sizes',
  [
    '| file | kB | kB with brotli |',
    '| --- | ---: | ---: |',
    ...files()
      .sort((a, b) => b.wire - a.wire)
      .map(
        ({ kind, raw, wire }) =>
          `| ${KINDS[/** @type {keyof typeof KINDS} */ (kind)]} | ${kilo(raw)} | ${kilo(wire)} |`,
      ),
    '',
    '| crate | kB of the program | % |',
    '| --- | ---: | ---: |',
    ...[...shown, /** @type {[string, number]} */ (['all others', rest])].map(
      ([crate, bytes]) =>
        `| ${/ |^glue$/.test(crate) ? crate : `\`${crate}\``} | ${kilo(bytes)} | ${((100 * bytes) / whole).toFixed(1)} |`,
    ),
  ].join('\n'),
);
