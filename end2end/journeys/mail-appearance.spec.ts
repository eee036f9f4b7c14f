// Mails as their readers see them: no axe violations and no overflow, in both languages and color
// schemes. Takes the screenshots, too (support/screenshots.ts).
import { randomUUID } from 'node:crypto';

import type { Page } from '@playwright/test';

import { expectAccessible, expectFits, show } from '../support/accessibility.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { digitsOf, expect, linkOf, pathOf, test, type Mail } from '../support/mail.ts';
import { DESKTOP, PHONE, takePictures } from '../support/screenshots.ts';
import { PASSWORD } from '../support/users.ts';
import { resize } from '../support/viewport.ts';
import { EN, LANGUAGES } from '../support/words.ts';

const ANOTHER = `another-${PASSWORD}`;
/** The narrowest window (WCAG 2.2, 1.4.10). */
const NARROW = { width: 320, height: 256 };

// The contrast of colors in transition cannot be measured.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    /** Shows a mail as a reader of HTML does, and checks it. */
    async function expectReadable(page: Page, name: string, mail: Mail): Promise<void> {
      await page.goto('about:blank');
      await page.setContent(mail.html);
      await expect(page.locator('html')).toHaveAttribute('lang', words.lang);
      for (const look of ['light', 'dark'] as const) {
        await show(page, look);
        await expectAccessible(page, { state: name, lang: words.lang, look });
      }
      for (const size of [NARROW, PHONE, DESKTOP]) {
        await resize(page, size);
        await expectFits(page, `${name}, ${String(size.width)} pixels`);
      }
      await show(page, words === EN ? 'light' : 'dark');
      await takePictures(page, words === EN ? name : `${name}-zh-dark`, [DESKTOP.width, PHONE.width]);
    }

    test('every mail of an account is readable', async ({
      page,
      smtp,
      administrator,
      newContext,
      browserErrors,
    }) => {
      // axe runs once for each mail and color scheme, which takes its time.
      test.slow();
      browserErrors.expect(/status of 401/);
      const reader = await (await newContext({ locale })).newPage();
      const gatehouse = new Gatehouse(page, words);
      const { main } = gatehouse;

      await gatehouse.logIn(administrator);
      await gatehouse.open('/admin/invitations');
      const username = `ada-${randomUUID().slice(0, 8)}@example.org`;
      await main.getByLabel(words.invitationEmail, { exact: true }).fill(username);
      await main.getByRole('button', { name: words.invitationCreate }).click();
      const invitation = await smtp.receive(username);
      await expectReadable(reader, 'mail-invitation', invitation);
      await gatehouse.logOut();
      await gatehouse.expectPath('/login');

      // Without the invitation, which would verify the address without a mail.
      await gatehouse.open('/register');
      await gatehouse.fillRegistration({ username, password: PASSWORD });
      await gatehouse.registerButton.click();
      await gatehouse.expectPath('/login');
      const verification = await smtp.receive(username, 2);
      await expectReadable(reader, 'mail-verification', verification);
      await gatehouse.open(pathOf(linkOf(verification)));
      await main.getByRole('button', { name: words.verifySubmit }).click();
      await expect(gatehouse.status(words.verifyDone)).toBeVisible();

      await gatehouse.open('/forgot');
      await gatehouse.account.fill(username);
      await main.getByRole('button', { name: words.forgotSubmit }).click();
      const reset = await smtp.receive(username, 3);
      await expectReadable(reader, 'mail-reset', reset);
      await main.getByLabel(words.digits, { exact: true }).fill(digitsOf(reset));
      await main.getByLabel(words.newPassword, { exact: true }).fill(ANOTHER);
      await main.getByLabel(words.passwordAgain, { exact: true }).fill(ANOTHER);
      await main.getByRole('button', { name: words.resetSubmit }).click();
      await expect(gatehouse.status(words.resetDone)).toBeVisible();
      await expectReadable(reader, 'mail-password-changed', await smtp.receive(username, 4));

      await gatehouse.logIn({ username, password: ANOTHER });
      const phone = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await phone.logIn({ username, password: ANOTHER });
      await expectReadable(reader, 'mail-new-device', await smtp.receive(username, 5));

      const next = `new-${username}`;
      await gatehouse.open('/settings/profile?edit');
      await main.getByLabel(words.email, { exact: true }).fill(next);
      await main.getByRole('button', { name: words.save, exact: true }).click();
      const confirmation = await smtp.receive(next);
      await expectReadable(reader, 'mail-address-confirmation', confirmation);
      await main.getByLabel(words.digits, { exact: true }).fill(digitsOf(confirmation));
      await main.getByRole('button', { name: words.verifySubmit }).click();
      await expect(gatehouse.status(words.verifyDone)).toBeVisible();
      await expectReadable(reader, 'mail-address-changed', await smtp.receive(username, 6));
    });
  });
}
