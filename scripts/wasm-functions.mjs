// Reads the functions of a WebAssembly module with their names and sizes (WebAssembly Core 2 §5).

const SECTION = { custom: 0, import: 2, code: 10, data: 11 };
const EXTERN = { function: 0, table: 1, global: 3 };
/** Subsection of the name section with the names of functions (§7.4.1). */
const FUNCTION_NAMES = 1;

class Reader {
  /** @param {Buffer} bytes */
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++] ?? 0;
  }

  /** An unsigned LEB128 number. */
  number() {
    let [value, shift, byte] = [0, 0, 0];
    do {
      byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte >= 0x80);
    return value;
  }

  string() {
    const length = this.number();
    return this.bytes.toString('utf8', this.at, (this.at += length));
  }

  /**
   * A vector: its length, and an element of that many.
   * @template T
   * @param {() => T} element
   */
  vector(element) {
    return Array.from({ length: this.number() }, element);
  }

  /** An import: returns whether it is a function. */
  import() {
    this.string();
    this.string();
    const kind = this.byte();
    if (kind === EXTERN.function) {
      this.number();
    } else if (kind === EXTERN.global) {
      this.at += 2;
    } else {
      // The element type of a table, and the limits of tables and memories.
      if (kind === EXTERN.table) this.at += 1;
      const hasMaximum = this.number() & 1;
      this.number();
      if (hasMaximum) this.number();
    }
    return kind === EXTERN.function;
  }
}

/**
 * @param {Buffer} bytes
 * @returns {{ functions: { name: string, size: number }[], data: number }} sizes in bytes
 */
export function functionSizes(bytes) {
  /** @type {number[]} */
  let sizes = [];
  /** @type {Map<number, string>} */
  const names = new Map();
  let [imported, data] = [0, 0];
  for (const file = new Reader(bytes, 8); file.at < bytes.length;) {
    const [kind, length] = [file.byte(), file.number()];
    const section = new Reader(bytes, file.at);
    const end = (file.at += length);
    if (kind === SECTION.import) {
      imported = section.vector(() => section.import()).filter(Boolean).length;
    } else if (kind === SECTION.code) {
      sizes = section.vector(() => {
        const size = section.number();
        section.at += size;
        return size;
      });
    } else if (kind === SECTION.data) {
      data = length;
    } else if (kind === SECTION.custom && section.string() === 'name') {
      while (section.at < end) {
        const [subsection, size] = [section.byte(), section.number()];
        const next = section.at + size;
        if (subsection === FUNCTION_NAMES) {
          section.vector(() => names.set(section.number(), section.string()));
        }
        section.at = next;
      }
    }
  }
  if (names.size === 0) throw new Error('the module has no name section');
  const functions = sizes.map((size, at) => ({ name: names.get(imported + at) ?? '', size }));
  return { functions, data };
}
