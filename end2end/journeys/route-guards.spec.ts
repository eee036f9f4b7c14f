// Route guards: guest pages, authenticated pages and the redirects between them.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { LANGUAGES } from '../support/words.ts';

test('login after a guard returns to the page with its query', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/profile?tab=2&x=%2F');
  await gatehouse.expectPath(`/login?redirect=${encodeURIComponent('/profile?tab=2&x=%2F')}`);
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectPath('/profile?tab=2&x=%2F');
  await gatehouse.expectWelcome(user);
});

test('login after a guard returns to the fragment of the page', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  for (const path of [
    '/settings/profile#mobile',
    '/profile?tab=2#a%20b',
    '/files#//evil.example',
  ]) {
    await gatehouse.open(path);
    await gatehouse.expectPath(`/login?redirect=${encodeURIComponent(path)}`);
    await gatehouse.fillLogin(user);
    await gatehouse.loginButton.click();
    await gatehouse.expectPath(path);
    await gatehouse.logOut();
    await gatehouse.expectPath('/login');
  }
});

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('login page after a guard names the page that it is for', async ({ page }) => {
      const gatehouse = new Gatehouse(page, words);
      const purpose = gatehouse.main.locator('.lead');
      for (const [path, title] of [
        ['/profile', words.profile],
        ['/settings/devices?x=1#y', words.sectionDevices],
        ['/admin/users?sort=username', words.users],
      ] as const) {
        await gatehouse.open(path);
        await expect(purpose).toHaveText(words.logInFor(title));
        // The server renders it, too.
        await gatehouse.reload();
        await expect(purpose).toHaveText(words.logInFor(title));
      }
      for (const target of ['', '/', '/nowhere', '//evil.example/profile']) {
        await gatehouse.open(`/login?redirect=${encodeURIComponent(target)}`);
        await expect(purpose).toBeHidden();
      }
    });
  });
}

const ELSEWHERE = [
  '//evil.example',
  '/\\evil.example',
  'https://evil.example/profile',
  'javascript:alert(1)',
  '/\t/evil.example',
  '/login',
  '/login?redirect=/login',
  '/login#/profile',
  '//evil.example#/profile',
  '#/profile',
  '/register',
  '/api/me',
  'profile',
  '',
];

test('invariant 25: redirect to anything but a path of this origin goes to the profile', async ({
  page,
  user,
}) => {
  // A page load for each target.
  test.slow();
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  for (const target of ELSEWHERE) {
    await gatehouse.open(`/login?redirect=${encodeURIComponent(target)}`);
    await gatehouse.expectProfile(user);
  }
});

test('invariant 25: login form redirects only within the origin', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login?redirect=%2F%2Fevil.example%2Fprofile');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
});

test('invariant 25: doubly encoded redirect is judged after decoding once', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open(
    `/login?redirect=${encodeURIComponent(encodeURIComponent('//evil.example'))}`,
  );
  await gatehouse.expectProfile(user);
});

test('signed-in user is redirected from guest pages, and Back does not loop', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  for (const path of ['/login', '/register']) {
    await gatehouse.open('/');
    await gatehouse.open(path);
    await gatehouse.expectProfile(user);
    await page.goBack();
    await gatehouse.expectPath('/');
  }
  await gatehouse.open('/login?redirect=%2F');
  await gatehouse.expectPath('/');
});

test('Back from the login page returns to the previous page', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  await gatehouse.open('/profile');
  await gatehouse.expectPath('/login?redirect=%2Fprofile');
  await page.goBack();
  await gatehouse.expectPath('/');
});

test('invariant 45: Back after logout shows no user data', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/');
  await gatehouse.open('/profile');
  await gatehouse.expectProfile(user);
  await gatehouse.logOut();
  await gatehouse.expectPath('/login');
  await page.goBack();
  await expect(gatehouse.main.getByText(user.username)).toHaveCount(0);
});

test('invariant 45: page with user data is not kept in the back-forward cache', async ({
  playwright,
  server,
  user,
}) => {
  // With the back-forward cache, which Playwright's own browsers switch off.
  const browser = await playwright.chromium.launch({
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
  const page = await browser.newPage({ baseURL: server.url });
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.goto('/api/docs');
  await page.goBack();
  await gatehouse.expectProfile(user);
  const why = await page.evaluate(() => {
    const [entry] = performance.getEntriesByType('navigation');
    return JSON.stringify(
      (entry as PerformanceEntry & { notRestoredReasons?: unknown }).notRestoredReasons,
    );
  });
  expect(why).toContain('no-store');
  await browser.close();
});

// A page in the back-forward cache receives neither messages of other tabs nor storage events.
test('invariant 45: page restored from the back-forward cache after logout shows no user data', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.evaluate(() => {
    for (const key of ['access_token', 'refresh_token', 'user']) localStorage.removeItem(key);
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
  });
  await gatehouse.expectPath('/login?redirect=%2Fprofile');
  await expect(page.getByText(user.username)).toHaveCount(0);
});
