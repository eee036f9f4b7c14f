import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';

import { fill } from '../../scripts/markdown-blocks.mjs';
import { AXE_RESULT, type AxeResult } from './accessibility.ts';
import { STATES, WIDTHS, type State } from './states.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/pages.md');
/** A run that takes screenshots also writes the summary to docs/. */
const UPDATES = process.env.UPDATE_PICTURES === '1';

const COLUMNS: [title: string, lang: string, look: AxeResult['look']][] = [
  ['en, light', 'en', 'light'],
  ['en, dark', 'en', 'dark'],
  ['en, forced colours', 'en', 'forced'],
  ['zh, light', 'zh', 'light'],
  ['zh, dark', 'zh', 'dark'],
];

/** Reporter that sums up axe's results: violations by state, language and color scheme. */
export default class Summary implements Reporter {
  readonly #looks: AxeResult[] = [];

  onTestEnd(_test: TestCase, { annotations }: TestResult): void {
    for (const { type, description = '' } of annotations) {
      if (type === AXE_RESULT) this.#looks.push(JSON.parse(description) as AxeResult);
    }
  }

  onEnd(): void {
    if (this.#looks.length === 0) return;
    const table = this.#table();
    mkdirSync(join(ROOT, 'end2end/results'), { recursive: true });
    writeFileSync(join(ROOT, 'end2end/results/accessibility.md'), table);
    if (!UPDATES) return;
    fill(PAGE, 'axe', table);
    fill(PAGE, 'pictures', STATES.map(gallery).join('\n\n'));
  }

  #table(): string {
    const rows = STATES.map(({ name, what }) => {
      const looks = this.#looks.filter(({ state }) => state === name);
      const cells = COLUMNS.map(([, lang, look]) => {
        const found = looks.find((one) => one.lang === lang && one.look === look);
        return found === undefined ? '–' : String(found.violations);
      });
      const rules = Math.max(0, ...looks.map((look) => look.rules));
      return `| ${[what, ...cells, String(rules)].join(' | ')} |`;
    });
    const violations = this.#looks.reduce((sum, look) => sum + look.violations, 0);
    const head = ['state', ...COLUMNS.map(([title]) => title), 'rules that apply'];
    return [
      `axe-core ${axeVersion()}, ${String(this.#looks.length)} checks: **${String(violations)} violations**.`,
      '',
      `| ${head.join(' | ')} |`,
      `| --- |${' ---: |'.repeat(head.length - 1)}`,
      ...rows,
      '',
    ].join('\n');
  }
}

/** The screenshots of a state, side by side. */
function gallery({ name, what, widths = WIDTHS }: State): string {
  const picture = (file: string, how: string, width: number): string =>
    `<img src="pictures/${file}-${String(width)}.png" alt="${what}, ${how}, ${String(width)} pixels wide" width="${String(width / 4)}">`;
  const pictures = widths.flatMap((width) => [
    picture(name, 'light, English', width),
    picture(`${name}-zh-dark`, 'dark, Chinese', width),
  ]);
  return [`### ${what.charAt(0).toUpperCase()}${what.slice(1)}`, '', ...pictures].join('\n');
}

function axeVersion(): string {
  const manifest = createRequire(import.meta.url).resolve('axe-core/package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
