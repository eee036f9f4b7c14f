// Has wasm-opt put functions next to each other that are alike. A view is made of the same code many times over, for each of its types,
// and what is alike takes fewer bytes with brotli the nearer it is: four hundredths of the program.
//
// wasm-opt sorts functions by their names (`--reorder-functions-by-name`, see Cargo.toml), so each has its place before its name.
import { readFileSync, writeFileSync } from 'node:fs';

import { SECTION, named, number, read, section, sections, string } from './wasm.mjs';

/** How many bytes in a row count as one piece of code, and into how many numbers the pieces of a function are condensed. */
const GRAM = 3;
const SKETCH = 48;

/**
 * A sketch of a body: of the pieces that fall into a bin, the least hash. Two bodies have as many of these in common as they have pieces
 * in common (A. Broder, "On the resemblance and containment of documents", 1997).
 * @param {Buffer} body
 */
function sketch(body) {
  const least = new Uint32Array(SKETCH).fill(0xffffffff);
  for (let at = 0; at + GRAM <= body.length; at += 1) {
    let hash = 2166136261;
    for (let next = at; next < at + GRAM; next += 1)
      hash = Math.imul(hash ^ (body[next] ?? 0), 16777619);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    hash = (hash ^ (hash >>> 13)) >>> 0;
    const bin = hash % SKETCH;
    least[bin] = Math.min(least[bin] ?? 0, Math.imul(hash, 0xc2b2ae35) >>> 0);
  }
  return least;
}

/**
 * One after the other, each time the one that is most like the last; of those that are equally alike, the one that is nearest in length.
 * @param {{ at: number, length: number, sketch: Uint32Array }[]} left
 */
function chain(left) {
  /** @type {number[]} */
  const order = [];
  left.sort((a, b) => b.length - a.length || b.at - a.at);
  for (let last = left.pop(); last !== undefined;) {
    order.push(last.at);
    let [best, most, off] = [-1, -1, 0];
    for (const [place, one] of left.entries()) {
      let same = 0;
      for (let bin = 0; bin < SKETCH; bin += 1) if (one.sketch[bin] === last.sketch[bin]) same += 1;
      const gap = Math.abs(one.length - last.length);
      if (same > most || (same === most && gap < off)) [best, most, off] = [place, same, gap];
    }
    last = best < 0 ? undefined : left.splice(best, 1)[0];
  }
  return order;
}

for (const file of process.argv.slice(2)) {
  const wasm = readFileSync(file);
  const { functions, imported } = read(wasm);
  /** @type {Map<number, Parameters<typeof chain>[0]>} */
  const types = new Map();
  for (const [at, { type, begin, length }] of functions.entries()) {
    const those = types.get(type) ?? [];
    those.push({ at, length, sketch: sketch(wasm.subarray(begin, begin + length)) });
    types.set(type, those);
  }
  const order = [...types].sort(([a], [b]) => a - b).flatMap(([, those]) => chain(those));
  const places = order
    .map((at, place) => ({
      at,
      name: `${String(place).padStart(6, '0')} ${functions[at]?.name ?? ''}`,
    }))
    .sort((a, b) => a.at - b.at);
  // The names of functions (WebAssembly Core 2 §7.4.1), by their number.
  const names = Buffer.concat([
    number(places.length),
    ...places.flatMap(({ at, name }) => [number(imported + at), named(name)]),
  ]);
  const others = [...sections(wasm)].filter(
    ({ kind, at }) => kind !== SECTION.custom || string(wasm, { at }) !== 'name',
  );
  writeFileSync(
    file,
    Buffer.concat([
      wasm.subarray(0, 8),
      ...others.map(({ begin, end }) => wasm.subarray(begin, end)),
      section(SECTION.custom, Buffer.concat([named('name'), section(1, names)])),
    ]),
  );
}
