// Browsers whose environment language is no BCP 47 tag: `Intl` throws for those.
import type { Page } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { file, png } from '../support/pictures.ts';
import { LANGUAGES } from '../support/words.ts';

const PATHS = ['/profile', '/settings/devices', '/settings/profile', '/files', '/admin/users'];

/** Overrides the language that the browser reports. */
async function speak(page: Page, tag: string): Promise<void> {
  await page.addInitScript((tag) => {
    Object.defineProperties(Navigator.prototype, {
      language: { get: () => tag },
      languages: { get: () => Object.freeze([tag]) },
    });
  }, tag);
}

/** Times on the page: their text and their `datetime` attribute. */
function times(page: Page): Promise<[text: string, machines: string][]> {
  return page
    .locator('main time')
    .evaluateAll((times) =>
      times.map((time): [string, string] => [
        time.textContent,
        time.getAttribute('datetime') ?? '',
      ]),
    );
}

for (const [locale, words] of LANGUAGES) {
  for (const tag of ['en-US@posix', 'en_US', 'zh_CN', 'zh-CN.UTF-8', 'C', '']) {
    test.describe(`${locale} with the language "${tag}"`, () => {
      // The server uses the header, whatever its form.
      test.use({
        locale,
        extraHTTPHeaders: { 'Accept-Language': words.lang === 'zh' ? 'zh_CN' : 'en-US@posix' },
      });

      test('times and sizes use the language of the page', async ({ page, administrator, api }) => {
        // A page load for each path.
        test.slow();
        await speak(page, tag);
        const gatehouse = new Gatehouse(page, words);
        // A second session.
        await api.login(administrator);
        await gatehouse.logIn(administrator);
        expect(await page.evaluate(() => navigator.language)).toBe(tag);
        const upload = gatehouse.main.locator('.files-tools input[type="file"]');
        await upload.setInputFiles(file('wide.png', png(64, 20)));
        await expect(gatehouse.main.locator('.tile-size')).toHaveText('1 KB');
        for (const path of PATHS) {
          await gatehouse.open(path);
          await expect(gatehouse.main.locator('[aria-busy="true"]:visible')).toHaveCount(0);
          for (const [text, machines] of await times(page)) {
            expect(text, path).not.toMatch(/^$|Invalid/);
            expect(machines, path).toMatch(/^\d{4}-\d\d-\d\dT/);
          }
        }
        await gatehouse.open('/profile');
        await gatehouse.expectWelcome(administrator);
        const year =
          words.lang === 'zh' ? /\d{4}年\d{1,2}月\d{1,2}日/ : /[A-Z][a-z]{2} \d{1,2}, \d{4}/;
        await expect(gatehouse.main.locator('.card-since')).toHaveText(year);
        await gatehouse.open('/settings/devices');
        // When each began; when it was last active only if that is a while ago.
        await expect(gatehouse.main.locator('.device:has(time)')).toHaveCount(2);
      });
    });
  }
}
