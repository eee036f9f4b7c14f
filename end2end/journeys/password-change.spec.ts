// Password change: this session continues, all others end with the reason.
import type { Page } from '@playwright/test';

import { count, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { PASSWORD, type User } from '../support/users.ts';
import { LANGUAGES, type Strings } from '../support/words.ts';

const CHANGE = 'POST /api/me/password';
/** The server's log is searched for it, as for `PASSWORD`. */
const ANOTHER = `another-${PASSWORD}`;

function form(page: Page, words: Strings) {
  const main = page.getByRole('main');
  return {
    current: main.getByLabel(words.currentPassword, { exact: true }),
    password: main.getByLabel(words.newPassword, { exact: true }),
    again: main.getByLabel(words.passwordAgain, { exact: true }),
    submit: main.getByRole('button', { name: words.changePassword, exact: true }),
  };
}

async function fill(page: Page, words: Strings, current: string, password: string): Promise<void> {
  const fields = form(page, words);
  await fields.current.fill(current);
  await fields.password.fill(password);
  await fields.again.fill(password);
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('password change keeps this session and ends the others', async ({
      api,
      user,
      newContext,
      newTab,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 401 .*\/api\/(me|auth\/refresh)/);
      // The token of an earlier login is not fresh: the form itself asks for the password, once.
      const session = await api.refresh(await api.login(user));
      const page = await newTab(session, { locale });
      const gatehouse = new Gatehouse(page, words);
      const elsewhere = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await elsewhere.logIn(user);

      await gatehouse.open('/settings/security');
      const { current, password, submit } = form(page, words);
      await fill(page, words, PASSWORD, ANOTHER);
      await expect(gatehouse.main.getByText(words.strengthStrong)).toBeVisible();
      await submit.click();
      await expect(gatehouse.status(words.passwordChanged)).toBeVisible();
      await expect(page.getByRole('dialog')).toBeHidden();
      for (const field of [current, password]) await expect(field).toHaveValue('');
      // The strength meter follows the field, also if it is cleared by script.
      await expect(gatehouse.main.locator('.meter')).not.toHaveAttribute('data-step');
      await expect(gatehouse.main.getByText(words.strengthStrong)).toHaveCount(0);

      await elsewhere.reload();
      await elsewhere.expectPath('/login?redirect=%2Fprofile');
      await expect(elsewhere.alert(words.sessionPasswordChanged)).toBeVisible();
      await gatehouse.open('/profile');
      await gatehouse.expectWelcome(user);
      const changed: User = { ...user, password: ANOTHER };
      await elsewhere.fillLogin(changed);
      await elsewhere.loginButton.click();
      await elsewhere.expectProfile(user);
    });

    test('password change with invalid fields shows errors and changes nothing', async ({
      page,
      user,
      browserErrors,
    }) => {
      browserErrors.expect(
        /status of 401 .*\/api\/auth\/reauthenticate/,
        /status of 400 .*\/api\/me\/password/,
      );
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await gatehouse.open('/settings/security');
      const calls = watchCalls(page);
      const { current, password, again, submit } = form(page, words);
      await submit.click();
      await expect(current).toBeFocused();
      await expect(current).toHaveAccessibleDescription(words.problems.passwordMissing);
      await expect(password).toHaveAccessibleDescription(words.problems.newPasswordMissing);
      await current.fill('not this one');
      await password.fill('short');
      await again.fill('shorter');
      await submit.click();
      await expect(password).toHaveAccessibleDescription(words.problems.passwordTooShort);
      await expect(again).toHaveAccessibleDescription(words.problems.passwordMismatch);
      expect(calls).toEqual([]);

      await fill(page, words, 'not this one', ANOTHER);
      await submit.click();
      await expect(current).toBeFocused();
      await expect(current).toHaveAccessibleDescription(words.wrongPassword);
      expect(count(calls, CHANGE)).toBe(0);
      await fill(page, words, PASSWORD, 'passwordpassword');
      await submit.click();
      await expect(password).toBeFocused();
      await expect(password).toHaveAccessibleDescription(words.problems.passwordCommon);
      await expect(page.getByRole('alert')).toHaveCount(0);
      await gatehouse.reload();
      await gatehouse.expectPath('/settings/security');
    });
  });
}
