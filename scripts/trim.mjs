// Shortens what wasm-bindgen has made, before anybody loads it: the program, and the glue that calls it and is called by it.
//
// Program and glue know each other by names such as `__wbg_append_a0566fbd42705eee`: some three hundred, in both files, with digits
// that do not compress. And wasm-streams exports classes that no page uses: wasm-opt keeps every export, with all that it calls.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

import { SECTION, leb, named, number, passImport, section, sections, string } from './wasm.mjs';

const [glue = '', ...programs] = process.argv.slice(2);

/** Names of wasm-bindgen's, and of the closures that it calls. Those by which the pieces of a split program find each other stay. */
const LONG = /^__(?:wbg|wbindgen|externref)_\w+$|^_ZN\w+$/;
/** Exports that belong to the classes of wasm-streams. */
const STREAMS = /^(?:__wbg_)?intounderlying(?:bytesource|sink|source)_\w+$/;
const CLASSES =
  /^(?:export class IntoUnderlying\w+ \{$[^]*?^\}$|if \(Symbol\.dispose\) IntoUnderlying.*$|const IntoUnderlying\w+Finalization = [^]*?;$)/gm;

/** @type {Map<string, string>} */
const names = new Map();

/** @type {(name: string) => string} */
function short(name) {
  if (!LONG.test(name)) return name;
  const known = names.get(name) ?? `_${names.size.toString(36)}`;
  names.set(name, known);
  return known;
}

/** @type {(wasm: Buffer, cursor: { at: number }) => Buffer} */
function imports(wasm, cursor) {
  const entries = [];
  for (let left = leb(wasm, cursor); left > 0; left -= 1) {
    const module = string(wasm, cursor);
    const name = string(wasm, cursor);
    const begin = cursor.at;
    passImport(wasm, cursor);
    entries.push(named(module), named(short(name)), wasm.subarray(begin, cursor.at));
  }
  return Buffer.concat([number(entries.length / 3), ...entries]);
}

/** @type {(wasm: Buffer, cursor: { at: number }) => Buffer} */
function exports(wasm, cursor) {
  const entries = [];
  for (let left = leb(wasm, cursor); left > 0; left -= 1) {
    const name = string(wasm, cursor);
    const begin = cursor.at++;
    leb(wasm, cursor);
    if (!STREAMS.test(name)) entries.push(named(short(name)), wasm.subarray(begin, cursor.at));
  }
  return Buffer.concat([number(entries.length / 2), ...entries]);
}

/** Where the sources of crates lay when they were built. */
const SOURCES = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry/src/');
const LITERAL = Buffer.from(SOURCES)
  .toString('latin1')
  .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
const PATHS = new RegExp(`${LITERAL}[\\w.-]+/|/rustc/[0-9a-f]{40}/`, 'g');

/**
 * That is nobody's business: in what a panic says, slashes stand in its place, and the length stays.
 * @param {Buffer} data
 */
function blank(data) {
  for (const { 0: path, index } of data.toString('latin1').matchAll(PATHS)) {
    data.fill('/', index, index + path.length);
  }
}

const whole = readFileSync(glue, 'utf8');
const js = whole.replaceAll(CLASSES, '');
// Where the program makes one of them, it needs them.
if (js === whole || js.includes('__wrap('))
  throw new Error('the classes of wasm-streams are gone, or in use');

for (const program of programs) {
  const wasm = readFileSync(program);
  /** @type {Buffer[]} */
  const parts = [wasm.subarray(0, 8)];
  for (const { kind, begin, at, end } of sections(wasm)) {
    const cursor = { at };
    if (kind === SECTION.import) parts.push(section(kind, imports(wasm, cursor)));
    else if (kind === SECTION.export) parts.push(section(kind, exports(wasm, cursor)));
    else parts.push(wasm.subarray(begin, end));
    if (kind === SECTION.data) blank(wasm.subarray(begin, end));
  }
  writeFileSync(program, Buffer.concat(parts));
}
if (!/^let (?:\w+, )*wasm\b/m.test(js)) throw new Error('the program is kept under another name');
// An instance that has panicked is not called any more: not by its listeners, its timers, or what clears its closures away. What calls
// it gets an empty list, which is neither a value nor an error (app/src/document/start.js).
const end = 'export function end() { wasm = new Proxy({}, { get: () => () => [] }); }\n';
const words = new Set(js.match(/\b[_$\w]+\b/g));
if ([...names.values()].some((name) => words.has(name))) throw new Error('short names are taken');
writeFileSync(glue, js.replaceAll(/\b[_$\w]+\b/g, (word) => names.get(word) ?? word) + end);

// What loads the pieces of a split program is not among the files that cargo-leptos minifies.
const folder = dirname(glue);
for (const file of readdirSync(folder).filter((file) => /^__wasm_split.*\.js$/.test(file))) {
  const lines = readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .map((line) => line.trim());
  writeFileSync(
    join(folder, file),
    lines.filter((line) => line !== '' && !line.startsWith('//')).join('\n'),
  );
}
