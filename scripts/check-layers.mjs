// Checks that dependencies between the top-level modules of `app` and `server` point one way: no two modules import each other, and
// none imports one of a later layer. Tests are left out: they may reach anywhere.
import { sources } from './source-text.mjs';

/**
 * Layers from the bottom up: a module may import those of its own layer and of the ones before.
 * @type {Record<string, string[][]>}
 */
const LAYERS = {
  app: [
    ['validation', 'i18n', 'protocol', 'dom', 'browser_value'],
    ['backend', 'session'],
    ['page_settings', 'routes'],
    ['server_fns', 'guards'],
    ['components'],
    ['pages'],
    ['document', 'lib'],
  ],
  server: [
    ['clock', 'network', 'failure', 'metrics', 'task'],
    ['domain', 'store', 'objects'],
    ['accounts', 'sessions', 'tokens', 'files', 'limits', 'mail', 'pictures', 'cache'],
    ['http', 'commands', 'config', 'log', 'startup'],
    ['main', 'lib'],
  ],
};

/** @typedef {{ from: string, to: string, where: string }} Import */

const all = sources();

for (const [crate, layers] of Object.entries(LAYERS)) {
  const imports = importsOf(crate);
  const modules = new Set(imports.flatMap(({ from, to }) => [from, to]));
  const has = (/** @type {string} */ from, /** @type {string} */ to) =>
    imports.some((one) => one.from === from && one.to === to);
  const circles = [...modules]
    .sort()
    .flatMap((a) =>
      [...modules].filter((b) => a < b && has(a, b) && has(b, a)).map((b) => `${a} <-> ${b}`),
    );
  const rank = (/** @type {string} */ module) =>
    layers.findIndex((layer) => layer.includes(module));
  const unknown = [...modules].filter((module) => rank(module) < 0);
  const upward = imports.filter(({ from, to }) => rank(from) >= 0 && rank(from) < rank(to));
  const pairs = [...new Set(upward.map(({ from, to }) => `${from} -> ${to}`))];
  say(circles.length, `${crate}: pairs of modules that import each other`, circles);
  say(pairs.length, `${crate}: pairs of modules against the order of layers`, pairs);
  say(unknown.length, `${crate}: modules without a layer`, unknown);
  for (const { from, to, where } of upward) console.log(`     ${where}: ${from} -> ${to}`);
}

/** @type {(found: number, name: string, which: string[]) => void} */
function say(found, name, which) {
  if (found > 0) process.exitCode = 1;
  console.log(
    `${found > 0 ? 'OVER' : 'ok  '} ${name}: ${String(found)}; bound: 0${found > 0 ? ` (${which.join(', ')})` : ''}`,
  );
}

/**
 * Imports between top-level modules of a crate.
 * @param {string} crate
 */
function importsOf(crate) {
  const root = `${crate}/src/`;
  const own = all.filter(({ file }) => file.startsWith(root) && file.endsWith('.rs'));
  const modules = new Set(own.map(({ file }) => file.slice(root.length).split(/[/.]/)[0] ?? ''));
  /** @type {Import[]} */
  const imports = [];
  for (const { file, code } of own) {
    const path = file.slice(root.length, -'.rs'.length).split('/');
    if (path.includes('tests')) continue;
    if (path.at(-1) === 'mod') path.pop();
    const from = path[0] ?? '';
    // A test module is the last item of its file.
    // `super` in a macro is relative to its callers.
    const product = code
      .replace(/#\[cfg\((?:all\()?test\b[^]*?\bmod \w+ \{[^]*/, '')
      .replaceAll(/^macro_rules! [^]*?^\}/gm, (macro) => macro.replaceAll('super::', '       '));
    /** @type {(to: string, at: number) => void} */
    const add = (to, at) => {
      const line = product.slice(0, at).split('\n').length;
      const module = modules.has(to) ? to : 'lib';
      if (module !== from && from !== 'main')
        imports.push({ from, to: module, where: `${file}:${String(line)}` });
    };
    const above = from === 'lib' ? '' : `|${'super::'.repeat(path.length)}`;
    for (const found of product.matchAll(
      new RegExp(`(?<![\\w:$])(?:crate::${above})(?:(\\w+)|\\{)`, 'g'),
    )) {
      if (found[1] !== undefined) add(found[1], found.index);
      else for (const to of group(product, found.index + found[0].length)) add(to, found.index);
    }
  }
  return imports;
}

/**
 * The first segments of a group of imports, `a` and `b` of `{a::x, b::{y, z}}`.
 * @param {string} code
 * @param {number} start behind the opening brace
 */
function group(code, start) {
  const names = [];
  let depth = 1;
  for (let at = start; depth > 0 && at < code.length; at += 1) {
    const name =
      depth === 1 && /[{,]\s*$/.test(code.slice(Math.max(0, at - 80), at))
        ? /^\w+/.exec(code.slice(at, at + 80))?.[0]
        : undefined;
    if (name !== undefined) names.push(name);
    if (code[at] === '{') depth += 1;
    if (code[at] === '}') depth -= 1;
  }
  return names;
}
