// Splits source files into code, comments and strings, for the checks of `make lint`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A file in three layers of the same length: in each, the characters of the other two are spaces.
 * @typedef {{ file: string, code: string, comments: string, strings: string }} Source
 */

/** Lexical forms by language. The first one that matches at a position wins. */
const FORMS = {
  c: {
    comments: [/\/\/[^\n]*/y, /\/\*[^]*?\*\//y],
    strings: [
      /b?r(#*)"[^]*?"\1/y,
      /b?"(?:\\[^]|[^"\\])*"/y,
      /b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\\n])'/y,
    ],
  },
  js: {
    comments: [/\/\/[^\n]*/y, /\/\*[^]*?\*\//y],
    strings: [
      /'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*"|`(?:\\[^]|[^`\\])*`/y,
      /(?<=(?:[=(,:[!&|?{};]|return|=>)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y,
    ],
  },
  shell: {
    comments: [/(?<=^|[\n\s])#(?!!)[^\n]*/y],
    strings: [/'[^']*'|"(?:\\[^]|[^"\\])*"/y],
  },
};

/** @type {[RegExp, keyof typeof FORMS][]} */
const LANGUAGES = [
  [/\.rs$/, 'c'],
  [/\.(?:ts|mjs|js)$/, 'js'],
  [/\.css$/, 'js'],
  [/\.(?:sh|toml|py)$|^Makefile$|^scripts\/[\w/-]+$|^\.ci\//, 'shell'],
];

/**
 * @param {string} file
 * @param {string} text
 * @returns {Source | undefined} undefined for a language that is not known
 */
export function split(file, text) {
  const language = LANGUAGES.find(([name]) => name.test(file))?.[1];
  if (language === undefined) return undefined;
  const forms = FORMS[language];
  const blank = text.replaceAll(/[^\n]/g, ' ');
  const layers = { code: '', comments: '', strings: '' };
  /** @type {(layer: keyof typeof layers, from: number, to: number) => void} */
  const put = (layer, from, to) => {
    for (const each of /** @type {const} */ (['code', 'comments', 'strings'])) {
      layers[each] += (each === layer ? text : blank).slice(from, to);
    }
  };
  let start = 0;
  for (let at = 0; at < text.length;) {
    const [layer, end] = match(forms, text, at);
    if (layer === undefined) {
      at += 1;
    } else {
      put('code', start, at);
      put(layer, at, end);
      start = at = end;
    }
  }
  put('code', start, text.length);
  return { file, ...layers };
}

/**
 * @param {{ comments: RegExp[], strings: RegExp[] }} forms
 * @param {string} text
 * @param {number} at
 * @returns {['comments' | 'strings' | undefined, number]} the layer of what begins there, and its end
 */
function match(forms, text, at) {
  // Only these can begin a comment or a string; `r` and `b` are prefixes in Rust, not ends of identifiers.
  if (
    !/[/"'`#rb]/.test(text[at] ?? '') ||
    (/[rb]/.test(text[at] ?? '') && /\w/.test(text[at - 1] ?? ''))
  )
    return [undefined, at];
  for (const layer of /** @type {const} */ (['comments', 'strings'])) {
    for (const form of forms[layer]) {
      form.lastIndex = at;
      if (form.test(text)) return [layer, form.lastIndex];
    }
  }
  return [undefined, at];
}

/**
 * The source files of the repository, those of `git ls-files`.
 * @returns {Source[]}
 */
export function sources() {
  const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0');
  return files.flatMap((file) => {
    if (!LANGUAGES.some(([name]) => name.test(file))) return [];
    try {
      return split(file, readFileSync(file, 'utf8')) ?? [];
    } catch {
      return []; // deleted, and not committed yet
    }
  });
}
