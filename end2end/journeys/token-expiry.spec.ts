// Token expiry during sleep, inactivity and network outages. Only the page's clock is moved: a page
// counts lifetimes from the receipt of its tokens. No request is pending at a jump: it would time
// out.
import { count, fail, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN } from '../support/words.ts';

const ME = 'GET /api/me';
const REFRESH = 'POST /api/auth/refresh';
const FILES = 'GET /api/me/files';

test.beforeEach(async ({ page }) => {
  await page.clock.install();
});

test('idle page does not refresh, and a returning user is refreshed before any failure', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const before = await gatehouse.tokens();
  const calls = watchCalls(page);
  // Past the time at which an active user's token is refreshed.
  await page.clock.fastForward('14:00');
  // A request without user activity: once it is answered, a refresh would have been sent.
  await page.evaluate(() => document.querySelector<HTMLAnchorElement>('.site-header a[href="/"]')?.click());
  await gatehouse.expectPath('/');
  await page.evaluate(() =>
    document.querySelector<HTMLAnchorElement>('.site-header a[href="/profile"]')?.click(),
  );
  await gatehouse.expectProfile(user);
  expect(calls.filter((call) => call !== FILES)).toEqual([ME]);
  expect(await gatehouse.tokens()).toEqual(before);

  await page.keyboard.press('Shift');
  await expect.poll(async () => (await gatehouse.tokens()).refresh).not.toBe(before.refresh);
  expect(count(calls, REFRESH)).toBe(1);
});

test('active user is refreshed two minutes before expiry', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const before = await gatehouse.tokens();
  const calls = watchCalls(page);
  await page.clock.fastForward('12:30');
  await page.keyboard.press('Shift');
  await gatehouse.home.click();
  await gatehouse.nav.getByRole('link', { name: EN.profile }).click();
  await gatehouse.expectProfile(user);
  expect(count(calls, REFRESH)).toBe(0);
  // The timer only.
  await page.clock.fastForward('00:40');
  await expect.poll(async () => (await gatehouse.tokens()).refresh).not.toBe(before.refresh);
  expect(count(calls, REFRESH)).toBe(1);
});

test('wake-up without network waits for it and continues', async ({
  page,
  context,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/ERR_INTERNET_DISCONNECTED/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const before = await gatehouse.tokens();
  const calls = watchCalls(page);
  await context.setOffline(true);
  await page.clock.fastForward('08:00:00');
  await expect(page.getByRole('status').getByText(EN.offline)).toBeVisible();
  await page.keyboard.press('Shift');
  await expect.poll(() => count(calls, REFRESH)).toBe(1);
  // The failure has arrived, which begins the wait before the next attempt.
  await gatehouse.expectIdle();
  // The client backs off during outages.
  await page.keyboard.press('Shift');
  await gatehouse.expectPath('/profile');
  expect(await gatehouse.tokens()).toEqual(before);
  expect(count(calls, REFRESH)).toBe(1);

  // No user action is needed: the `online` event suffices.
  await context.setOffline(false);
  await expect.poll(async () => (await gatehouse.tokens()).refresh).not.toBe(before.refresh);
  expect(count(calls, REFRESH)).toBe(2);
  await gatehouse.reload();
  await gatehouse.expectProfile(user);
});

test('failed early refresh is retried silently', async ({ page, user, browserErrors }) => {
  browserErrors.expect(/status of 500 .*\/api\/auth\/refresh/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const before = await gatehouse.tokens();
  const calls = watchCalls(page);
  await page.route('/api/auth/refresh', (route) => fail(route, 500, 'internal_error'));
  const failed = page.waitForResponse('/api/auth/refresh');
  await page.clock.fastForward('13:30');
  await page.keyboard.press('Shift');
  await failed;
  // The page has processed the response, which sets the time of the next attempt.
  await gatehouse.expectIdle();
  expect(count(calls, REFRESH)).toBe(1);
  await expect(page.getByRole('alert').filter({ hasText: /\S/ })).toHaveCount(0);
  expect(await gatehouse.tokens()).toEqual(before);

  await page.unroute('/api/auth/refresh');
  await page.clock.fastForward('00:20');
  await expect.poll(async () => (await gatehouse.tokens()).refresh).not.toBe(before.refresh);
  await gatehouse.expectProfile(user);
});
