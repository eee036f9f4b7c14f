// Pages before hydration, and pages that are never hydrated.
import { hold, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { EN, ZH } from '../support/words.ts';

const WASM = '**/*.wasm';

test('login form submitted before hydration is sent afterwards', async ({ page, user, server }) => {
  const gatehouse = new Gatehouse(page);
  const release = await hold(page, WASM);
  const calls = watchCalls(page);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await gatehouse.fillLogin(user);
  await gatehouse.remember.uncheck();
  await gatehouse.loginButton.click();
  await gatehouse.password.press('Enter');
  expect(page.url()).toBe(`${server.url}/login`);
  expect(calls).toEqual([]);

  release();
  await gatehouse.expectProfile(user);
  expect(calls.filter((call) => call.endsWith('/login'))).toHaveLength(1);
  expect((await gatehouse.storage()).local).toEqual({});
});

test('registration submitted before hydration creates the account', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  const release = await hold(page, WASM);
  const calls = watchCalls(page);
  await page.goto('/register', { waitUntil: 'domcontentloaded' });
  const user = newUser();
  await gatehouse.fillRegistration(user);
  await gatehouse.confirm.press('Enter');
  // The pending state is visible.
  await expect(gatehouse.registerButton.locator('.spinner')).toBeVisible();
  release();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toHaveValue(user.username);
  expect(calls).toEqual(['POST /api/auth/register']);
});

test('color scheme and language change before hydration keep a submitted form', async ({
  page,
  user,
}) => {
  const english = new Gatehouse(page);
  const chinese = new Gatehouse(page, ZH);
  const release = await hold(page, WASM);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await english.fillLogin({ ...user, username: 'nobody-at-all' });
  await english.colours.selectOption('dark');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'gatehouse-dark');
  await english.languageSwitch.click();
  await english.loginButton.click();
  // Input until then is included.
  await english.account.fill(user.username);
  release();
  await chinese.expectProfile(user);
  await expect(english.page.locator('html')).toHaveAttribute('lang', 'zh');
  await expect(chinese.colours).toHaveValue('dark');
});

test('input before hydration is kept', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  const release = await hold(page, WASM);
  await page.goto('/register', { waitUntil: 'domcontentloaded' });
  await gatehouse.fillRegistration(user);
  release();
  await gatehouse.waitForHydration();
  await expect(gatehouse.account).toHaveValue(user.username);
  for (const field of [gatehouse.password, gatehouse.confirm])
    await expect(field).toHaveValue(user.password);
  const fresh = `${user.username}-2`;
  await gatehouse.account.fill(fresh);
  await gatehouse.registerButton.click();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toHaveValue(fresh);
});

test('page of another state is not shown before storage is read', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);

  const release = await hold(page, WASM);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await expect(gatehouse.account).toBeHidden();
  await page.goto('/profile', { waitUntil: 'domcontentloaded' });
  await expect(page.getByText(EN.profileLoading)).toBeAttached();
  await expect(page.getByText(user.username)).toHaveCount(0);
  release();
  await gatehouse.expectProfile(user);
});

test('login form is visible before hydration', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  const release = await hold(page, WASM);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await expect(page.getByRole('heading', { name: EN.loginTitle })).toBeVisible();
  await expect(gatehouse.account).toBeEditable();
  release();
  await gatehouse.waitForHydration();
});

test('invariant 43: page without scripts shows what it needs and puts nothing into a URL', async ({
  newContext,
  user,
  server,
  browserErrors,
}) => {
  // The WASM file is not requested.
  browserErrors.expect(/no answer: csp .*\/pkg\//);
  const visitor = await newContext({ javaScriptEnabled: false });
  const page = await visitor.newPage();
  for (const path of ['/login', '/register']) {
    await page.goto(path);
    await expect(page.getByText(/JavaScript/).filter({ visible: true })).toHaveCount(1);
    const account = page.getByLabel(EN.username, { exact: true });
    if (await account.isVisible()) {
      await account.fill(user.username);
      await page.getByLabel(EN.password, { exact: true }).fill(user.password);
      // The form is answered with a redirect to its page.
      await Promise.all([
        page.waitForResponse((response) => response.request().method() === 'POST'),
        page.waitForEvent('framenavigated'),
        page.getByLabel(EN.password, { exact: true }).press('Enter'),
      ]);
    }
    expect(page.url()).toBe(server.url + path);
  }
});

for (const words of [EN, ZH]) {
  test(`page without WebAssembly shows what is missing, in ${words.lang}`, async ({
    newContext,
    browserErrors,
  }) => {
    // Preloaded files stay unused.
    browserErrors.expect(/preload/);
    const visitor = await newContext({ locale: words.lang });
    // As in the lockdown mode of Safari.
    await visitor.addInitScript(() => {
      Reflect.deleteProperty(window, 'WebAssembly');
    });
    const page = await visitor.newPage();
    for (const path of ['/', '/login', '/profile']) {
      await page.goto(path);
      await expect(page.getByRole('alert').filter({ hasText: 'WebAssembly' })).toBeVisible();
      await expect(page.getByRole('link', { name: words.reload })).toBeHidden();
    }
    const gatehouse = new Gatehouse(page, words);
    await page.goto('/login');
    await gatehouse.account.fill('ada');
    await gatehouse.account.press('Enter');
    // The form does not look pending: it will not be sent.
    await expect(gatehouse.loginButton.locator('.spinner')).toBeHidden();
    expect(new URL(page.url()).search).toBe('');
  });
}
