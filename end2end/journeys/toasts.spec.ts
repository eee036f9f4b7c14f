// Notices: announced, there long enough to be read, closed by anybody.
import { expire, fail } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN } from '../support/words.ts';

test('what has happened stays for six seconds, and for as long as somebody is at it', async ({
  page,
  user,
}) => {
  await page.clock.install();
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const notice = gatehouse.status(EN.loggedIn);
  await notice.hover();
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

test('what went wrong stays until it is closed, with the keyboard too', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401 .*\/api\/(me|auth\/refresh)/);
  await page.clock.install();
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { access } = await gatehouse.tokens();
  await expire(page, access);
  await page.route('/api/auth/refresh', (route) => fail(route, 401, 'token_expired'));
  await gatehouse.reload();
  const notice = gatehouse.alert(EN.expired);
  await expect(notice).toBeVisible();
  await page.clock.runFor(60_000);
  await expect(notice).toBeVisible();
  await notice.getByRole('button', { name: EN.close }).press('Enter');
  await expect(notice).toHaveCount(0);
});

test('Escape closes the newest', async ({ page, user }) => {
  await page.clock.install();
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.logoutButton.click();
  await expect(gatehouse.status(EN.loggedOut)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(gatehouse.status(EN.loggedOut)).toHaveCount(0);
});
