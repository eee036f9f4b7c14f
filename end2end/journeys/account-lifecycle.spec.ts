// The account lifecycle: registration, login, profile, logout.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { LANGUAGES } from '../support/words.ts';

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('new user registers, logs in, sees the profile, returns and logs out', async ({
      page,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      const user = newUser();

      await gatehouse.open('/register');
      await expect(page.getByRole('heading', { name: words.registerTitle })).toBeVisible();
      await gatehouse.fillRegistration(user);
      await gatehouse.registerButton.click();

      await gatehouse.expectPath('/login');
      await expect(gatehouse.status(words.registered)).toBeVisible();
      await expect(page.getByRole('heading', { name: words.loginTitle })).toBeVisible();
      await expect(gatehouse.account).toHaveValue(user.username);
      await expect(gatehouse.password).toHaveValue('');

      await gatehouse.password.fill(user.password);
      await gatehouse.loginButton.click();
      // First, as it disappears after six seconds.
      await expect(gatehouse.status(words.loggedIn)).toBeVisible();
      await gatehouse.expectProfile(user);
      for (const label of [words.issuedAt, words.expiresAt, words.tokenType]) {
        await expect(gatehouse.main.getByText(label)).toBeVisible();
      }

      await gatehouse.reload();
      await gatehouse.expectProfile(user);

      await gatehouse.logOut();
      await expect(gatehouse.status(words.loggedOut)).toBeVisible();
      await gatehouse.expectPath('/login');
      expect(await gatehouse.storage()).toEqual({ local: {}, tab: {} });
    });
  });
}

test('invariant 9: token copied before logout is rejected afterwards', async ({
  page,
  user,
  api,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { access, refresh } = await gatehouse.tokens();
  expect(await api.present('GET', '/api/me', access)).toEqual({ status: 200, code: undefined });

  await gatehouse.logOut();
  await gatehouse.expectPath('/login');

  const revoked = { status: 401, code: 'token_revoked' };
  expect(await api.present('GET', '/api/me', access)).toEqual(revoked);
  expect(await api.present('POST', '/api/auth/refresh', refresh)).toEqual(revoked);
});

test('invariant 21: page does not show tokens', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { access, refresh } = await gatehouse.tokens();
  const html = await page.content();
  expect(html).not.toContain(access);
  expect(html).not.toContain(refresh);
  expect(html).not.toContain(user.password);
});
