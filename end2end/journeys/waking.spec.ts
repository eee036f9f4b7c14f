// Before the WebAssembly has arrived, and where it never runs.
import { hold, watchCalls } from '../support/calls.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { somebody } from '../support/people.ts';
import { EN, ZH } from '../support/words.ts';

const WASM = '**/*.wasm';

test('a form that is sent before the page is awake is sent once it is', async ({
  page,
  person,
  server,
}) => {
  const gatehouse = new Gatehouse(page);
  const letGo = await hold(page, WASM);
  const calls = watchCalls(page);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await gatehouse.fillLogin(person);
  await gatehouse.remember.uncheck();
  await gatehouse.loginButton.click();
  await gatehouse.password.press('Enter');
  expect(page.url()).toBe(`${server.url}/login`);
  expect(calls).toEqual([]);

  letGo();
  await gatehouse.expectProfile(person);
  expect(calls.filter((call) => call.endsWith('/login'))).toHaveLength(1);
  expect((await gatehouse.storage()).local).toEqual({});
});

test('an account is made by a form that was sent before the page is awake', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  const letGo = await hold(page, WASM);
  const calls = watchCalls(page);
  await page.goto('/register', { waitUntil: 'domcontentloaded' });
  const person = somebody();
  await gatehouse.fillRegistration(person);
  await gatehouse.confirm.press('Enter');
  // It is seen that it is on its way.
  await expect(gatehouse.registerButton.locator('.spinner')).toBeVisible();
  letGo();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toHaveValue(person.username);
  expect(calls).toEqual(['POST /api/auth/register']);
});

test('colours and language can be changed before the page is awake, and a form that was sent then still goes', async ({
  page,
  person,
}) => {
  const english = new Gatehouse(page);
  const chinese = new Gatehouse(page, ZH);
  const letGo = await hold(page, WASM);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await english.fillLogin({ ...person, username: 'nobody-at-all' });
  await english.colours.selectOption('dark');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'gatehouse-dark');
  await english.languageSwitch.click();
  await english.loginButton.click();
  // What is typed until then counts.
  await english.account.fill(person.username);
  letGo();
  await chinese.expectProfile(person);
  await expect(english.page.locator('html')).toHaveAttribute('lang', 'zh');
  await expect(chinese.colours).toHaveValue('dark');
});

test('what was typed before the page is awake stays', async ({ page, person }) => {
  const gatehouse = new Gatehouse(page);
  const letGo = await hold(page, WASM);
  await page.goto('/register', { waitUntil: 'domcontentloaded' });
  await gatehouse.fillRegistration(person);
  letGo();
  await gatehouse.awake();
  await expect(gatehouse.account).toHaveValue(person.username);
  for (const field of [gatehouse.password, gatehouse.confirm])
    await expect(field).toHaveValue(person.password);
  const fresh = `${person.username}-2`;
  await gatehouse.account.fill(fresh);
  await gatehouse.registerButton.click();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toHaveValue(fresh);
});

test('until the storage was read nobody sees a page that is not theirs', async ({
  page,
  person,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(person);

  const letGo = await hold(page, WASM);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await expect(gatehouse.account).toBeHidden();
  await page.goto('/profile', { waitUntil: 'domcontentloaded' });
  await expect(page.getByText(EN.loading)).toBeAttached();
  await expect(page.getByText(person.username)).toHaveCount(0);
  letGo();
  await gatehouse.expectProfile(person);
});

test('a guest sees the login form before the page is awake', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  const letGo = await hold(page, WASM);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await expect(page.getByRole('heading', { name: EN.loginTitle })).toBeVisible();
  await expect(gatehouse.account).toBeEditable();
  letGo();
  await gatehouse.awake();
});

test('invariant 43: without scripts the page says what it needs, and puts nothing into an address', async ({
  newVisitor,
  person,
  server,
  trouble,
}) => {
  // The program is not even fetched.
  trouble.expect(/no answer: csp .*\/pkg\//);
  const visitor = await newVisitor({ javaScriptEnabled: false });
  const page = await visitor.newPage();
  for (const path of ['/login', '/register']) {
    await page.goto(path);
    await expect(page.getByText(/JavaScript/).filter({ visible: true })).toHaveCount(1);
    const account = page.getByLabel(EN.account, { exact: true });
    if (await account.isVisible()) {
      await account.fill(person.username);
      await page.getByLabel(EN.password, { exact: true }).fill(person.password);
      await page.getByLabel(EN.password, { exact: true }).press('Enter');
      await page.waitForLoadState();
    }
    expect(page.url()).toBe(server.url + path);
  }
});

for (const words of [EN, ZH]) {
  test(`without WebAssembly the page says what is missing, in ${words.lang}`, async ({
    newVisitor,
    trouble,
  }) => {
    // Nothing uses what the document loads ahead.
    trouble.expect(/preload/);
    const visitor = await newVisitor({ locale: words.lang });
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
