// Token expiry with real short-lived tokens, without simulated responses.
import type { Session } from '../support/api.ts';
import { count, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

/** Long enough that a slow machine can reload a page between renewal and expiry. */
test.use({ settings: { ACCESS_TOKEN_SECONDS: '10' } });

/** The lifetime passes, and some time on a slow machine. */
const LIFETIME = { timeout: 20_000 };

// Each test waits for a lifetime.
test.beforeEach(() => {
  test.slow();
});

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
    .poll(async () => (await api.present('POST', '/api/auth/verify', access)).code, LIFETIME)
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
  const calls = watchCalls(page);
  // The token of the response: on a slow machine it may be renewed before the profile is shown.
  const answered = page.waitForResponse('/api/auth/login');
  await gatehouse.logIn(user);
  const { access_token: first } = (await (await answered).json()) as Session;
  // A 401 response would be a console error and fail this test.
  await expect
    .poll(async () => {
      await page.keyboard.press('Shift');
      return (await gatehouse.tokens()).access;
    }, LIFETIME)
    .not.toBe(first);
  expect(count(calls, 'POST /api/auth/refresh')).toBe(1);
  await gatehouse.reload();
  await gatehouse.expectProfile(user);
});
