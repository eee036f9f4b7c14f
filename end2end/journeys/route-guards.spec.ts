// Pages that are for guests, pages that are for those signed in, and the way between them.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

test('a guest who wanted a page gets there after logging in, with its query', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/profile?tab=2&x=%2F');
  await gatehouse.expectPath(`/login?redirect=${encodeURIComponent('/profile?tab=2&x=%2F')}`);
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectPath('/profile?tab=2&x=%2F');
  await gatehouse.expectWelcome(user);
});

test('login_after_a_guard_returns_to_the_fragment_of_the_page', async ({ page, user }) => {
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
    await gatehouse.logoutButton.click();
    await gatehouse.expectPath('/login');
  }
});

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

test('invariant 25: a redirect that is no path of this origin goes to the profile', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  for (const target of ELSEWHERE) {
    await gatehouse.open(`/login?redirect=${encodeURIComponent(target)}`);
    await gatehouse.expectProfile(user);
  }
});

test('invariant 25: nobody is led elsewhere by the form either', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login?redirect=%2F%2Fevil.example%2Fprofile');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
});

test('invariant 25: an address that was encoded twice is judged as it reads after decoding once', async ({
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

test("somebody signed in has no use for the guests' pages, and Back does not bounce", async ({
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

test('a guest goes back from the login page to where they came from', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  await gatehouse.open('/profile');
  await gatehouse.expectPath('/login?redirect=%2Fprofile');
  await page.goBack();
  await gatehouse.expectPath('/');
});

test("invariant 45: after logging out, Back shows nobody's data", async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/');
  await gatehouse.open('/profile');
  await gatehouse.expectProfile(user);
  await gatehouse.logoutButton.click();
  await gatehouse.expectPath('/login');
  await page.goBack();
  await expect(gatehouse.main.getByText(user.username)).toHaveCount(0);
});

test("invariant 45: the browser does not put a page away that has somebody's data", async ({
  playwright,
  server,
  user,
}) => {
  // As people have it: Playwright's own browsers put nothing away.
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

// A page that a browser has put away nevertheless hears nothing: neither messages of other tabs nor changes of what is stored.
test("invariant 45: a page that comes back out of the browser's cache after a log-out shows nobody's data", async ({
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
