// Every page in every state: no axe violations and no overflow, in both languages and all color
// schemes. Takes the screenshots, too: into docs/pictures/ with UPDATE_PICTURES=1, else into the
// results of the run, so that a run changes no file of the repository.
import type { Page } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { expectAccessible, expectFits, show } from '../support/accessibility.ts';
import { DESKTOP, PHONE, takePictures } from '../support/screenshots.ts';
import { newUser } from '../support/users.ts';
import { STATES, WIDTHS } from '../support/states.ts';
import { resize } from '../support/viewport.ts';
import { EN, ZH } from '../support/words.ts';

/** Viewports: a phone, and a desktop window at 200 % and 400 % zoom. */
const WINDOWS = [PHONE, { width: 640, height: 400 }, { width: 320, height: 256 }];

// Pages of mails have a form only where there is mail.
test.use({ settings: { MAIL_URL: 'folder:mail', MAIL_FROM: 'accounts@example.org' } });

// The contrast of colors in transition cannot be measured.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

/** Applies larger text and text spacing (WCAG 2.2, 1.4.4 and 1.4.12). */
async function expectRoomForText(page: Page, what: string): Promise<void> {
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }',
    );
    document.adoptedStyleSheets.push(sheet);
  });
  await expectFits(page, `${what}, with wide text`);
  await page.evaluate(() => document.adoptedStyleSheets.pop());
  await resize(page, DESKTOP);
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  await expectFits(page, `${what}, with text of twice the size`);
  await page.evaluate(() => (document.documentElement.style.fontSize = ''));
}

for (const [locale, words, colours] of [
  ['en-GB', EN, ['light', 'dark', 'forced']],
  ['zh-CN', ZH, ['light', 'dark']],
] as const) {
  test.describe(locale, () => {
    test.use({ locale });

    for (const { name, what, widths = WIDTHS, browserErrors: expected = [], top, reach } of STATES) {
      test(what, async ({ page, api, browserErrors }) => {
        // axe runs once for each color scheme, which takes its time.
        test.slow();
        browserErrors.expect(...expected);
        const gatehouse = new Gatehouse(page, words);
        await page.emulateMedia({ colorScheme: 'light' });
        await reach({ gatehouse, api });
        for (const look of colours) {
          await show(page, look);
          await expectAccessible(page, { state: name, lang: words.lang, look });
        }
        await show(page, words === EN ? 'light' : 'dark');
        const file = words === EN ? name : `${name}-zh-dark`;
        await takePictures(page, file, widths, top?.(gatehouse));
        for (const size of WINDOWS) {
          await resize(page, size);
          await expectFits(page, `${what}, ${String(size.width)} pixels`);
        }
        await expectRoomForText(page, what);
      });
    }
  });
}

test('longest names fit on a phone', async ({ page, api }) => {
  const local = newUser('a-rather-long-local-part-of-an-address').username;
  const user = { ...newUser(), username: `${local}@mail.department.example.org` };
  await api.register(user);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  for (const path of ['/profile', '/']) {
    await gatehouse.open(path);
    for (const size of WINDOWS) {
      await resize(page, size);
      await expectFits(page, `${path}, ${String(size.width)} pixels`);
    }
  }
  await expect(gatehouse.main.getByText(user.username).first()).toBeVisible();
});
