// The login form and its failures.
import { count, fail, hold, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN } from '../support/words.ts';

const LOGIN = 'POST /api/auth/login';

test('login with wrong password shows the error and does not refresh', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401 .*\/api\/auth\/login/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const calls = watchCalls(page);
  await gatehouse.fillLogin({ ...user, password: 'not-the-password' });
  await gatehouse.loginButton.click();

  await expect(gatehouse.alert(EN.messages.invalidCredentials)).toBeVisible();
  await expect(page.getByText(EN.sessionExpired)).toHaveCount(0);
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toHaveValue(user.username);
  expect(calls).toEqual([LOGIN]);

  await gatehouse.password.fill(user.password);
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
});

test('login button pressed repeatedly sends one request', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const calls = watchCalls(page);
  const release = await hold(page, '/api/auth/login');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.dblclick();
  const busy = gatehouse.main.locator('button[aria-busy="true"]');
  await expect(busy).toHaveCount(1);
  await busy.click({ force: true });
  await gatehouse.password.press('Enter');
  release();
  await gatehouse.expectProfile(user);
  expect(count(calls, LOGIN)).toBe(1);
});

test('Enter in a field submits the login', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await gatehouse.fillLogin(user);
  await gatehouse.password.press('Enter');
  await gatehouse.expectProfile(user);
});

test('login with missing fields shows accessible errors and sends nothing', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const calls = watchCalls(page);
  await gatehouse.loginButton.click();
  await expect(gatehouse.account).toBeFocused();
  for (const [field, error] of [
    [gatehouse.account, EN.problems.usernameMissing],
    [gatehouse.password, EN.problems.passwordMissing],
  ] as const) {
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(error);
    await expect(gatehouse.main.getByText(error)).toBeVisible();
  }
  expect(calls).toEqual([]);

  await gatehouse.account.fill('ada');
  await expect(gatehouse.account).not.toHaveAttribute('aria-invalid', 'true');
  await gatehouse.loginButton.click();
  await expect(gatehouse.password).toBeFocused();
});

const OUTAGES = [
  { what: 'the network is away', words: EN.networkError, status: 0, code: '' },
  { what: 'the server fails', words: 'It broke.', status: 500, code: 'internal_error' },
  { what: 'the server is busy', words: 'It is busy.', status: 503, code: 'unavailable' },
  { what: 'it was tried too often', words: EN.messages.tooManyAttempts, status: 429, code: 'too_many_attempts' },
];

for (const { what, words, status, code } of OUTAGES) {
  test(`login form keeps input when ${what}`, async ({ page, user, browserErrors }) => {
    browserErrors.expect(/\/api\/auth\/login/);
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/login');
    await page.route('/api/auth/login', async (route) => {
      if (status === 0) await route.abort('internetdisconnected');
      else await fail(route, status, code, words);
    });
    await gatehouse.fillLogin(user);
    await gatehouse.remember.uncheck();
    await gatehouse.loginButton.click();

    await expect(gatehouse.alert(words)).toBeVisible();
    await expect(gatehouse.account).toHaveValue(user.username);
    await expect(gatehouse.password).toHaveValue(user.password);
    await expect(gatehouse.remember).not.toBeChecked();

    await page.unroute('/api/auth/login');
    await gatehouse.loginButton.click();
    await gatehouse.expectProfile(user);
  });
}

test('response without tokens does not log in', async ({ page, user, browserErrors }) => {
  browserErrors.expect(/\/api\/auth\/login/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await page.route('/api/auth/login', (route) =>
    route.fulfill({
      status: 200,
      contentType: 'text/html',
      body: "<h1>Sign in to the hotel's network</h1>",
    }),
  );
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(page.getByRole('alert').filter({ hasText: /\S/ }).first()).toBeVisible();
  await gatehouse.expectPath('/login');
  expect(await gatehouse.storage()).toEqual({ local: {}, tab: {} });
});

test('password can be shown and has autocomplete hints', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await expect(gatehouse.account).toHaveAttribute('autocomplete', 'username');
  await expect(gatehouse.password).toHaveAttribute('autocomplete', 'current-password');
  for (const field of [gatehouse.account, gatehouse.password]) {
    await expect(field).toHaveAttribute('name', /\S/);
    await expect(field).toHaveAttribute('required', '');
  }

  await gatehouse.password.fill('secret');
  await expect(gatehouse.password).toHaveAttribute('type', 'password');
  await page.getByRole('button', { name: EN.showPassword }).click();
  await expect(gatehouse.password).toHaveAttribute('type', 'text');
  await page.getByRole('button', { name: EN.hidePassword }).click();
  await expect(gatehouse.password).toHaveAttribute('type', 'password');
  await expect(gatehouse.password).toHaveValue('secret');
});

test('first empty field has the focus on load, unless the focus is elsewhere', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await expect(gatehouse.account).toBeFocused();
  await gatehouse.open('/register');
  await expect(gatehouse.account).toBeFocused();

  // The page is typed into while it loads: the style sheet delays the end of its parsing.
  const release = await hold(page, '**/*.js');
  await page.goto('/login', { waitUntil: 'commit' });
  await gatehouse.password.fill('typed early');
  await gatehouse.password.focus();
  release();
  await gatehouse.waitForHydration();
  await expect(gatehouse.password).toBeFocused();
  await expect(gatehouse.password).toHaveValue('typed early');
});

test.describe('on a touch screen', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('no field has the focus on load, so that no keyboard covers the page', async ({ page }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/login');
    await expect(page.locator('body')).toBeFocused();
  });
});

test('session that ended by a reused token links to the devices', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.route(/\/api\/(me|auth\/refresh)$/, (route) =>
    route.fulfill({
      status: 401,
      json: {
        code: 'token_revoked',
        message: 'Your login has ended, please log in again',
        request_id: '0000000000000000',
        reason: 'reused',
      },
    }),
  );
  await gatehouse.reload();
  const alert = gatehouse.alert(EN.sessionReused);
  await expect(alert).toBeVisible();
  await page.unroute(/\/api\/(me|auth\/refresh)$/);
  await alert.getByRole('link', { name: EN.sectionDevices }).click();
  await gatehouse.expectPath('/login?redirect=%2Fsettings%2Fdevices');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectPath('/settings/devices');
});
