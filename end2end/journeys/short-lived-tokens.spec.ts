// The same with tokens that really expire: nothing is played to the browser here.
import { count, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

test.use({ settings: { ACCESS_TOKEN_SECONDS: '4' } });

test('who comes back after the access token has expired is still in', async ({
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
  // The first browser is closed, so that it does not renew the session meanwhile.
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

test('who is active never meets an expired token', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const calls = watchCalls(page);
  const { access } = await gatehouse.tokens();
  // A 401 at any call would be an error in the console, and so fail this test.
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
