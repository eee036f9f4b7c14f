// Mails and their links: verification, forgotten passwords, change of address and its undo. Against
// a real SMTP server.
import { randomUUID } from 'node:crypto';

import type { Page } from '@playwright/test';

import { Gatehouse } from '../support/gatehouse.ts';
import { digitsOf, expect, linkOf, pathOf, scan, test, type MailServer } from '../support/mail.ts';
import { PASSWORD, type User } from '../support/users.ts';
import { EN, LANGUAGES } from '../support/words.ts';

const ANOTHER = `another-${PASSWORD}`;

/** A user whose username is an address, not registered yet. */
function newReader(): User {
  return { username: `ada-${randomUUID().slice(0, 8)}@example.org`, password: PASSWORD };
}

/** Number of mails that a registration causes. */
const WELCOME = 1;

/** Registers a user and verifies the address. */
async function verified(page: Page, smtp: MailServer, words = EN): Promise<User> {
  const user = newReader();
  const gatehouse = new Gatehouse(page, words);
  await gatehouse.open('/register');
  await gatehouse.fillRegistration(user);
  await gatehouse.registerButton.click();
  await gatehouse.expectPath('/login');
  const mail = await smtp.receive(user.username, WELCOME);
  await gatehouse.open(pathOf(linkOf(mail)));
  await gatehouse.main.getByRole('button', { name: words.verifySubmit }).click();
  await expect(gatehouse.status(words.verifyDone)).toBeVisible();
  return user;
}

/** Asks for the mail of a forgotten password. */
async function forget({ page, main, words, account }: Gatehouse, username: string): Promise<void> {
  await page.goto('/login');
  await main.getByRole('link', { name: words.forgotPassword }).click();
  await expect(main.getByRole('heading', { name: words.forgotPassword })).toBeVisible();
  await account.fill(username);
  await main.getByRole('button', { name: words.forgotSubmit }).click();
  await expect(main.getByRole('heading', { name: words.mailSent })).toBeVisible();
}

async function choosePassword({ main, words }: Gatehouse, password: string): Promise<void> {
  await main.getByLabel(words.newPassword, { exact: true }).fill(password);
  await main.getByLabel(words.passwordAgain, { exact: true }).fill(password);
  await main.getByRole('button', { name: words.resetSubmit }).click();
}

/** Fails if a request of a page has the token of a link in its URL or its referrer. */
function expectSecret(page: Page, link: string): void {
  const token = new URL(link).hash.slice(1);
  page.on('request', (request) => {
    const { referer = '' } = request.headers();
    expect(request.url() + referer).not.toContain(token);
  });
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('registration with an address is verified by its link, which scanners may open', async ({
      page,
      smtp,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 400 .*\/api\/auth\/verify-address/);
      const gatehouse = new Gatehouse(page, words);
      const user = newReader();
      await gatehouse.open('/register');
      await gatehouse.fillRegistration(user);
      await gatehouse.registerButton.click();
      await gatehouse.expectPath('/login');
      const mail = await smtp.receive(user.username);
      const link = linkOf(mail);
      expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
      await scan(link);

      expectSecret(page, link);
      await gatehouse.open(pathOf(link));
      await gatehouse.expectPath('/verify');
      const button = gatehouse.main.getByRole('button', { name: words.verifySubmit });
      await button.click();
      await expect(gatehouse.status(words.verifyDone)).toBeVisible();
      await expect(gatehouse.main.locator('#outcome')).toBeFocused();
      await gatehouse.main.getByRole('link', { name: words.logIn }).click();
      await gatehouse.fillLogin(user);
      await gatehouse.loginButton.click();
      await gatehouse.expectProfile(user);
      await gatehouse.open('/settings/profile');
      await expect(gatehouse.main.getByText(words.addressVerified, { exact: true })).toBeVisible();

      // The same link once more, in this tab: only its fragment changes.
      await gatehouse.open('/verify');
      await expect(gatehouse.alert(words.linkIncomplete)).toBeVisible();
      await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
      await button.click();
      await expect(gatehouse.alert(words.linkInvalid)).toBeVisible();
      await gatehouse.main.getByRole('link', { name: words.sectionProfile }).click();
      await gatehouse.expectPath('/settings/profile');
    });

    test('forgotten password is reset with the digits while the mail is on another device', async ({
      page,
      smtp,
      newContext,
      browserErrors,
    }) => {
      // Two browsers, and mails that the server sends a second later.
      test.slow();
      browserErrors.expect(/status of 400 .*\/api\/auth\/reset/);
      const user = await verified(page, smtp, words);
      const gatehouse = new Gatehouse(page, words);
      await forget(gatehouse, user.username);
      const mail = await smtp.receive(user.username, WELCOME + 1);
      await scan(linkOf(mail));
      const digits = gatehouse.main.getByLabel(words.digits, { exact: true });

      await digits.fill('123');
      await choosePassword(gatehouse, ANOTHER);
      await expect(digits).toHaveAccessibleDescription(words.digitsMissing);
      await digits.fill(digitsOf(mail) === '12345678' ? '87654321' : '12345678');
      await choosePassword(gatehouse, ANOTHER);
      await expect(digits).toHaveAccessibleDescription(words.digitsInvalid);
      await expect(digits).toBeFocused();

      // The digits belong to the browser that asked.
      const stranger = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await forget(stranger, `unknown-${user.username}`);
      await stranger.main.getByLabel(words.digits, { exact: true }).fill(digitsOf(mail));
      await choosePassword(stranger, ANOTHER);
      await expect(stranger.main.getByText(words.digitsInvalid)).toBeVisible();

      await digits.fill(digitsOf(mail));
      await choosePassword(gatehouse, ANOTHER);
      await expect(gatehouse.status(words.resetDone)).toBeVisible();
      await gatehouse.main.getByRole('link', { name: words.logIn }).click();
      await gatehouse.fillLogin({ ...user, password: ANOTHER });
      await gatehouse.loginButton.click();
      await gatehouse.expectProfile(user);
    });

    test('forgotten password is reset with the link on another device, once', async ({
      page,
      smtp,
      newContext,
      browserErrors,
    }) => {
      // Two browsers, and mails that the server sends a second later.
      test.slow();
      browserErrors.expect(/status of 400 .*\/api\/auth\/reset/, /status of 401/);
      const user = await verified(page, smtp, words);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);

      const phone = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await forget(phone, user.username.toUpperCase());
      const link = linkOf(await smtp.receive(user.username, WELCOME + 1));
      expectSecret(phone.page, link);
      await phone.open(pathOf(link));
      await phone.expectPath('/reset');
      await choosePassword(phone, 'short');
      await expect(phone.main.getByText(words.problems.passwordTooShort)).toBeVisible();
      await choosePassword(phone, ANOTHER);
      await expect(phone.status(words.resetDone)).toBeVisible();

      // All sessions have ended.
      await gatehouse.reload();
      await expect(gatehouse.alert(words.sessionPasswordChanged)).toBeVisible();
      // The link is used up: the way on is another mail.
      await phone.page.goto('about:blank');
      await phone.open(pathOf(link));
      await choosePassword(phone, PASSWORD);
      await expect(phone.alert(words.linkInvalid)).toBeVisible();
      await phone.main.getByRole('link', { name: words.mailAgain }).click();
      await phone.expectPath('/forgot');
    });

    test('change of address waits for the new one, and is undone from the old one', async ({
      page,
      smtp,
      newContext,
      browserErrors,
    }) => {
      // Three browsers, and mails that the server sends a second later.
      test.slow();
      browserErrors.expect(/status of 400 .*\/api\/auth\/undo/, /status of 401/);
      const user = await verified(page, smtp, words);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      const { main } = gatehouse;
      const next = `new-${user.username}`;
      await gatehouse.open('/settings/profile?edit');
      await main.getByLabel(words.email, { exact: true }).fill(next);
      await main.getByRole('button', { name: words.save, exact: true }).click();
      await expect(gatehouse.status(words.addressChangeSent)).toBeVisible();
      await expect(main.getByText(words.addressWaiting)).toBeVisible();
      const confirmation = await smtp.receive(next);
      await main.getByLabel(words.digits, { exact: true }).fill(digitsOf(confirmation));
      await main.getByRole('button', { name: words.verifySubmit }).click();
      await expect(gatehouse.status(words.verifyDone)).toBeVisible();
      await expect(main.getByText(words.addressVerified, { exact: true })).toBeVisible();
      await expect(main.getByText(words.addressWaiting)).toBeHidden();

      const alert = await smtp.receive(user.username, WELCOME + 1);
      const phone = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      const link = linkOf(alert);
      await scan(link);
      await phone.open(pathOf(link));
      await phone.main.getByRole('button', { name: words.undoSubmit }).click();
      await expect(phone.status(words.undoDone)).toBeVisible();
      await gatehouse.reload();
      await gatehouse.expectPath('/login?redirect=%2Fsettings%2Fprofile');

      // The mail that begins the reset goes to the restored address.
      const reset = await smtp.receive(user.username, WELCOME + 2);
      await phone.open(pathOf(linkOf(reset)));
      await choosePassword(phone, ANOTHER);
      await expect(phone.status(words.resetDone)).toBeVisible();
      await phone.main.getByRole('link', { name: words.logIn }).click();
      await phone.fillLogin({ ...user, password: ANOTHER });
      await phone.loginButton.click();
      await phone.expectProfile(user);

      const again = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await again.open(pathOf(link));
      await again.main.getByRole('button', { name: words.undoSubmit }).click();
      await expect(again.alert(words.linkInvalid)).toBeVisible();
    });
  });
}

test('link that is used twice at once works once', async ({
  page,
  smtp,
  newContext,
  browserErrors,
}) => {
  browserErrors.expect(/status of 400 .*\/api\/auth\/reset/);
  const user = await verified(page, smtp);
  await forget(new Gatehouse(page), user.username);
  const link = linkOf(await smtp.receive(user.username, WELCOME + 1));
  const browsers = await Promise.all(
    [ANOTHER, `third-${PASSWORD}`].map(async (password) => {
      const gatehouse = new Gatehouse(await (await newContext()).newPage());
      await gatehouse.open(pathOf(link));
      return { gatehouse, password };
    }),
  );
  await Promise.all(browsers.map(({ gatehouse, password }) => choosePassword(gatehouse, password)));
  const outcomes = await Promise.all(
    browsers.map(async ({ gatehouse: { main } }) => {
      const outcome = main.locator('#outcome');
      await expect(outcome).toBeVisible();
      return outcome.getByRole('heading').textContent();
    }),
  );
  expect(outcomes.sort()).toEqual([EN.linkInvalid, EN.resetDone].sort());
});

test('mail is sent once the mail server is up again, and nothing waits for it', async ({
  page,
  smtp,
}) => {
  // The server waits between its attempts.
  test.slow();
  const user = await verified(page, smtp);
  const gatehouse = new Gatehouse(page);
  await smtp.halt();
  const answered = page.waitForResponse('/api/auth/forgot');
  await forget(gatehouse, user.username);
  const response = await answered;
  await response.finished();
  expect(response.request().timing().responseEnd).toBeLessThan(5_000);
  await smtp.resume();
  await smtp.receive(user.username, WELCOME + 1, 25_000);
  // A second mail would come with the next attempt, at once: the outbox is empty.
  await forget(gatehouse, user.username);
  await smtp.receive(user.username, WELCOME + 2);
  expect(smtp.to(user.username)).toHaveLength(WELCOME + 2);
});

test('alert about new devices can be switched off', async ({ page, smtp, newContext }) => {
  const user = await verified(page, smtp);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/settings/security');
  const alerts = gatehouse.main.getByRole('checkbox', { name: EN.alertNewDevice });
  await expect(alerts).toBeChecked();
  const second = new Gatehouse(await (await newContext()).newPage());
  await second.logIn(user);
  await smtp.receive(user.username, WELCOME + 1);
  await alerts.uncheck();
  await expect(gatehouse.status(EN.alertsSaved)).toBeVisible();
  await gatehouse.reload();
  await expect(alerts).not.toBeChecked();
  const third = new Gatehouse(await (await newContext()).newPage());
  await third.logIn(user);
  // The next mail is that of the reset.
  await forget(new Gatehouse(await (await newContext()).newPage()), user.username);
  const mail = await smtp.receive(user.username, WELCOME + 2);
  expect(linkOf(mail)).toContain('/reset#');
});
