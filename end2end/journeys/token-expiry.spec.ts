// Time that goes by while nobody looks: a lid that was closed, a person who has left, a network that was away. The page's clock
// is moved here; the server's is not, and need not be: a page counts from when it has received its tokens.
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

test('who has left the page open is not kept signed in by it; who comes back is, before anything fails', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const before = await gatehouse.tokens();
  const calls = watchCalls(page);
  // The time at which the token of somebody who is there would be renewed, and more.
  await page.clock.fastForward('14:00');
  // A call that nobody's hand has made: by the time it is answered, a renewal would have been sent.
  await page.evaluate(() => document.querySelector<HTMLAnchorElement>('nav a[href="/"]')?.click());
  await gatehouse.expectPath('/');
  await page.evaluate(() =>
    document.querySelector<HTMLAnchorElement>('nav a[href="/profile"]')?.click(),
  );
  await gatehouse.expectProfile(user);
  expect(calls.filter((call) => call !== FILES)).toEqual([ME]);
  expect(await gatehouse.tokens()).toEqual(before);

  await page.keyboard.press('Shift');
  await expect.poll(async () => (await gatehouse.tokens()).refresh).not.toBe(before.refresh);
  expect(count(calls, REFRESH)).toBe(1);
});

test('who is active is renewed two minutes ahead, and not before', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const before = await gatehouse.tokens();
  const calls = watchCalls(page);
  await page.clock.fastForward('12:30');
  await page.keyboard.press('Shift');
  await gatehouse.nav.getByRole('link', { name: EN.home }).click();
  await gatehouse.nav.getByRole('link', { name: EN.profile }).click();
  await gatehouse.expectProfile(user);
  expect(count(calls, REFRESH)).toBe(0);
  // The timer alone.
  await page.clock.fastForward('00:40');
  await expect.poll(async () => (await gatehouse.tokens()).refresh).not.toBe(before.refresh);
  expect(count(calls, REFRESH)).toBe(1);
});

test('a machine that wakes up without a network waits for it, and goes on', async ({
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
  await expect(page.getByRole('status').getByText(EN.connectionLost)).toBeVisible();
  await page.keyboard.press('Shift');
  await expect.poll(() => count(calls, REFRESH)).toBe(1);
  // Outages are not made worse.
  await page.keyboard.press('Shift');
  await gatehouse.expectPath('/profile');
  expect(await gatehouse.tokens()).toEqual(before);
  expect(count(calls, REFRESH)).toBe(1);

  // Nobody has to do anything: that the network is back is enough.
  await context.setOffline(false);
  await expect.poll(async () => (await gatehouse.tokens()).refresh).not.toBe(before.refresh);
  expect(count(calls, REFRESH)).toBe(2);
  await gatehouse.reload();
  await gatehouse.expectProfile(user);
});

test('a renewal that fails ahead of time is tried again, and is no news', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 500 .*\/api\/auth\/refresh/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const before = await gatehouse.tokens();
  const calls = watchCalls(page);
  await page.route('/api/auth/refresh', (route) => fail(route, 500, 'internal_error'));
  await page.clock.fastForward('13:30');
  await page.keyboard.press('Shift');
  await expect.poll(() => count(calls, REFRESH)).toBe(1);
  await expect(page.getByRole('alert').filter({ hasText: /\S/ })).toHaveCount(0);
  expect(await gatehouse.tokens()).toEqual(before);

  await page.unroute('/api/auth/refresh');
  await page.clock.fastForward('00:20');
  await expect.poll(async () => (await gatehouse.tokens()).refresh).not.toBe(before.refresh);
  await gatehouse.expectProfile(user);
});
