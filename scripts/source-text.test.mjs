import assert from 'node:assert/strict';
import { test } from 'node:test';

import { split } from './source-text.mjs';

/** @type {(file: string, text: string) => string[]} */
function layers(file, text) {
  const source = split(file, text);
  assert.ok(source);
  return [source.code, source.comments, source.strings].map((layer) =>
    layer.trim().replaceAll(/ +/g, ' '),
  );
}

test('comments of Rust are told from strings and lifetimes', () => {
  assert.deepEqual(layers('a.rs', `let url: &'a str = "https://x"; // a 'b'`), [
    `let url: &'a str = ;`,
    `// a 'b'`,
    '"https://x"',
  ]);
  assert.deepEqual(layers('a.rs', `f(r#"a "b" // c"#, '"', '\\''); /* d */ g`), [
    'f( , , ); g',
    '/* d */',
    `r#"a "b" // c"# '"' '\\''`,
  ]);
  assert.deepEqual(layers('a.rs', `attr"x"`), ['attr', '', '"x"']);
});

test('comments of scripts are told from strings and regular expressions', () => {
  assert.deepEqual(layers('a.ts', `const a = /'\\/*/.test(b / c); // d`), [
    'const a = .test(b / c);',
    '// d',
    `/'\\/*/`,
  ]);
  assert.deepEqual(layers('a.ts', 'f(`// a`)'), ['f( )', '', '`// a`']);
  assert.deepEqual(layers('scripts/a', `echo "# a" b#c # d`), ['echo b#c', '# d', '"# a"']);
});

test('every layer keeps the lines of the file, and other files are passed over', () => {
  const source = split('a.rs', '//! a\n"b\nc" // d\n');
  assert.deepEqual(
    [source?.code, source?.comments, source?.strings].map((layer) => layer?.split('\n').length),
    [4, 4, 4],
  );
  assert.equal(split('a.md', '// a'), undefined);
});
