// Profile settings: nickname, email and phone number, synchronized between tabs.
import type { Page } from '@playwright/test';

import { count, deferred, fail, hold, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { PASSWORD, newUser } from '../support/users.ts';
import { resize } from '../support/viewport.ts';
import { EN, LANGUAGES, type Strings } from '../support/words.ts';

const CHANGE = 'PATCH /api/me';
const REAUTHENTICATE = 'POST /api/auth/reauthenticate';

function form(page: Page, words: Strings) {
  const field = (name: string) => page.getByRole('textbox', { name, exact: true });
  const button = (name: string) =>
    page.getByRole('main').getByRole('button', { name, exact: true });
  const dialog = page.getByRole('dialog', { name: words.reauthTitle });
  return {
    nickname: field(words.nickname),
    email: field(words.email),
    mobile: field(words.mobile),
    edit: button(words.edit),
    save: button(words.save),
    cancel: button(words.cancel),
    dialog,
    password: dialog.getByLabel(words.password, { exact: true }),
    goOn: dialog.getByRole('button', { name: words.reauthSubmit, exact: true }),
  };
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('nickname change shows at once, in every tab and after a reload', async ({
      page,
      context,
      user,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      const other = new Gatehouse(await context.newPage(), words);
      await other.open('/profile');
      await other.expectProfile(user);

      await gatehouse.accountMenu(user.username).click();
      await gatehouse.menu.getByRole('link', { name: words.settings }).click();
      await gatehouse.expectPath('/settings');
      await expect(page.getByRole('heading', { name: words.settings, level: 1 })).toBeFocused();
      const release = await hold(page, '/api/me');
      const { edit, nickname, save } = form(page, words);
      await edit.click();
      await expect(nickname).toBeFocused();
      await nickname.fill('Ada Lovelace');
      await save.click();
      // The response is pending.
      await expect(gatehouse.accountMenu('Ada Lovelace')).toBeVisible();
      await expect(edit).toBeFocused();
      await expect(other.main.getByText(words.welcome('Ada Lovelace'))).toBeVisible();
      release();
      await expect(gatehouse.status(words.profileSaved)).toBeVisible();
      await gatehouse.reload();
      await expect(gatehouse.accountMenu('Ada Lovelace')).toBeVisible();
      await expect(gatehouse.main.getByText('Ada Lovelace')).toBeVisible();
    });

    test('profile requested before a change and received after it does not undo the change', async ({
      api,
      user,
      newTab,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 401 .*\/api\/me/);
      const session = await api.refresh(await api.login(user));
      const page = await newTab(session, { locale });
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.open('/settings/profile');
      const { edit, email, save, password, goOn } = form(page, words);
      await edit.click();
      await email.fill('ada@example.com');
      await save.click();
      await expect(password).toBeFocused();
      // The new tokens make the page request the profile; its response comes after the change.
      const [request, response] = [deferred(), deferred()];
      const isChanged = page.waitForResponse(
        (response) => response.request().method() === 'PATCH' && response.status() === 200,
      );
      await page.route('**/api/me', async (route) => {
        if (route.request().method() === 'PATCH') {
          await request.promise;
          await route.continue();
          return;
        }
        const answer = await route.fetch();
        request.resolve();
        await response.promise;
        await route.fulfill({ response: answer });
      });
      const isReceived = page.waitForResponse(
        (response) =>
          response.url().endsWith('/api/me') && response.request().method() === 'GET',
      );
      await password.fill(PASSWORD);
      await goOn.click();
      await isChanged;
      await expect(gatehouse.status(words.profileSaved)).toBeVisible();
      await expect(gatehouse.main.getByText('ada@example.com')).toBeVisible();
      response.resolve();
      await (await isReceived).finished();
      await page.evaluate(() => new Promise(requestAnimationFrame));
      await expect(gatehouse.main.getByText('ada@example.com')).toBeVisible();
    });

    test('email change asks for the password and keeps the input', async ({
      api,
      user,
      newTab,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 401 .*\/api\/(me|auth\/reauthenticate)/);
      const session = await api.refresh(await api.login(user));
      const page = await newTab(session, { locale });
      const gatehouse = new Gatehouse(page, words);
      const calls = watchCalls(page);
      await gatehouse.open('/settings/profile');
      const { edit, email, mobile, save, dialog, password, goOn } = form(page, words);
      await edit.click();
      await email.fill('ada@example.com');
      await mobile.fill('+86 139 1234 5901');
      await save.click();
      await expect(password).toBeFocused();
      // Password managers need the username.
      await expect(dialog.locator('input[autocomplete="username"]')).toHaveValue(user.username);

      // Cancelling returns to the unchanged form.
      await page.keyboard.press('Escape');
      await expect(dialog).toBeHidden();
      await expect(email).toHaveValue('ada@example.com');
      await expect(mobile).toHaveValue('+86 139 1234 5901');
      await expect(page.getByRole('alert')).toHaveCount(0);
      expect(count(calls, REAUTHENTICATE)).toBe(0);

      await save.click();
      await password.fill('not this one');
      await goOn.click();
      await expect(dialog.getByText(words.wrongPassword)).toBeVisible();
      await expect(password).toBeFocused();
      await password.fill(PASSWORD);
      await goOn.click();
      await expect(dialog).toBeHidden();
      await expect(gatehouse.status(words.profileSaved)).toBeVisible();
      expect(count(calls, 'POST /api/auth/refresh')).toBe(0);

      await expect(gatehouse.main.getByText('ada@example.com')).toBeVisible();
      await expect(gatehouse.main.getByText('+8613912345901')).toBeVisible();

      // After reauthentication no password is asked for while the token is fresh.
      await edit.click();
      await email.fill('');
      await save.click();
      await expect(edit).toBeFocused();
      await expect(gatehouse.main.getByText(words.notProvided)).toHaveCount(2);
      expect([count(calls, REAUTHENTICATE), count(calls, CHANGE)]).toEqual([2, 4]);
    });

    test('profile form of another account starts empty', async ({ page, user }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await gatehouse.open('/settings/profile');
      // A pending request would be rejected when the session ends.
      await gatehouse.expectIdle();
      await gatehouse.accountMenu(user.username).click();
      await gatehouse.menu.getByRole('button', { name: words.switchAccount }).click();
      await gatehouse.expectPath('/login');
      await expect(gatehouse.account).toHaveValue('');
      await expect(gatehouse.password).toHaveValue('');
      expect((await gatehouse.storage()).local.access_token).toBeUndefined();
    });
  });
}

test('failed profile change is rolled back and the form keeps the input', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 503 .*\/api\/me/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/settings/profile');
  const { edit, nickname, save, cancel } = form(page, EN);
  await expect(edit).toBeEnabled();
  await page.route('/api/me', (route) => fail(route, 503, 'unavailable', 'It is busy.'));
  await edit.click();
  await nickname.fill('Ada');
  await save.click();
  await expect(gatehouse.alert('It is busy.')).toBeVisible();
  await expect(nickname).toHaveValue('Ada');
  await expect(gatehouse.accountMenu(user.username)).toBeVisible();
  await cancel.click();
  await expect(edit).toBeFocused();
  // The form starts empty, without the input or error of the last attempt.
  await edit.click();
  await expect(nickname).toHaveValue('');
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('invalid email is reported before anything is sent', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/settings/profile');
  const calls = watchCalls(page);
  const { edit, email, save } = form(page, EN);
  await edit.click();
  await email.fill('ada@');
  await save.click();
  await expect(email).toBeFocused();
  await expect(email).toHaveAccessibleDescription(EN.problems.emailInvalid);
  expect(count(calls, CHANGE)).toBe(0);
});

test('settings on a phone are a list that leads to each section and back', async ({
  page,
  user,
}) => {
  await resize(page, { width: 360, height: 740 });
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.accountMenu(user.username).click();
  await gatehouse.menu.getByRole('link', { name: EN.settings }).click();
  await gatehouse.expectPath('/settings');
  const { edit } = form(page, EN);
  await expect(edit).toBeHidden();
  await gatehouse.main.getByRole('link', { name: EN.sectionProfile }).click();
  await expect(page.getByRole('heading', { name: EN.sectionProfile, level: 1 })).toBeFocused();
  await expect(edit).toBeVisible();
  await gatehouse.main.getByRole('link', { name: EN.settings }).click();
  await gatehouse.expectPath('/settings');
  await expect(edit).toBeHidden();
});

test('guest is redirected to login and back to the settings section', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/settings/profile');
  await gatehouse.expectPath('/login?redirect=%2Fsettings%2Fprofile');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectPath('/settings/profile');
  await expect(page.getByRole('heading', { name: EN.sectionProfile, level: 1 })).toBeVisible();
});

test('edit on the profile opens the form at once', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.main.getByRole('link', { name: EN.edit, exact: true }).click();
  const { edit, nickname, cancel } = form(page, EN);
  await expect(nickname).toBeFocused();
  await gatehouse.expectPath('/settings/profile?edit');
  await cancel.click();
  await expect(edit).toBeFocused();
  // A reload does not open it again.
  await gatehouse.expectPath('/settings/profile');
});

test('unsaved details are kept while other sections are visited', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/settings/profile');
  const { edit, nickname, email, cancel } = form(page, EN);
  await edit.click();
  await nickname.fill('Ada');
  await email.fill('ada@');
  const sections = gatehouse.main.getByRole('navigation');
  await sections.getByRole('link', { name: EN.sectionDevices }).click();
  await gatehouse.expectPath('/settings/devices');
  await sections.getByRole('link', { name: EN.sectionProfile }).click();
  await expect(nickname).toHaveValue('Ada');
  await expect(email).toHaveValue('ada@');
  // Cancelling discards them.
  await cancel.click();
  await sections.getByRole('link', { name: EN.sectionDevices }).click();
  await gatehouse.expectPath('/settings/devices');
  await sections.getByRole('link', { name: EN.sectionProfile }).click();
  await expect(edit).toBeEnabled();
  await expect(nickname).toBeHidden();
  await edit.click();
  await expect(nickname).toHaveValue('');
});

test('address of the log-in becomes the contact address with one button', async ({ page, api }) => {
  const user = newUser();
  const address = { ...user, username: `${user.username}@example.com` };
  await api.register(address);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(address);
  await gatehouse.open('/settings/profile');
  await expect(gatehouse.main.getByText(EN.loginAddress)).toBeVisible();
  await gatehouse.main.getByRole('button', { name: EN.useAsContact }).click();
  await expect(gatehouse.status(EN.profileSaved)).toBeVisible();
  await expect(gatehouse.main.getByText(EN.loginAddress)).toHaveCount(0);
  await expect(form(page, EN).edit).toBeFocused();
  // As username and as contact address.
  await gatehouse.reload();
  await expect(gatehouse.main.getByText(address.username, { exact: true })).toHaveCount(2);
  await expect(gatehouse.main.getByText(EN.loginAddress)).toHaveCount(0);
});

test('click that leaves an invalid field reaches the button below it', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/settings/profile');
  const { edit, email, save } = form(page, EN);
  await edit.click();
  await email.fill('ada@');
  await save.hover();
  const before = await save.boundingBox();
  await page.mouse.down();
  // The error is there; its row grows after the click, or the button would move away from it.
  await expect(email).toHaveAttribute('aria-invalid', 'true');
  // The pressed button is moved by a pixel, which rounds its height.
  expect((await save.boundingBox())?.height).toBeCloseTo(before?.height ?? 0, 1);
  expect(Math.abs(((await save.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);
  await page.mouse.up();
  await expect(email).toBeFocused();
  await expect
    .poll(async () => ((await save.boundingBox())?.y ?? 0) - (before?.y ?? 0))
    .toBeGreaterThan(10);
});
