// Error states: every message says what to do.
import { fail } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN } from '../support/words.ts';

test('rate-limited login shows a countdown', async ({ page, user, browserErrors }) => {
  browserErrors.expect(/status of 429 .*\/api\/auth\/login/);
  await page.clock.install();
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  // A minute, so that the countdown is still running when a slow machine shows it.
  await page.route('/api/auth/login', (route) =>
    fail(route, 429, 'too_many_attempts', EN.messages.tooManyAttempts, 60),
  );
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(gatehouse.alert(EN.messages.tooManyAttempts)).toBeVisible();
  const timer = page.getByRole('timer');
  await expect(timer).toHaveText(new RegExp(`^${EN.tryAgainIn} \\d+:\\d\\d$`));
  // Otherwise a screen reader would announce the alert every second.
  await expect(page.getByRole('alert').getByRole('timer')).toHaveCount(0);
  await page.clock.runFor(61_000);
  await expect(timer).toHaveText(EN.tryNow);

  await page.unroute('/api/auth/login');
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
});

test('offline page shows a banner and continues when online', async ({
  page,
  context,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/ERR_INTERNET_DISCONNECTED/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const bar = page.getByRole('status').getByText(EN.offline);
  await expect(bar).toBeHidden();
  await gatehouse.fillLogin(user);
  await context.setOffline(true);
  await expect(bar).toBeVisible();
  await gatehouse.loginButton.click();
  await expect(gatehouse.alert(EN.networkOffline)).toContainText(EN.helpOffline);
  await expect(gatehouse.password).toHaveValue(user.password);

  await context.setOffline(false);
  await expect(bar).toBeHidden();
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
});

test('server timeout is distinguished from a missing network', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/ERR_CONNECTION_REFUSED/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await page.route('/api/auth/login', (route) => route.abort('connectionrefused'));
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(gatehouse.alert(EN.networkError)).toContainText(EN.helpNoResponse);
  await expect(page.getByText(EN.networkOffline)).toHaveCount(0);
});

test('internal error shows the request id', async ({ page, user, browserErrors }) => {
  browserErrors.expect(/status of 500 .*\/api\/auth\/login/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await page.route('/api/auth/login', (route) => fail(route, 500, 'internal_error', 'It broke.'));
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(gatehouse.alert('It broke.')).toContainText('00000000-0000-7000-8000-000000000000');
});

test('profile that failed to load shows the reason and retries when due', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 503 .*\/api\/me/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.route('/api/me', (route) => fail(route, 503, 'unavailable', 'It is busy.'));
  await gatehouse.reload();
  await expect(gatehouse.alert(EN.profileFailed)).toContainText('It is busy.');
  await expect(page.getByRole('timer')).toBeVisible();
  await page.unroute('/api/me');
  await page.getByRole('button', { name: EN.retry }).click();
  await gatehouse.expectProfile(user);
});

test('Caps Lock while typing a password shows a hint', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const press = (modifierCapsLock: boolean) =>
    gatehouse.password.dispatchEvent('keydown', { key: 'A', modifierCapsLock });
  const hint = page.getByText(EN.capsLock);
  await gatehouse.password.focus();
  await press(true);
  await expect(hint).toBeVisible();
  await expect(gatehouse.password).toHaveAccessibleDescription(new RegExp(EN.capsLock));
  // Usernames are case-insensitive.
  await gatehouse.account.focus();
  await expect(hint).toBeHidden();
  await gatehouse.password.focus();
  await press(false);
  await expect(hint).toBeHidden();
});
