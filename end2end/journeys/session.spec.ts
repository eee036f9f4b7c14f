// Session refresh and session end in the browser.
import { count, expire, fail, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN } from '../support/words.ts';

const ME = 'GET /api/me';
const REFRESH = 'POST /api/auth/refresh';
const LOGOUT = 'DELETE /api/auth/logout';
const FILES = 'GET /api/me/files';

test.describe('an access token that has expired', () => {
  test.beforeEach(({ browserErrors }) => {
    browserErrors.expect(/status of 401 .*\/api\/me/);
  });

  test('is refreshed once and the request is repeated', async ({ page, user }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.logIn(user);
    const before = await gatehouse.tokens();
    await expire(page, before.access);
    const calls = watchCalls(page);

    await gatehouse.reload();
    await gatehouse.expectProfile(user);

    // The avatar is shown once the profile has loaded.
    expect(calls.filter((call) => call !== FILES)).toEqual([ME, REFRESH, ME]);
    const after = await gatehouse.tokens();
    expect(after.access).not.toBe(before.access);
    expect(after.refresh).not.toBe(before.refresh);
  });

  test('with a rejected refresh ends the session with one message on the login page', async ({
    page,
    user,
    browserErrors,
  }) => {
    browserErrors.expect(/status of 401 .*\/api\/auth\/refresh/);
    const gatehouse = new Gatehouse(page);
    await gatehouse.logIn(user);
    await expire(page, (await gatehouse.tokens()).access);
    await page.route('/api/auth/refresh', (route) => fail(route, 401, 'token_expired'));
    const calls = watchCalls(page);

    await page.goto('/profile?tab=2');
    await gatehouse.expectPath('/login?redirect=%2Fprofile%3Ftab%3D2');
    await expect(page.getByText(EN.sessionExpired)).toHaveCount(1);
    expect(await gatehouse.storage()).toEqual({ local: {}, tab: {} });
    expect(count(calls, REFRESH)).toBe(1);
    expect(count(calls, LOGOUT)).toBe(0);

    await page.unroute('/api/auth/refresh');
    await gatehouse.fillLogin(user);
    await gatehouse.loginButton.click();
    await gatehouse.expectPath('/profile?tab=2');
    await gatehouse.expectWelcome(user);
  });

  for (const [what, status] of [
    ['no answer', 0],
    ['a failing server', 500],
    ['a busy server', 503],
    ['too many attempts', 429],
  ] as const) {
    test(`invariant 16: with ${what} at the refresh keeps the session`, async ({
      page,
      user,
      browserErrors,
    }) => {
      browserErrors.expect(/\/api\/auth\/refresh/);
      const gatehouse = new Gatehouse(page);
      await gatehouse.logIn(user);
      const before = await gatehouse.tokens();
      await expire(page, before.access);
      await page.route('/api/auth/refresh', async (route) => {
        if (status === 0) await route.abort('connectionreset');
        else await fail(route, status, status === 429 ? 'too_many_attempts' : 'unavailable');
      });

      await gatehouse.reload();
      await expect(gatehouse.main.getByText(EN.profileFailed)).toBeVisible();
      await gatehouse.expectPath('/profile');
      expect(await gatehouse.tokens()).toEqual(before);

      await page.unroute('/api/auth/refresh');
      await gatehouse.main.getByRole('button', { name: EN.retry }).click();
      await gatehouse.expectProfile(user);
    });
  }
});

test('profile that failed to load shows an error and can be retried', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 500 .*\/api\/me/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.route('/api/me', (route) => fail(route, 500, 'internal_error'));
  await gatehouse.reload();
  await expect(gatehouse.main.getByText(EN.profileFailed)).toBeVisible();
  await expect(gatehouse.main.getByRole('button', { name: EN.switchAccount })).toBeVisible();
  await page.unroute('/api/me');
  await gatehouse.main.getByRole('button', { name: EN.retry }).click();
  await gatehouse.expectProfile(user);
});

test('session ended elsewhere ends here on the next request', async ({
  page,
  user,
  api,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { refresh } = await gatehouse.tokens();
  expect(await api.present('DELETE', '/api/auth/logout', refresh)).toMatchObject({ status: 200 });

  await page.reload();
  await gatehouse.expectPath('/login?redirect=%2Fprofile');
  expect(await gatehouse.storage()).toEqual({ local: {}, tab: {} });
});

test('logout without a reachable server ends the session locally', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/\/api\/auth\/logout/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.route('/api/auth/logout', (route) => route.abort('connectionrefused'));
  await gatehouse.logOut();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toBeVisible();
  await expect(page.getByRole('alert').filter({ hasText: /\S/ })).toBeVisible();
  expect(await gatehouse.storage()).toEqual({ local: {}, tab: {} });
});

test('logout uses the refresh token, as the access token may have expired', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { refresh } = await gatehouse.tokens();
  const [request] = await Promise.all([
    page.waitForRequest('/api/auth/logout'),
    gatehouse.logOut(),
  ]);
  expect(await request.headerValue('Authorization')).toBe(`Bearer ${refresh}`);
  await gatehouse.expectPath('/login');
});
