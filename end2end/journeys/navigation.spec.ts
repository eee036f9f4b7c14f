// Header, phone menu and unknown paths.
import type { Locator } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN, ZH } from '../support/words.ts';

const PHONE = { width: 360, height: 740 };

test('header offers login and registration to guests and marks the current page', async ({
  page,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  const link = (name: string) => gatehouse.header.getByRole('link', { name, exact: true });
  await expect(link(EN.profile)).toBeHidden();
  await expect(gatehouse.logoutButton).toBeHidden();
  for (const [name, path] of [
    [EN.logIn, '/login'],
    [EN.register, '/register'],
    [EN.home, '/'],
  ] as const) {
    await link(name).click();
    await gatehouse.expectPath(path);
    await expect(link(name)).toHaveAttribute('aria-current', 'page');
    await expect(gatehouse.nav.locator('[aria-current="page"]')).toHaveCount(1);
  }
});

test('links navigate without reloading', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  const documents: string[] = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest()) documents.push(request.url());
  });
  await gatehouse.header.getByRole('link', { name: EN.logIn, exact: true }).click();
  await expect(gatehouse.account).toBeVisible();
  await gatehouse.header.getByRole('link', { name: EN.register, exact: true }).click();
  await expect(gatehouse.confirm).toBeVisible();
  expect(documents).toEqual([]);
});

test('login and registration link to each other', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await gatehouse.main.getByRole('link').click();
  await gatehouse.expectPath('/register');
  await expect(gatehouse.confirm).toBeVisible();
  await gatehouse.main.getByRole('link').click();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.loginButton).toBeVisible();
});

test('header shows the name and logout to signed-in users', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const link = (name: string) => gatehouse.header.getByRole('link', { name, exact: true });
  await expect(gatehouse.header.getByText(user.username)).toBeVisible();
  await expect(gatehouse.logoutButton).toBeVisible();
  await expect(link(EN.profile)).toHaveAttribute('aria-current', 'page');
  for (const name of [EN.logIn, EN.register]) await expect(link(name)).toBeHidden();
  await link(EN.home).click();
  await gatehouse.expectPath('/');
  await expect(link(EN.home)).toHaveAttribute('aria-current', 'page');
  await expect(gatehouse.main.getByText(user.username).first()).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: PHONE, hasTouch: true });

  test('header collapses into a menu that opens, navigates and closes', async ({ page }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/');
    const menu = gatehouse.header.getByRole('button', { name: EN.menu });
    const login = gatehouse.header.getByRole('link', { name: EN.logIn, exact: true });
    await expect(menu).toHaveAttribute('aria-expanded', 'false');
    await expect(login).toBeHidden();
    await menu.tap();
    await expect(menu).toHaveAttribute('aria-expanded', 'true');
    await page.keyboard.press('Escape');
    await expect(login).toBeHidden();
    await expect(menu).toBeFocused();
    await menu.tap();
    await login.tap();
    await gatehouse.expectPath('/login');
    await expect(menu).toHaveAttribute('aria-expanded', 'false');
    await expect(gatehouse.account).toBeVisible();
  });

  test('menu closes when the phone is rotated', async ({ page, user }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.logIn(user);
    const [menu, account] = [page.locator('#menu'), page.locator('#account-menu')];
    const isOpen = (popover: Locator) =>
      popover.evaluate((element) => element.matches(':popover-open'));
    await gatehouse.header.getByRole('button', { name: EN.menu }).tap();
    await gatehouse.accountMenu(user.username).tap();
    expect([await isOpen(menu), await isOpen(account)]).toEqual([true, true]);
    await page.setViewportSize({ width: PHONE.height + 120, height: PHONE.width });
    await expect.poll(() => isOpen(menu)).toBe(false);
    expect(await isOpen(account)).toBe(false);
    // The bar is in its place, not in the top layer.
    await expect(gatehouse.nav).toHaveCSS('position', 'static');
    const header = await gatehouse.header.boundingBox();
    const profile = await gatehouse.header
      .getByRole('link', { name: EN.profile, exact: true })
      .boundingBox();
    expect(profile?.y).toBeLessThan((header?.y ?? 0) + (header?.height ?? 0));

    // The opposite direction: the menu of the wide bar.
    await gatehouse.accountMenu(user.username).tap();
    expect(await isOpen(account)).toBe(true);
    await page.setViewportSize(PHONE);
    await expect.poll(() => isOpen(account)).toBe(false);
    await expect(gatehouse.header.getByRole('button', { name: EN.menu })).toHaveAttribute(
      'aria-expanded',
      'false',
    );
  });
});

test('unknown path shows a not-found page with status 404', async ({ page, browserErrors }) => {
  browserErrors.expect(/status of 404 .*\/nowhere/);
  const gatehouse = new Gatehouse(page);
  const response = await gatehouse.open('/nowhere/at/all');
  expect(response?.status()).toBe(404);
  await expect(page.getByRole('heading', { name: EN.notFound })).toBeVisible();
  await gatehouse.main.getByRole('link').first().click();
  await gatehouse.expectPath('/');
  await expect(page.getByRole('heading', { name: EN.notFound })).toHaveCount(0);
});

test('every page has its own title and language', async ({ page, user, browserErrors }) => {
  browserErrors.expect(/status of 404 .*\/nowhere/);
  const gatehouse = new Gatehouse(page);
  const titles = new Set<string>();
  const paths = ['/', '/login', '/register', '/nowhere'];
  for (const path of paths) {
    await gatehouse.open(path);
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
    titles.add(await page.title());
  }
  await gatehouse.logIn(user);
  titles.add(await page.title());
  expect(titles.size).toBe(paths.length + 1);
});

test('chosen language takes precedence over the browser setting', async ({
  page,
  context,
  server,
}) => {
  await context.addCookies([{ name: 'lang', value: 'zh', url: server.url }]);
  const gatehouse = new Gatehouse(page, ZH);
  await gatehouse.open('/login');
  await expect(page.getByRole('heading', { name: ZH.loginTitle })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh');
});
