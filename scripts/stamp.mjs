// Marks all files of a split program with what they were built from, so that each has another name as soon as one has changed.
//
// cargo-leptos names each file by its content, but puts the names of the others in afterwards: a change of one piece would leave the
// glue its old name, and a browser that has kept it would put pieces together that do not fit.
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { SECTION, named, section } from './wasm.mjs';

const [folder = '', name = ''] = process.argv.slice(2);
const programs = readdirSync(folder).filter((file) => file.endsWith('.wasm'));
const hash = createHash('sha256');
for (const file of programs.sort()) hash.update(readFileSync(join(folder, file)));
const build = hash.digest('hex').slice(0, 16);

appendFileSync(join(folder, `${name}.js`), `export const build = "${build}";\n`);
const stamp = section(SECTION.custom, Buffer.concat([named('build'), Buffer.from(build)]));
for (const file of programs) appendFileSync(join(folder, file), stamp);
