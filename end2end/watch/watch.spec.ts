// `make watch`: each edit reaches the open page.
import { expect, test, type Page } from '@playwright/test';

import { Gatehouse } from '../support/gatehouse.ts';
import { WatchProcess } from '../support/watch-process.ts';
import { ZH } from '../support/words.ts';

const TEXTS = 'app/src/i18n/strings.rs';
const STYLE = 'style/base.css';
const HEAD = 'app/src/document/head.js';
const DOCS_STYLE = 'server/src/http/openapi/page.css';
const SERVER = 'server/src/http/static_files/serve.rs';
/** Timeout of a rebuild on a small and busy machine. */
const CHANGE_MS = 8 * 60_000;

/** Waits until the page listens for changes. */
async function listening(page: Page): Promise<void> {
  await page
    .locator('html[data-listening][data-hydrated]')
    .waitFor({ state: 'attached', timeout: CHANGE_MS });
}

/** Runs an edit and what shows that it has arrived, and says how long that took. */
async function timed(
  what: string,
  change: () => void,
  arrived: () => Promise<void>,
): Promise<void> {
  const begin = Date.now();
  change();
  await arrived();
  const description = `${what}: ${((Date.now() - begin) / 1000).toFixed(1)} s`;
  test.info().annotations.push({ type: 'change', description });
  console.log(description);
}

test('every kind of edit reaches the open page', async ({ page }) => {
  const faults: string[] = [];
  page.on('console', (message) => {
    // The socket goes with the page that is left.
    if (
      ['error', 'warning'].includes(message.type()) &&
      !/Live-reload disconnected|WebSocket/.test(message.text())
    )
      faults.push(message.text());
  });
  await page.addInitScript(() => {
    window.WebSocket = class extends WebSocket {
      constructor(...parameters: ConstructorParameters<typeof WebSocket>) {
        super(...parameters);
        this.addEventListener('open', () => (document.documentElement.dataset.listening = ''));
      }
    };
  });
  const watching = await WatchProcess.start([TEXTS, STYLE, HEAD, DOCS_STYLE, SERVER]);
  try {
    const english = new Gatehouse(page);
    await page.goto(`${watching.url}/login`);
    await listening(page);

    await test.step('a text', async () => {
      const title = page.getByRole('heading', { name: 'Log in, watched' });
      await timed(
        'a text',
        () => {
          watching.edit(TEXTS, '"Log in to your account"', '"Log in, watched"');
        },
        () => expect(title).toBeVisible({ timeout: CHANGE_MS }),
      );
      await listening(page);
      // The program in the browser knows it, too: it renders the page anew.
      await english.languageSwitch.click();
      await expect(page.locator('html')).toHaveAttribute('lang', 'zh');
      await expect(title).toBeHidden();
      await new Gatehouse(page, ZH).languageSwitch.click();
      await expect(title).toBeVisible();
    });

    await test.step('a colour, without loading the page anew', async () => {
      await english.account.fill('ada');
      await timed(
        'a style',
        () => {
          watching.edit(STYLE, '.banner {', 'h1 {\n  color: rgb(1, 2, 3);\n}\n\n.banner {');
        },
        () =>
          expect(page.getByRole('heading', { level: 1 })).toHaveCSS('color', 'rgb(1, 2, 3)', {
            timeout: CHANGE_MS,
          }),
      );
      await expect(english.account).toHaveValue('ada');
    });

    await test.step("the head's script", async () => {
      await timed(
        "the head's script",
        () => {
          watching.edit(
            HEAD,
            'const root = document.documentElement;',
            'const root = document.documentElement;\n  root.dataset.watched = "";',
          );
        },
        () => page.locator('html[data-watched]').waitFor({ state: 'attached', timeout: CHANGE_MS }),
      );
      await listening(page);
    });

    for (const [what, file, before, after, path] of [
      [
        'a style that is compiled in',
        DOCS_STYLE,
        'main {',
        '.watched {\n  color: red;\n}\nmain {',
        '/api/docs',
      ],
      [
        'Rust of the server',
        SERVER,
        '"There is no such file.\\n"',
        '"There is no such file, watched.\\n"',
        '/pkg/none',
      ],
    ] as const) {
      await test.step(what, async () => {
        await page.evaluate(() => (document.documentElement.dataset.before = ''));
        await timed(
          what,
          () => {
            watching.edit(file, before, after);
          },
          () =>
            page
              .locator('html:not([data-before])')
              .waitFor({ state: 'attached', timeout: CHANGE_MS }),
        );
        expect(await (await page.request.get(watching.url + path)).text()).toContain('watched');
        await listening(page);
      });
    }
    expect(faults).toEqual([]);
  } catch (error) {
    console.error(watching.log);
    throw error;
  } finally {
    await watching.stop();
  }
});
