// Before the WebAssembly has arrived, and where it never runs.
import { hold, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { EN, ZH } from '../support/words.ts';

const WASM = '**/*.wasm';

test('a form that is sent before the page is awake is sent once it is', async ({
  page,
  user,
  server,
}) => {
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

test('an account is made by a form that was sent before the page is awake', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  const release = await hold(page, WASM);
  const calls = watchCalls(page);
  await page.goto('/register', { waitUntil: 'domcontentloaded' });
  const user = newUser();
  await gatehouse.fillRegistration(user);
  await gatehouse.confirm.press('Enter');
  // It is seen that it is on its way.
  await expect(gatehouse.registerButton.locator('.spinner')).toBeVisible();
  release();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toHaveValue(user.username);
  expect(calls).toEqual(['POST /api/auth/register']);
});

test('colours and language can be changed before the page is awake, and a form that was sent then still goes', async ({
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
  // What is typed until then counts.
  await english.account.fill(user.username);
  release();
  await chinese.expectProfile(user);
  await expect(english.page.locator('html')).toHaveAttribute('lang', 'zh');
  await expect(chinese.colours).toHaveValue('dark');
});

test('what was typed before the page is awake stays', async ({ page, user }) => {
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

test('until the storage was read nobody sees a page that is not theirs', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);

  const release = await hold(page, WASM);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await expect(gatehouse.account).toBeHidden();
  await page.goto('/profile', { waitUntil: 'domcontentloaded' });
  await expect(page.getByText(EN.loading)).toBeAttached();
  await expect(page.getByText(user.username)).toHaveCount(0);
  release();
  await gatehouse.expectProfile(user);
});

test('a guest sees the login form before the page is awake', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  const release = await hold(page, WASM);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await expect(page.getByRole('heading', { name: EN.loginTitle })).toBeVisible();
  await expect(gatehouse.account).toBeEditable();
  release();
  await gatehouse.waitForHydration();
});

test('invariant 43: without scripts the page says what it needs, and puts nothing into an address', async ({
  newContext,
  user,
  server,
  browserErrors,
}) => {
  // The program is not even fetched.
  browserErrors.expect(/no answer: csp .*\/pkg\//);
  const visitor = await newContext({ javaScriptEnabled: false });
  const page = await visitor.newPage();
  for (const path of ['/login', '/register']) {
    await page.goto(path);
    await expect(page.getByText(/JavaScript/).filter({ visible: true })).toHaveCount(1);
    const account = page.getByLabel(EN.account, { exact: true });
    if (await account.isVisible()) {
      await account.fill(user.username);
      await page.getByLabel(EN.password, { exact: true }).fill(user.password);
      await page.getByLabel(EN.password, { exact: true }).press('Enter');
      await page.waitForLoadState();
    }
    expect(page.url()).toBe(server.url + path);
  }
});

for (const words of [EN, ZH]) {
  test(`without WebAssembly the page says what is missing, in ${words.lang}`, async ({
    newContext,
    browserErrors,
  }) => {
    // Nothing uses what the document loads ahead.
    browserErrors.expect(/preload/);
    const visitor = await newContext({ locale: words.lang });
    // As the lockdown mode of Safari does it.
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
    // Nothing will come of it: it does not look as if.
    await expect(gatehouse.loginButton.locator('.spinner')).toBeHidden();
    expect(new URL(page.url()).search).toBe('');
  });
}
