// Recent activity of the own account, and a login that was not the user's.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { LANGUAGES } from '../support/words.ts';

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('login that was not the user is ended, and the password is asked for', async ({
      page,
      user,
      newContext,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 401/);
      const thief = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await thief.logIn(user);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await gatehouse.open('/settings/security');
      const { main } = gatehouse;
      const deny = main.getByRole('button', { name: words.notMe });
      await deny.first().click();
      const dialog = page.getByRole('dialog', { name: words.notMeTitle });
      await expect(dialog.getByRole('button', { name: words.cancel })).toBeFocused();
      await dialog.getByRole('button', { name: words.notMeSubmit }).click();
      await expect(gatehouse.alert(words.notMeDone)).toBeVisible();
      await expect(main.getByLabel(words.currentPassword, { exact: true })).toBeFocused();
      await thief.reload();
      await thief.expectPath('/login?redirect=%2Fprofile');
      await gatehouse.open('/profile');
      await gatehouse.expectWelcome(user);
    });
  });
}
