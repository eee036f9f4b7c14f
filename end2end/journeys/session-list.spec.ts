// Session list: one browser ends the session of another.
import type { Locator } from '@playwright/test';

import { count, fail, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN, LANGUAGES, type Strings } from '../support/words.ts';

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const END = 'DELETE /api/me/sessions';

function list({ page, main }: Gatehouse, words: Strings) {
  const dialog = page.getByRole('dialog');
  return {
    rows: main.getByRole('listitem').filter({ has: page.getByRole('heading', { level: 2 }) }),
    row: (browser: string, system: string): Locator =>
      main.getByRole('listitem').filter({ hasText: words.deviceName(browser, system) }),
    end: (browser: string, system: string): Locator =>
      main.getByRole('button', {
        name: `${words.logOutDevice} ${words.deviceName(browser, system)}`,
        exact: true,
      }),
    endOthers: main.getByRole('button', { name: words.logOutOthers, exact: true }),
    dialog,
    yes: dialog.getByRole('button', { name: words.logOutDevice, exact: true }),
    no: dialog.getByRole('button', { name: words.cancel, exact: true }),
  };
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('session ended by another session is logged out with the reason', async ({
      user,
      newContext,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 401 .*\/api\/(me|auth\/refresh)/);
      const desktop = new Gatehouse(
        await (await newContext({ locale, userAgent: FIREFOX })).newPage(),
        words,
      );
      const phone = new Gatehouse(
        await (await newContext({ locale, userAgent: IPHONE })).newPage(),
        words,
      );
      await desktop.logIn(user);
      await phone.logIn(user);
      await desktop.accountMenu(user.username).click();
      await desktop.menu.getByRole('link', { name: words.settings }).click();
      await desktop.main.getByRole('link', { name: words.sectionDevices, exact: true }).click();
      const calls = watchCalls(desktop.page);
      const { rows, row, end, endOthers, dialog, yes, no } = list(desktop, words);
      await expect(rows).toHaveCount(2);
      await expect(rows.first()).toContainText(words.deviceName('Firefox', 'Linux'));
      await expect(rows.first()).toContainText(words.thisDevice);
      await expect(rows.first().getByRole('button')).toHaveCount(0);
      await expect(rows.first()).toContainText(words.activeNow);
      await expect(row('Safari', 'iOS')).toContainText(words.newDevice);
      await expect(row('Safari', 'iOS')).toContainText('127.0.0.1');
      // The new one in the color of a warning, each with the icon of its kind.
      await expect(row('Safari', 'iOS').locator('.badge-warning .icon')).toBeVisible();
      await expect(rows.first().locator('.badge-warning')).toHaveCount(0);
      const shapes = await desktop.main
        .locator('.device-icon path')
        .evaluateAll((paths) => paths.map((path) => path.getAttribute('d')));
      expect(new Set(shapes).size).toBe(2);
      // No seconds.
      await expect(rows.first()).not.toContainText(/\d:\d\d:\d\d/);

      // A confirmation follows, so a single key press ends nothing.
      await end('Safari', 'iOS').click();
      await expect(dialog).toBeVisible();
      await expect(dialog).toContainText(words.logOutDeviceTitle);
      await expect(no).toBeFocused();
      await desktop.page.keyboard.press('Enter');
      await expect(dialog).toBeHidden();
      await expect(end('Safari', 'iOS')).toBeFocused();
      expect(count(calls, END)).toBe(0);
      await end('Safari', 'iOS').click();
      await yes.click();
      await expect(desktop.status(words.deviceLoggedOut)).toBeVisible();
      await expect(rows).toHaveCount(1);
      await expect(endOthers).toHaveCount(0);
      await expect(desktop.page.getByRole('heading', { level: 1 })).toBeFocused();

      // Its page notices when the user returns to the tab.
      await phone.page.evaluate(() =>
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true })),
      );
      await phone.expectPath('/login?redirect=%2Fprofile');
      await expect(phone.alert(words.sessionEndedElsewhere)).toBeVisible();
      await desktop.open('/profile');
      await desktop.expectWelcome(user);
    });

    test('ending all other sessions forgets their devices, logging out does not', async ({
      user,
      newContext,
      browserErrors,
    }) => {
      // Three browsers and many page loads.
      test.slow();
      browserErrors.expect(/status of 401 .*\/api\/(me|auth\/refresh)/);
      const desktop = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      const others = [
        new Gatehouse(await (await newContext({ locale, userAgent: IPHONE })).newPage(), words),
        new Gatehouse(await (await newContext({ locale, userAgent: FIREFOX })).newPage(), words),
      ];
      for (const gatehouse of [desktop, ...others]) await gatehouse.logIn(user);
      await desktop.open('/settings/devices');
      const { rows, row, endOthers, dialog, yes } = list(desktop, words);
      await expect(rows).toHaveCount(3);
      await endOthers.click();
      await expect(dialog).toContainText(words.logOutOthersTitle);
      await yes.click();
      await expect(desktop.status(words.othersLoggedOut)).toBeVisible();
      await expect(rows).toHaveCount(1);
      for (const gatehouse of others) {
        await gatehouse.reload();
        await expect(gatehouse.alert(words.sessionEndedElsewhere)).toBeVisible();
      }
      // Ending all other sessions invalidates the device cookies of the account.
      const [phone] = others;
      if (!phone) throw new Error('there is no phone');
      await phone.logIn(user);
      await desktop.reload();
      await expect(row('Safari', 'iOS')).toContainText(words.newDevice);
      await phone.logOut();
      await phone.expectPath('/login');
      await phone.logIn(user);
      await desktop.reload();
      await expect(row('Safari', 'iOS')).toBeVisible();
      await expect(row('Safari', 'iOS')).not.toContainText(words.newDevice);
    });
  });
}

test('session list that failed to load is retried, and a failed revocation shows its error in place', async ({
  page,
  user,
  api,
  browserErrors,
}) => {
  browserErrors.expect(/status of 503 .*\/api\/me\/sessions/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await api.login(user);
  await page.route('/api/me/sessions', (route) => fail(route, 503, 'unavailable', 'It is busy.'));
  await gatehouse.open('/settings/devices');
  await expect(gatehouse.alert(EN.devicesFailed)).toBeVisible();
  await page.unroute('/api/me/sessions');
  await gatehouse.main.getByRole('button', { name: EN.retry }).click();
  const { rows, endOthers, dialog, yes, no } = list(gatehouse, EN);
  await expect(rows).toHaveCount(2);
  await page.route('/api/me/sessions', (route) => fail(route, 503, 'unavailable', 'It is busy.'));
  await endOthers.click();
  await yes.click();
  await expect(dialog.getByRole('alert')).toContainText('It is busy.');
  await no.click();
  await expect(rows).toHaveCount(2);
});
