// Header, phone menu and unknown paths.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { resize } from '../support/viewport.ts';
import { EN, LANGUAGES, ZH } from '../support/words.ts';

const PHONE = { width: 360, height: 740 };

test('header offers login and registration to guests and marks the current page', async ({
  page,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  const link = (name: string) => gatehouse.header.getByRole('link', { name, exact: true });
  await expect(link(EN.profile)).toBeHidden();
  await expect(gatehouse.menuButton).toBeHidden();
  await expect(gatehouse.home).toHaveAttribute('aria-current', 'page');
  for (const [to, path] of [
    [link(EN.logIn), '/login'],
    [link(EN.register), '/register'],
    [gatehouse.home, '/'],
  ] as const) {
    await to.click();
    await gatehouse.expectPath(path);
    await expect(to).toHaveAttribute('aria-current', 'page');
    await expect(gatehouse.header.locator('[aria-current="page"]')).toHaveCount(1);
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
  await gatehouse.main.getByRole('link', { name: EN.register, exact: true }).click();
  await gatehouse.expectPath('/register');
  await expect(gatehouse.confirm).toBeVisible();
  await gatehouse.main.getByRole('link').click();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.loginButton).toBeVisible();
});

/** Texts of the entries of the account menu that are visible. */
function entries(gatehouse: Gatehouse): Promise<string[]> {
  return gatehouse.menu
    .locator('.nav-link')
    .evaluateAll((entries) =>
      entries.filter((entry) => entry.checkVisibility()).map((entry) => entry.textContent.trim()),
    );
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('account menu lists every place of a user and marks the current one', async ({
      page,
      user,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await expect(gatehouse.logoutButton).toBeHidden();
      await gatehouse.accountMenu(user.username).click();
      await expect(gatehouse.menu.locator('.menu-head')).toContainText(user.username);
      expect(await entries(gatehouse)).toEqual([
        words.profile,
        words.files,
        words.settings,
        words.switchAccount,
        words.logOut,
      ]);
      // Each has an icon.
      await expect(gatehouse.menu.locator('.for-member .nav-link:visible > svg')).toHaveCount(5);
      const current = page.locator('.site-header [aria-current="page"]:visible');
      for (const [name, path] of [
        [words.files, '/files'],
        [words.settings, '/settings'],
        [words.profile, '/profile'],
      ] as const) {
        await gatehouse.openMenu();
        await gatehouse.menu.getByRole('link', { name, exact: true }).click();
        await gatehouse.expectPath(path);
        await expect(gatehouse.menu).toBeHidden();
        await expect(current).toHaveText([name]);
      }
      // Pages below a place mark it, in the bar and in the menu.
      await gatehouse.open('/settings/devices');
      await gatehouse.openMenu();
      await expect(current).toHaveText([words.settings, words.settings]);
      // The entry of the current page closes the menu, too.
      await gatehouse.open('/profile');
      await gatehouse.openMenu();
      await gatehouse.menu.getByRole('link', { name: words.profile, exact: true }).click();
      await expect(gatehouse.menu).toBeHidden();
      await gatehouse.home.click();
      await gatehouse.expectPath('/');
      await expect(current).toHaveText(['Gatehouse']);
    });

    test('account menu of an administrator leads to the users', async ({
      page,
      administrator,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(administrator);
      await gatehouse.openMenu();
      await gatehouse.menu.getByRole('link', { name: words.users }).click();
      await gatehouse.expectPath('/admin/users');
      await gatehouse.openMenu();
      await expect(gatehouse.menu.locator('[aria-current="page"]')).toHaveText(words.users);
    });

    test('account switch ends the session and leads to an empty login form', async ({
      page,
      user,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await gatehouse.openMenu();
      await gatehouse.menu.getByRole('button', { name: words.switchAccount }).click();
      await gatehouse.expectPath('/login');
      await expect(gatehouse.account).toBeFocused();
      await expect(gatehouse.account).toHaveValue('');
    });
  });
}

test('name is shown in full at 768 pixels', async ({ page, user }) => {
  await resize(page, { width: 768, height: 800 });
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const name = gatehouse.menuButton.locator('.account-name');
  await expect(name).toBeVisible();
  expect(await name.evaluate((name) => name.scrollWidth - name.clientWidth)).toBe(0);
});

test.describe('on a phone', () => {
  test.use({ viewport: PHONE, hasTouch: true });

  test('header of a guest collapses into a menu that opens, navigates and closes', async ({
    page,
  }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/');
    const menu = gatehouse.header.getByRole('button', { name: EN.menu });
    const login = gatehouse.header.getByRole('link', { name: EN.logIn, exact: true });
    await expect(login).toBeHidden();
    await menu.tap();
    await expect(login).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(login).toBeHidden();
    await expect(menu).toBeFocused();
    await menu.tap();
    await login.tap();
    await gatehouse.expectPath('/login');
    await expect(gatehouse.menu).toBeHidden();
    await expect(gatehouse.account).toBeVisible();
  });

  test('account menu is one sheet below the header, over a dimmed page', async ({ page, user }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.logIn(user);
    // A tap returns before its click.
    await gatehouse.accountMenu(user.username).tap();
    await expect.poll(() => entries(gatehouse)).toEqual([
      EN.profile,
      EN.files,
      EN.settings,
      EN.switchAccount,
      EN.logOut,
    ]);
    await expect(page.locator(':popover-open')).toHaveCount(1);
    const sheet = await gatehouse.menu.boundingBox();
    expect(sheet).toMatchObject({ x: 0, width: PHONE.width });
    const backdrop = await gatehouse.menu.evaluate(
      (menu) => getComputedStyle(menu, '::backdrop').backgroundColor,
    );
    expect(backdrop).toMatch(/0\.35\)$/);
    await gatehouse.menu.getByRole('link', { name: EN.files }).tap();
    await gatehouse.expectPath('/files');
    await expect(gatehouse.menu).toBeHidden();
  });

  test('menu closes when the phone is rotated', async ({ page, user }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.logIn(user);
    const isOpen = () => gatehouse.menu.evaluate((menu) => menu.matches(':popover-open'));
    await gatehouse.accountMenu(user.username).tap();
    await expect.poll(isOpen).toBe(true);
    await resize(page, { width: PHONE.height + 120, height: PHONE.width });
    await expect.poll(isOpen).toBe(false);
    await expect(gatehouse.nav.getByRole('link', { name: EN.profile })).toBeVisible();

    // The opposite direction: the menu of the wide bar.
    await gatehouse.accountMenu(user.username).tap();
    await expect.poll(isOpen).toBe(true);
    await resize(page, PHONE);
    await expect.poll(isOpen).toBe(false);
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
