// Toasts: announced, visible long enough, and closable.
import type { Locator } from '@playwright/test';

import { expire, fail } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import type { User } from '../support/users.ts';
import { resize } from '../support/viewport.ts';
import { EN } from '../support/words.ts';

/** Logs in and returns the toast at once: on a slow machine it is gone before the profile. */
async function logInToToast(gatehouse: Gatehouse, user: User): Promise<Locator> {
  await gatehouse.open('/login');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  return gatehouse.status(EN.loggedIn);
}

test('success toast stays for six seconds, and longer while hovered or focused', async ({
  page,
  user,
}) => {
  await page.clock.install();
  const gatehouse = new Gatehouse(page);
  const notice = await logInToToast(gatehouse, user);
  await notice.hover();
  // A pending request would time out.
  await gatehouse.expectProfile(user);
  await page.clock.runFor(20_000);
  await expect(notice).toBeVisible();
  await notice.getByRole('button', { name: EN.close }).focus();
  await page.mouse.move(0, 0);
  await page.clock.runFor(20_000);
  await expect(notice).toBeVisible();
  await gatehouse.colours.focus();
  await page.clock.runFor(7000);
  await expect(notice).toHaveCount(0);
});

test('error toast stays until closed, also by keyboard', async ({ page, user, browserErrors }) => {
  browserErrors.expect(/status of 401 .*\/api\/(me|auth\/refresh)/);
  await page.clock.install();
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { access } = await gatehouse.tokens();
  await expire(page, access);
  await page.route('/api/auth/refresh', (route) => fail(route, 401, 'token_expired'));
  await gatehouse.reload();
  const notice = gatehouse.alert(EN.sessionExpired);
  await expect(notice).toBeVisible();
  await page.clock.runFor(60_000);
  await expect(notice).toBeVisible();
  await notice.getByRole('button', { name: EN.close }).press('Enter');
  await expect(notice).toHaveCount(0);
});

test('Escape closes the newest toast', async ({ page, user }) => {
  await page.clock.install();
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.logOut();
  await expect(gatehouse.status(EN.loggedOut)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(gatehouse.status(EN.loggedOut)).toHaveCount(0);
});

test('toast keeps clear of the offline banner', async ({ page, user, context }) => {
  await page.clock.install();
  const gatehouse = new Gatehouse(page);
  const toast = await logInToToast(gatehouse, user);
  await toast.hover();
  await gatehouse.expectProfile(user);
  // The banner moves it away from the pointer.
  await toast.getByRole('button', { name: EN.close }).focus();
  await context.setOffline(true);
  const banner = page.locator('.banner-offline');
  await expect(banner).toContainText(EN.offline);
  await expect
    .poll(async () => {
      const [above, below] = [await banner.boundingBox(), await toast.boundingBox()];
      return (below?.y ?? 0) - ((above?.y ?? 0) + (above?.height ?? 0));
    })
    .toBeGreaterThanOrEqual(0);
  expect((await banner.boundingBox())?.y).toBe(0);
  await context.setOffline(false);
});

test('toast is compact in a window at 200 % zoom', async ({ page, user }) => {
  await page.clock.install();
  await resize(page, { width: 640, height: 400 });
  const gatehouse = new Gatehouse(page);
  const toast = await logInToToast(gatehouse, user);
  const box = await toast.boundingBox();
  expect(box?.height).toBeLessThan(60);
  expect(box?.width).toBeLessThan(360);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('page states on top what it needs', async ({ page, browserErrors }) => {
    // The program is not loaded.
    browserErrors.expect(/no answer: csp <.*\.js>/);
    await resize(page, { width: 360, height: 740 });
    await page.goto('/login');
    const banner = page.locator('.banner').filter({ hasText: EN.javascriptRequired }).last();
    await expect(banner).toBeVisible();
    expect((await banner.boundingBox())?.y).toBe(0);
    await expect(page.getByLabel(EN.username, { exact: true })).toBeVisible();
  });
});
