// Replaces generated blocks of Markdown files: between `<!-- name -->` and `<!-- /name -->`.
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * @param {string} file
 * @param {string} name
 * @param {string} text
 */
export function fill(file, name, text) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = readFileSync(file, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for ${name}`);
  writeFileSync(
    file,
    `${before.slice(0, from + begin.length)}\n${text.trim()}\n${before.slice(to)}`,
  );
}
