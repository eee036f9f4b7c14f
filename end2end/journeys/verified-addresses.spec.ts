// Login where the server requires a verified address.
import { randomUUID } from 'node:crypto';

import { Gatehouse } from '../support/gatehouse.ts';
import { expect, linkOf, pathOf, test } from '../support/mail.ts';
import { PASSWORD } from '../support/users.ts';
import { LANGUAGES } from '../support/words.ts';

test.use({ policy: { REQUIRE_VERIFIED_ADDRESS: 'on' } });

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('login without a verified address offers the mail again', async ({
      page,
      smtp,
      newContext,
      browserErrors,
    }) => {
      browserErrors.expect(/status of (?:401|403) .*\/api\/auth\/login/);
      const user = {
        username: `ada-${randomUUID().slice(0, 8)}@example.org`,
        password: PASSWORD,
      };
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.open('/register');
      await gatehouse.fillRegistration(user);
      await gatehouse.registerButton.click();
      await gatehouse.expectPath('/login');
      await smtp.receive(user.username);

      // A wrong password tells nothing about the address.
      await gatehouse.fillLogin({ ...user, password: `not-${PASSWORD}` });
      await gatehouse.loginButton.click();
      await expect(gatehouse.alert(words.messages.invalidCredentials)).toBeVisible();
      await gatehouse.expectPath('/login');
      await gatehouse.fillLogin(user);
      await gatehouse.loginButton.click();
      await gatehouse.expectPath('/verify');
      await expect(gatehouse.main.getByText(words.unverifiedText)).toBeVisible();
      await gatehouse.main.getByRole('button', { name: words.mailAgain }).click();
      await expect(gatehouse.status(words.mailSentAgain)).toBeVisible();

      const link = linkOf(await smtp.receive(user.username, 2));
      const phone = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await phone.open(pathOf(link));
      await phone.main.getByRole('button', { name: words.verifySubmit }).click();
      await expect(phone.status(words.verifyDone)).toBeVisible();
      await gatehouse.main.getByRole('link', { name: words.logIn }).click();
      await gatehouse.fillLogin(user);
      await gatehouse.loginButton.click();
      await gatehouse.expectProfile(user);
    });
  });
}
