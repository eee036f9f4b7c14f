// Lists the size of each file of the site, and of the WASM module by crate, in docs/pages.md.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { fill } from './markdown-blocks.mjs';
import { functionSizes } from './wasm-functions.mjs';

const [named = '', site = ''] = process.argv.slice(2);

/**
 * Returns the crate of a function: the first segment of its path, of its type's or of its trait's.
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
  const { functions, data } = functionSizes(readFileSync(file));
  /** @type {Map<string, number>} */
  const crates = new Map([['texts and tables', data]]);
  for (const { name, size } of functions)
    crates.set(crateOf(name), (crates.get(crateOf(name)) ?? 0) + size);
  const largest = functions.sort((a, b) => b.size - a.size).slice(0, 40);
  console.log(largest.map(({ name, size }) => `${String(size).padStart(6)} ${name}`).join('\n'));
  return [...crates].sort(([, a], [, b]) => b - a);
}

/** @type {(bytes: number) => string} */
const kilo = (bytes) => (bytes / 1000).toFixed(1);

/** Returns the sizes of the program's files, plain and with brotli. */
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
  'gatehouse.wasm': 'program (WebAssembly)',
  'gatehouse.js': 'glue of wasm-bindgen (JavaScript)',
  'gatehouse.css': 'style sheet',
  '__wasm_split.js': 'loader of the lazy chunk (JavaScript)',
  'split_lazy_pages.wasm':
    'lazy chunk of the authenticated pages (WebAssembly), not loaded by guests',
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
