// Closed registration: the page says so, and nothing leads to it.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { LANGUAGES } from '../support/words.ts';

test.use({ settings: { REGISTRATION: 'closed' } });

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('closed registration is stated, and nothing leads to it', async ({ page }) => {
      const gatehouse = new Gatehouse(page, words);
      for (const path of ['/', '/login', '/register']) {
        await gatehouse.open(path);
        await expect(page.locator('a[href="/register"]:visible')).toHaveCount(0);
        await expect(page.getByText(words.noAccount)).toBeHidden();
      }
      await expect(gatehouse.main.getByText(words.registrationClosed)).toBeVisible();
      await expect(gatehouse.registerButton).toBeHidden();
      await gatehouse.main.getByRole('link', { name: words.logIn }).click();
      await gatehouse.expectPath('/login');
      await gatehouse.main.getByRole('link', { name: words.forgotPassword }).click();
      await gatehouse.expectPath('/forgot');
    });
  });
}
