// Data export and account deletion.
import { readFile } from 'node:fs/promises';

import type { Page } from '@playwright/test';

import { count, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { PASSWORD } from '../support/users.ts';
import { LANGUAGES, type Strings } from '../support/words.ts';

const DELETE = 'DELETE /api/me';

function parts(page: Page, words: Strings) {
  const main = page.getByRole('main');
  const dialog = page.getByRole('dialog', { name: words.reauthTitle });
  return {
    download: main.getByRole('button', { name: words.exportSubmit, exact: true }),
    name: main.getByLabel(words.deleteConfirm, { exact: true }),
    go: main.getByRole('button', { name: words.deleteSubmit, exact: true }),
    password: dialog.getByLabel(words.password, { exact: true }),
    goOn: dialog.getByRole('button', { name: words.reauthSubmit, exact: true }),
  };
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('data export asks for the password and downloads a file', async ({
      api,
      user,
      newTab,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 401 .*\/api\/me\/export/);
      const session = await api.refresh(await api.login(user));
      const page = await newTab(session, { locale });
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.open('/settings/data');
      const { download, password, goOn } = parts(page, words);
      await download.click();
      await password.fill(PASSWORD);
      const coming = page.waitForEvent('download');
      await goOn.click();
      const file = await coming;
      expect(file.suggestedFilename()).toMatch(
        new RegExp(`^gatehouse-${user.username}-\\d{4}-\\d\\d-\\d\\d\\.zip$`),
      );
      const bytes = await readFile(await file.path());
      expect(bytes.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
      for (const part of [user.username, 'account.json', 'index.html'])
        expect(bytes.includes(part), part).toBe(true);
      await expect(gatehouse.status(words.exportDone)).toBeVisible();
    });

    test('account deletion requires typing the username and ends every session', async ({
      page,
      context,
      api,
      user,
      newContext,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 401 .*\/api\/(me|auth)/);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      const tab = new Gatehouse(await context.newPage(), words);
      await tab.open('/profile');
      await tab.expectProfile(user);
      const elsewhere = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await elsewhere.logIn(user);

      await gatehouse.open('/settings/data');
      const calls = watchCalls(page);
      const { name, go } = parts(page, words);
      // The button waits for the name.
      await expect(go).toBeDisabled();
      await name.fill('another-user');
      await expect(go).toBeDisabled();
      await name.press('Enter');
      await name.blur();
      await expect(name).toHaveAccessibleDescription(words.problems.usernameMismatch);
      expect(count(calls, DELETE)).toBe(0);
      await name.fill(user.username.toUpperCase());
      await expect(go).toBeEnabled();
      await go.click();
      await expect(gatehouse.status(words.accountDeleted)).toBeVisible();
      await gatehouse.expectPath('/login');
      expect((await gatehouse.storage()).local).not.toHaveProperty('access_token');
      await tab.expectPath('/login?redirect=%2Fprofile');
      await elsewhere.reload();
      await elsewhere.expectPath('/login?redirect=%2Fprofile');

      await gatehouse.fillLogin(user);
      await gatehouse.loginButton.click();
      await expect(gatehouse.alert(words.messages.invalidCredentials)).toBeVisible();
      // The username is available again.
      await api.register(user);
    });
  });
}
