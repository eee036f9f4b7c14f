// Registration by invitation, and closed registration.
import { randomUUID } from 'node:crypto';

import { Gatehouse } from '../support/gatehouse.ts';
import { expect, linkOf, pathOf, scan, test } from '../support/mail.ts';
import { newUser, PASSWORD } from '../support/users.ts';
import { EN, LANGUAGES } from '../support/words.ts';

test.use({ policy: { REGISTRATION: 'invite' } });

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('invitation is sent, opens the registration and works once', async ({
      page,
      smtp,
      administrator,
      newContext,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 400 .*\/api\/auth\/register/);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(administrator);
      await gatehouse.open('/admin/users');
      const { main } = gatehouse;
      await main.getByRole('link', { name: words.invitations }).click();
      await gatehouse.expectPath('/admin/invitations');
      await expect(main.getByText(words.invitationsNone)).toBeVisible();
      const email = `grace-${randomUUID().slice(0, 8)}@example.org`;
      await main.getByLabel(words.invitationEmail, { exact: true }).fill(email);
      await main.getByRole('button', { name: words.invitationCreate }).click();
      await expect(main.getByText(words.invitationSent)).toBeVisible();
      await expect(main.getByRole('heading', { name: words.invitationReady })).toBeFocused();
      await expect(main.getByRole('listitem').filter({ hasText: email })).toBeVisible();
      const link = linkOf(await smtp.receive(email));
      await expect(main.getByLabel(words.invitationLink)).toHaveValue(link);
      await scan(link);

      const guest = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await guest.open('/register');
      await expect(guest.main.getByText(words.invitationNeeded)).toBeVisible();
      await expect(guest.registerButton).toBeHidden();
      await guest.page.goto('about:blank');
      await guest.open(pathOf(link));
      await guest.expectPath('/register');
      await expect(guest.main.getByText(words.invitationNeeded)).toBeHidden();
      const user = { username: email, password: PASSWORD };
      await guest.fillRegistration(user);
      await guest.registerButton.click();
      await guest.expectPath('/login');
      await guest.password.fill(PASSWORD);
      await guest.loginButton.click();
      await guest.expectProfile(user);

      const late = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await late.open(pathOf(link));
      await late.fillRegistration(newUser());
      await late.registerButton.click();
      await expect(late.alert(words.messages.codeInvalid)).toBeVisible();
      await late.expectPath('/register');
      await gatehouse.reload();
      await expect(main.getByText(words.invitationsNone)).toBeVisible();
    });
  });
}

test('revoked invitation no longer opens the registration', async ({
  page,
  administrator,
  newContext,
  browserErrors,
}) => {
  browserErrors.expect(/status of 400 .*\/api\/auth\/register/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/invitations');
  const { main } = gatehouse;
  await main.getByRole('button', { name: EN.invitationCreate }).click();
  const link = await main.getByLabel(EN.invitationLink).inputValue();
  await main.getByRole('button', { name: EN.invitationRevoke }).click();
  await expect(gatehouse.status(EN.invitationRevoked)).toBeVisible();
  await expect(main.getByText(EN.invitationsNone)).toBeVisible();
  await expect(main.getByLabel(EN.invitationLink)).toBeHidden();

  const guest = new Gatehouse(await (await newContext()).newPage());
  await guest.open(pathOf(link));
  await guest.fillRegistration(newUser());
  await guest.registerButton.click();
  await expect(guest.alert(EN.messages.codeInvalid)).toBeVisible();
});

test('registration links are hidden unless registration is open', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  for (const path of ['/', '/login']) {
    await gatehouse.open(path);
    await expect(page.locator('a[href="/register"]:visible')).toHaveCount(0);
    await expect(page.getByText(EN.noAccount)).toBeHidden();
  }
});
