// Reads WebAssembly programs as far as our scripts look into them, and writes numbers, names and sections (WebAssembly Core 2 §5).

export const SECTION = { custom: 0, import: 2, function: 3, export: 7, code: 10, data: 11 };
const KIND = { function: 0, table: 1, memory: 2, global: 3 };

/** @typedef {{ name: string, type: number, begin: number, length: number }} Func a function: its name, its type, where its body is */

/**
 * A number as WebAssembly writes it (unsigned LEB128).
 * @param {Buffer} wasm
 * @param {{ at: number }} cursor
 */
export function leb(wasm, cursor) {
  let [value, shift, byte] = [0, 0, 0];
  do {
    byte = wasm[cursor.at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
  } while (byte >= 0x80);
  return value;
}

/**
 * The same number, as it is written.
 * @type {(value: number) => Buffer}
 */
export function number(value) {
  const bytes = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}

/** @type {(wasm: Buffer, cursor: { at: number }) => string} */
export function string(wasm, cursor) {
  const length = leb(wasm, cursor);
  return wasm.toString('utf8', cursor.at, (cursor.at += length));
}

/** @type {(text: string) => Buffer} */
export const named = (text) => Buffer.concat([number(Buffer.byteLength(text)), Buffer.from(text)]);

/** @type {(kind: number, content: Buffer) => Buffer} */
export const section = (kind, content) =>
  Buffer.concat([Buffer.from([kind]), number(content.length), content]);

/**
 * The sections of a program: their kinds, where they begin with their kind and length, and where what is in them begins and ends.
 * @param {Buffer} wasm
 */
export function* sections(wasm) {
  for (const file = { at: 8 }; file.at < wasm.length;) {
    const begin = file.at;
    const kind = wasm[file.at++];
    const length = leb(wasm, file);
    const at = file.at;
    file.at += length;
    yield { kind, begin, at, end: file.at };
  }
}

/**
 * Passes over what an import is, and says whether it is a function.
 * @param {Buffer} wasm
 * @param {{ at: number }} cursor
 */
export function passImport(wasm, cursor) {
  const kind = wasm[cursor.at++];
  if (kind === KIND.function) {
    leb(wasm, cursor);
  } else if (kind === KIND.global) {
    cursor.at += 2;
  } else {
    // A table's type of elements, and the limits that tables and memories have.
    if (kind === KIND.table) cursor.at += 1;
    const limits = leb(wasm, cursor);
    leb(wasm, cursor);
    if (limits & 1) leb(wasm, cursor);
  }
  return kind === KIND.function;
}

/**
 * The functions of a program, how many imported ones are counted before them, and how many bytes of data it has.
 * @param {Buffer} wasm
 */
export function read(wasm) {
  /** @type {Func[]} */
  const functions = [];
  /** @type {number[]} */
  const types = [];
  /** @type {Map<number, string>} */
  const names = new Map();
  let imported = 0;
  let data = 0;
  for (const { kind, at, end } of sections(wasm)) {
    const cursor = { at };
    if (kind === SECTION.import) {
      for (let left = leb(wasm, cursor); left > 0; left -= 1) {
        string(wasm, cursor);
        string(wasm, cursor);
        if (passImport(wasm, cursor)) imported += 1;
      }
    } else if (kind === SECTION.function) {
      for (let left = leb(wasm, cursor); left > 0; left -= 1) types.push(leb(wasm, cursor));
    } else if (kind === SECTION.code) {
      for (let left = leb(wasm, cursor); left > 0; left -= 1) {
        const size = leb(wasm, cursor);
        functions.push({
          name: '',
          type: types[functions.length] ?? 0,
          begin: cursor.at,
          length: size,
        });
        cursor.at += size;
      }
    } else if (kind === SECTION.data) {
      data = end - at;
    } else if (kind === SECTION.custom && string(wasm, cursor) === 'name') {
      while (cursor.at < end) {
        const about = wasm[cursor.at++];
        const next = leb(wasm, cursor) + cursor.at;
        if (about === 1) {
          for (let left = leb(wasm, cursor); left > 0; left -= 1)
            names.set(leb(wasm, cursor), string(wasm, cursor));
        }
        cursor.at = next;
      }
    }
  }
  if (names.size === 0) throw new Error('the program has no names');
  functions.forEach((one, at) => (one.name = names.get(imported + at) ?? ''));
  return { functions, imported, data };
}
