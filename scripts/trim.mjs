// Shortens what wasm-bindgen has made, before anybody loads it: the program, and the glue that calls it and is called by it.
//
// Program and glue know each other by names such as `__wbg_append_a0566fbd42705eee`: some three hundred, in both files, with digits
// that do not compress. And wasm-streams exports classes that no page uses: an export is kept, with all that it calls.
import { readFileSync, writeFileSync } from 'node:fs';

import { SECTION, leb, named, number, passImport, section, sections, string } from './wasm.mjs';

const [program = '', glue = ''] = process.argv.slice(2);

/** Names of wasm-bindgen's, and of the closures that it calls. What a split program calls its parts by is not among them. */
const LONG = /^__(?:wbg|wbindgen|externref)_\w+$|^_ZN\w+$/;
/** Exports that belong to the classes of wasm-streams. */
const STREAMS = /^(?:__wbg_)?intounderlying(?:bytesource|sink|source)_\w+$/;
const CLASSES = /^(?:export class IntoUnderlying\w+ \{$[^]*?^\}$|if \(Symbol\.dispose\) IntoUnderlying.*$|const IntoUnderlying\w+Finalization = [^]*?;$)/gm;

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

let js = readFileSync(glue, 'utf8');
// Where the program makes one of them, it needs them.
const without = js.replaceAll(CLASSES, '');
if (without === js || without.includes('__wrap(')) throw new Error('the classes of wasm-streams are gone, or in use');
js = without;

const wasm = readFileSync(program);
const parts = [wasm.subarray(0, 8)];
for (const { kind, begin, at, end } of sections(wasm)) {
  const cursor = { at };
  const content = kind === SECTION.import ? imports(wasm, cursor) : kind === SECTION.export ? exports(wasm, cursor) : undefined;
  parts.push(content ? section(kind, content) : wasm.subarray(begin, end));
}
writeFileSync(program, Buffer.concat(parts));
writeFileSync(glue, js.replaceAll(/\b[_$\w]+\b/g, (word) => names.get(word) ?? word));
