// Token expiry with real short-lived tokens, without simulated responses.
import { count, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

test.use({ settings: { ACCESS_TOKEN_SECONDS: '4' } });

test('user returning after access token expiry stays signed in', async ({
  page,
  user,
  api,
  newContext,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401 .*\/api\/me/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { access } = await gatehouse.tokens();
  const storageState = await page.context().storageState();
  // The first browser is closed, so it does not refresh the session meanwhile.
  await page.context().close();
  await expect
    .poll(async () => (await api.present('POST', '/api/auth/verify', access)).code)
    .toBe('token_expired');

  const later = await newContext({ storageState });
  const again = new Gatehouse(await later.newPage());
  const calls = watchCalls(again.page);
  await again.open('/profile');
  await again.expectProfile(user);
  expect(count(calls, 'POST /api/auth/refresh')).toBe(1);
});

test('active user never sends an expired token', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const calls = watchCalls(page);
  const { access } = await gatehouse.tokens();
  // A 401 response would be a console error and fail this test.
  await expect
    .poll(async () => {
      await page.keyboard.press('Shift');
      return (await gatehouse.tokens()).access;
    })
    .not.toBe(access);
  expect(count(calls, 'POST /api/auth/refresh')).toBe(1);
  await gatehouse.reload();
  await gatehouse.expectProfile(user);
});
