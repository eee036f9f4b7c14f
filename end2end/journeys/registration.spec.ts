// The registration form and its messages.
import { randomInt } from 'node:crypto';

import { fail, hold, watchCalls, count } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { EN, LANGUAGES, ZH } from '../support/words.ts';

const REGISTER = 'POST /api/auth/register';

test('registration with invalid fields shows errors, focuses the first and sends nothing', async ({
  page,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  const calls = watchCalls(page);
  await gatehouse.account.fill('ada');
  await gatehouse.password.fill('short');
  await gatehouse.confirm.fill('shorter');
  await gatehouse.registerButton.click();

  await expect(gatehouse.password).toBeFocused();
  await expect(gatehouse.password).toHaveAccessibleDescription(new RegExp(EN.problems.passwordTooShort));
  await expect(gatehouse.confirm).toHaveAccessibleDescription(EN.problems.passwordMismatch);
  await expect(gatehouse.account).not.toHaveAttribute('aria-invalid', 'true');
  for (const field of [gatehouse.password, gatehouse.confirm]) {
    await expect(field).toHaveAttribute('aria-invalid', 'true');
  }
  expect(calls).toEqual([]);
});

test('field is validated on blur, and on input once invalid', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  await gatehouse.account.fill('a');
  await expect(gatehouse.account).not.toHaveAttribute('aria-invalid', 'true');
  await gatehouse.account.blur();
  await expect(gatehouse.account).toHaveAttribute('aria-invalid', 'true');
  await gatehouse.account.pressSequentially('da');
  await expect(gatehouse.account).not.toHaveAttribute('aria-invalid', 'true');
});

test('registration with a taken name shows the error at the field', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 409 .*\/api\/auth\/register/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  await gatehouse.fillRegistration(user);
  await gatehouse.registerButton.click();

  await expect(page.getByText(EN.usernameTaken(user.username)).first()).toBeVisible();
  await expect(gatehouse.account).toHaveAccessibleDescription(EN.usernameTaken(user.username));
  await expect(gatehouse.account).toBeFocused();
  await gatehouse.expectPath('/register');

  const free = newUser();
  await gatehouse.account.fill(free.username);
  await gatehouse.registerButton.click();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toHaveValue(free.username);
});

test('validation errors of the server are shown at their fields', async ({
  page,
  browserErrors,
}) => {
  browserErrors.expect(/status of 400 .*\/api\/auth\/register/);
  const gatehouse = new Gatehouse(page);
  const user = newUser();
  await gatehouse.open('/register');
  await page.route('/api/auth/register', (route) =>
    route.fulfill({
      status: 400,
      json: {
        code: 'validation_failed',
        message: 'Please check the marked fields',
        fields: { password: 'This password is too common' },
        request_id: '00000000-0000-7000-8000-000000000000',
      },
    }),
  );
  await gatehouse.fillRegistration(user);
  await gatehouse.registerButton.click();
  await expect(gatehouse.password).toHaveAccessibleDescription(/This password is too common/);
  await expect(gatehouse.password).toBeFocused();
  await expect(gatehouse.password).toHaveValue(user.password);
});

test('password strength is shown while typing, also as text', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  const meter = gatehouse.main.locator('.meter');
  const frame = await meter.boundingBox();
  await expect(gatehouse.main.getByText(EN.passwordStrength)).toBeHidden();
  for (const [password, words] of [
    ['abcdefgh', EN.strengthWeak],
    ['sunshine7', EN.strengthFair],
    ['xK7#pQ9!', EN.strengthGood],
    [newUser().password, EN.strengthStrong],
  ] as const) {
    await gatehouse.password.fill(password);
    await expect(meter).toHaveText(`${EN.passwordStrength}: ${words}`);
  }
  // No layout shift, and the input survives a language switch.
  expect(await meter.boundingBox()).toEqual(frame);
  await gatehouse.languageSwitch.click();
  await expect(meter).toHaveText(`${ZH.passwordStrength}: ${ZH.strengthStrong}`);
  await new Gatehouse(page, ZH).password.fill('');
  await expect(gatehouse.main.getByText(ZH.passwordStrength)).toBeHidden();
});

test('pasting a very long password does not block the page', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  await gatehouse.password.fill('correct horse '.repeat(20_000));
  // Measured in the page, without the time that the steps of the test take.
  const blocked = await gatehouse.password.evaluate(
    (field) =>
      new Promise<number>((resolve) => {
        const observer = new MutationObserver(() => {
          if (field.ariaInvalid === 'true') resolve(performance.now() - begin);
        });
        observer.observe(field, { attributeFilter: ['aria-invalid'] });
        const begin = performance.now();
        field.blur();
      }),
  );
  expect(blocked).toBeLessThan(3000);
  await expect(gatehouse.password).toHaveAccessibleDescription(
    new RegExp(EN.problems.passwordTooLong),
  );
});

test('register button pressed repeatedly creates one account', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  const calls = watchCalls(page);
  const release = await hold(page, '/api/auth/register');
  await gatehouse.fillRegistration(newUser());
  await gatehouse.registerButton.dblclick();
  await gatehouse.confirm.press('Enter');
  release();
  await gatehouse.expectPath('/login');
  expect(count(calls, REGISTER)).toBe(1);
});

test('registration form keeps input when the server fails', async ({ page, browserErrors }) => {
  browserErrors.expect(/status of 503 .*\/api\/auth\/register/);
  const gatehouse = new Gatehouse(page);
  const user = newUser();
  await gatehouse.open('/register');
  await page.route('/api/auth/register', (route) => fail(route, 503, 'unavailable'));
  await gatehouse.fillRegistration(user);
  await gatehouse.registerButton.click();
  await expect(page.getByRole('alert').filter({ hasText: /\S/ }).first()).toBeVisible();
  await expect(gatehouse.account).toHaveValue(user.username);
  for (const field of [gatehouse.password, gatehouse.confirm])
    await expect(field).toHaveValue(user.password);
});

test('registration has autocomplete hints for a new password', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  await expect(gatehouse.account).toHaveAttribute('autocomplete', 'username');
  for (const field of [gatehouse.password, gatehouse.confirm]) {
    await expect(field).toHaveAttribute('autocomplete', 'new-password');
  }
});

test('registration accepts an email address and a Chinese name', async ({ page, api }) => {
  const gatehouse = new Gatehouse(page);
  // Digits belong to every script; Latin letters beside Chinese characters would mix scripts.
  const number = String(randomInt(1e9));
  for (const username of [`ada.${number}@example.org`, `李雷${number}`]) {
    const user = { ...newUser(), username };
    await gatehouse.open('/register');
    await gatehouse.fillRegistration(user);
    await gatehouse.registerButton.click();
    await gatehouse.expectPath('/login');
    expect((await api.login(user)).user.username).toBe(username);
  }
});

test('registration is confirmed in the login form, and the password has the focus', async ({
  page,
}) => {
  const gatehouse = new Gatehouse(page);
  const user = newUser();
  await gatehouse.open('/register');
  await gatehouse.fillRegistration(user);
  await gatehouse.registerButton.click();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.main.getByRole('status')).toHaveText(EN.registered);
  await expect(gatehouse.password).toBeFocused();
  await page.keyboard.type(user.password);
  await page.keyboard.press('Enter');
  await gatehouse.expectProfile(user);
  // It is said once.
  await gatehouse.logOut();
  await gatehouse.expectPath('/login');
  await expect(page.getByText(EN.registered)).toHaveCount(0);
});

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('address without a dot in its domain is questioned once and then accepted', async ({
      page,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      const { username: local, password } = newUser();
      const user = { username: `${local}@gmail`, password };
      await gatehouse.open('/register');
      const calls = watchCalls(page);
      await gatehouse.fillRegistration(user);
      await gatehouse.registerButton.click();
      await expect(gatehouse.account).toBeFocused();
      await expect(gatehouse.account).toHaveAccessibleDescription(words.domainQuestion(user.username));
      expect(calls).toEqual([]);
      // Another address is questioned, too; the same one is accepted.
      const typo = { ...user, username: `${local}@gmial` };
      await gatehouse.account.fill(typo.username);
      await gatehouse.registerButton.click();
      await expect(gatehouse.account).toHaveAccessibleDescription(words.domainQuestion(typo.username));
      expect(calls).toEqual([]);
      await gatehouse.registerButton.click();
      await gatehouse.expectPath('/login');
      await expect(gatehouse.account).toHaveValue(typo.username);
    });
  });
}
