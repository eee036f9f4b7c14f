// Empties functions that are in the program and never run, so that wasm-opt can take away what only they need.
//
// Leptos can wake a page up in two ways: at once (`hydrate_body`, ours), and lazily, as code that is split arrives
// (`hydrate_lazy`). Every view carries the code of both. The second is a twentieth of what every visitor would load.
import { readFileSync, writeFileSync } from 'node:fs';

import { read } from './wasm.mjs';

// By their own names alone: what cleans up after them may have been merged with what cleans up after others. A program that is split
// has its names as the compiler mangles them.
const NEVER =
  /^(?!core).*::hydrate_async(?:::\{\{closure\}\})*(?:::h[0-9a-f]{16})?$|^_ZN(?!4core).*13hydrate_async(?:28_\$u7b\$\$u7b\$closure\$u7d\$\$u7d\$)*17h[0-9a-f]{16}E$/;

let snipped = 0;
for (const file of process.argv.slice(2)) {
  const wasm = readFileSync(file);
  for (const { name, begin, length } of read(wasm).functions) {
    if (!NEVER.test(name) || length < 3) continue;
    // No locals, `unreachable`, and nothing after it that does anything. The length stays, so nothing else has to move.
    wasm.fill(0x01, begin, begin + length);
    wasm[begin] = 0x00;
    wasm[begin + 1] = 0x00;
    wasm[begin + length - 1] = 0x0b;
    snipped += 1;
  }
  writeFileSync(file, wasm);
}
if (snipped === 0)
  throw new Error('there is nothing to snip: the program has changed, or its names are gone');
