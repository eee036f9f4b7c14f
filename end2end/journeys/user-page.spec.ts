// The page of a user, for administrators: sessions, pictures, events and actions.
import type { Page } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { png } from '../support/pictures.ts';
import { PASSWORD, newUser } from '../support/users.ts';
import { EN, LANGUAGES, type Strings } from '../support/words.ts';

function userPage(page: Page, words: Strings) {
  const main = page.getByRole('main');
  const card = (name: string) => main.getByRole('region', { name });
  return {
    name: main.getByRole('heading', { level: 1 }),
    profile: card(words.sectionProfile),
    sessions: card(words.activeSessions),
    pictures: card(words.pictures),
    events: card(words.recentActivity),
    action: (name: string) => card(words.manage).getByRole('button', { name, exact: true }),
    dialog: (name: string) => page.getByRole('dialog', { name }),
  };
}

async function open(gatehouse: Gatehouse, name: string): Promise<void> {
  await gatehouse.open(`/admin/users?search=${name}`);
  await gatehouse.main.getByRole('link', { name, exact: true }).click();
  await expect(gatehouse.main.getByRole('heading', { level: 1, name })).toBeFocused();
}

/** Uploads a file once the list is loaded, so that the list has the file once. */
async function upload(gatehouse: Gatehouse): Promise<void> {
  await gatehouse.expectIdle();
  await gatehouse.page.locator('input[type=file]').first().setInputFiles({
    name: 'beach.png',
    mimeType: 'image/png',
    buffer: png(64, 48, [40, 120, 160], [230, 160, 120]),
  });
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('picture that breaks the rules is removed, and its owner is told why', async ({
      page,
      user,
      administrator,
      newContext,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 400 .*\/api\/users\/removals/);
      const owner = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await owner.logIn(user);
      await owner.open('/files');
      await upload(owner);
      await expect(owner.main.getByText('beach.png')).toBeVisible();

      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(administrator);
      await open(gatehouse, user.username);
      const { pictures, events, dialog } = userPage(page, words);
      // Private until the administrator asks for them, which is recorded.
      await expect(pictures.getByRole('img')).toHaveCount(0);
      await pictures.getByRole('button', { name: words.showPictures }).click();
      await expect(pictures.getByRole('img', { name: 'beach.png' })).toBeVisible();
      await pictures.getByRole('button', { name: `${words.removePicture}: beach.png` }).click();
      const question = dialog(words.removalTitle);
      const confirm = question.getByRole('button', { name: words.removePicture, exact: true });
      await confirm.click();
      await expect(question.getByRole('alert')).toContainText(words.removalChoose);
      await question.getByLabel(words.removalReason).selectOption('other');
      await confirm.click();
      await expect(question.getByRole('alert')).not.toContainText(words.removalChoose);
      await question.getByLabel(words.removalExplanation).fill('Shows a plan.');
      await confirm.click();
      await expect(gatehouse.status(words.pictureRemovedDone)).toBeVisible();
      await expect(pictures.getByRole('img')).toHaveCount(0);
      await expect(events.getByRole('listitem').first()).toContainText(administrator.username);

      await owner.reload();
      const notice = owner.main.getByRole('region', { name: words.noticeFile });
      await expect(notice).toContainText('Shows a plan.');
      await expect(notice).toContainText('beach.png');
      await expect(owner.main.getByRole('listitem')).toHaveCount(0);
      await owner.open('/profile');
      await expect(notice).toBeVisible();
      await notice.getByRole('button', { name: words.noticeDismiss }).click();
      await expect(notice).toHaveCount(0);
      await owner.reload();
      await owner.expectWelcome(user);
      await expect(notice).toHaveCount(0);
    });

    test('one session of a user is ended, and the others go on', async ({
      page,
      api,
      user,
      administrator,
      newContext,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 401 .*\/api\/(me|auth\/refresh)/);
      const theirs = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await theirs.logIn(user);
      const other = await api.login(user);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(administrator);
      await open(gatehouse, user.username);
      const { sessions, dialog } = userPage(page, words);
      await expect(sessions.getByRole('listitem')).toHaveCount(2);
      await sessions.getByRole('button', { name: /Chrome/ }).click();
      const question = dialog(words.endSessionTitle);
      await question.getByRole('button', { name: words.cancel }).click();
      await expect(question).toBeHidden();
      await sessions.getByRole('button', { name: /Chrome/ }).click();
      await question.getByRole('button', { name: words.endSession, exact: true }).click();
      await expect(gatehouse.status(words.deviceLoggedOut)).toBeVisible();
      await expect(sessions.getByRole('listitem')).toHaveCount(1);
      await expect(sessions.getByRole('heading', { level: 2 })).toBeFocused();
      await theirs.page.reload();
      await expect(theirs.alert(words.sessionEndedElsewhere)).toBeVisible();
      expect((await api.present('GET', '/api/me', other.access_token)).status).toBe(200);
    });

    test('user is disabled and enabled on the page of the user', async ({
      page,
      user,
      administrator,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(administrator);
      await open(gatehouse, user.username);
      const { profile, events, action, dialog } = userPage(page, words);
      await expect(profile).toContainText(words.enabled);
      await action(words.disable).click();
      await dialog(words.disableTitle)
        .getByRole('button', { name: words.disable, exact: true })
        .click();
      await expect(profile).toContainText(words.disabled);
      await expect(action(words.disable)).toBeHidden();
      await expect(events.getByRole('listitem').first()).toContainText(administrator.username);
      await action(words.enable).click();
      await expect(profile).toContainText(words.enabled);
      await action(words.promote).click();
      await dialog(words.promoteTitle)
        .getByRole('button', { name: words.promote, exact: true })
        .click();
      await expect(profile).toContainText(words.roleAdmin);
    });
  });
}

test('pictures of a user require the password after a refresh', async ({
  api,
  user,
  administrator,
  newContext,
  newTab,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401 .*\/api\/users\/files/);
  const owner = new Gatehouse(await (await newContext()).newPage());
  await owner.logIn(user);
  await owner.open('/files');
  await upload(owner);
  await expect(owner.main.getByText('beach.png')).toBeVisible();
  const page = await newTab(await api.refresh(await api.login(administrator)));
  const gatehouse = new Gatehouse(page);
  await open(gatehouse, user.username);
  const { pictures, dialog } = userPage(page, EN);
  const show = pictures.getByRole('button', { name: EN.showPictures });
  await show.click();
  const proof = dialog(EN.reauthTitle);
  await proof.getByRole('button', { name: EN.cancel }).click();
  // Cancelled: nothing is shown, and it can be asked for again.
  await expect(pictures.getByRole('img')).toHaveCount(0);
  await show.click();
  await proof.getByLabel(EN.password, { exact: true }).fill(PASSWORD);
  await proof.getByRole('button', { name: EN.reauthSubmit, exact: true }).click();
  await expect(pictures.getByRole('img', { name: 'beach.png' })).toBeVisible();
});

test('actions on a user with shown pictures request no picture again', async ({
  page,
  user,
  administrator,
  newContext,
}) => {
  const owner = new Gatehouse(await (await newContext()).newPage());
  await owner.logIn(user);
  await owner.open('/files');
  await upload(owner);
  await expect(owner.main.getByText('beach.png')).toBeVisible();
  await upload(owner);
  await expect(owner.main.getByText('beach.png')).toHaveCount(2);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await open(gatehouse, user.username);
  const { profile, pictures, action, dialog } = userPage(page, EN);
  const requests: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/api/users/file')) requests.push(pathname);
  });
  await pictures.getByRole('button', { name: EN.showPictures }).click();
  await expect(pictures.getByRole('img', { name: 'beach.png' })).toHaveCount(2);
  const shown = requests.length;

  await action(EN.promote).click();
  await dialog(EN.promoteTitle).getByRole('button', { name: EN.promote, exact: true }).click();
  await expect(profile).toContainText(EN.roleAdmin);
  await pictures
    .getByRole('button', { name: `${EN.removePicture}: beach.png` })
    .first()
    .click();
  const question = dialog(EN.removalTitle);
  await question.getByLabel(EN.removalReason).selectOption('spam');
  await question.getByRole('button', { name: EN.removePicture, exact: true }).click();
  await expect(pictures.getByRole('img', { name: 'beach.png' })).toHaveCount(1);
  // Each request for the list is an entry of the audit log.
  expect(requests).toHaveLength(shown);
});

test('own account cannot be disabled on its page', async ({ page, administrator }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await open(gatehouse, administrator.username);
  const { action, sessions } = userPage(page, EN);
  const expectOwn = async () => {
    await expect(action(EN.endSessions)).toBeVisible();
    await expect(action(EN.disable)).toBeHidden();
    await expect(gatehouse.main.getByText(EN.ownAccount)).toBeVisible();
    await expect(sessions.getByText(EN.thisDevice)).toBeVisible();
  };
  await expectOwn();
  await gatehouse.reload();
  await expectOwn();
});

test('user who was deleted meanwhile is reported, and the list is offered', async ({
  page,
  api,
  administrator,
  newContext,
  browserErrors,
}) => {
  browserErrors.expect(
    /status of 404 .*\/api\/users/,
    // The session has ended with the account.
    /status of 401 .*\/api\/auth\/logout/,
  );
  const user = newUser();
  await api.register(user);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await open(gatehouse, user.username);
  const theirs = new Gatehouse(await (await newContext()).newPage());
  await theirs.logIn(user);
  await theirs.open('/settings/data');
  // A pending request would be rejected when the account is gone.
  await theirs.expectIdle();
  await theirs.main.getByLabel(EN.deleteConfirm).fill(user.username);
  await theirs.main.getByRole('button', { name: EN.deleteSubmit }).click();
  await expect(theirs.page.getByText(EN.accountDeleted)).toBeVisible();

  const { action } = userPage(page, EN);
  await action(EN.endSessions).click();
  await page.getByRole('dialog').getByRole('button', { name: EN.endSessions, exact: true }).click();
  await expect(gatehouse.alert(EN.messages.notFound)).toBeVisible();
  await gatehouse.reload();
  await expect(gatehouse.alert(EN.userGone)).toBeVisible();
  await gatehouse.main.getByRole('link', { name: EN.users }).last().click();
  await gatehouse.expectPath('/admin/users');
});

test('page of a user is refused once the role is lost', async ({
  page,
  api,
  user,
  server,
  browserErrors,
}) => {
  browserErrors.expect(/status of 403 .*\/api\//);
  await server.command(['user', 'role', user.username, 'admin']);
  const { user: own } = await api.login(user);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open(`/admin/users/${own.id}`);
  const { action, profile } = userPage(page, EN);
  await expect(profile).toContainText(user.username);
  // Another administrator, so that the role can be taken.
  await server.command(['user', 'create', newUser().username, '--admin'], PASSWORD);
  await server.command(['user', 'role', user.username, 'user']);
  await expect
    .poll(async () => (await api.present('GET', '/api/users', (await gatehouse.tokens()).access)).status)
    .toBe(403);
  await action(EN.endSessions).click();
  await page.getByRole('dialog').getByRole('button', { name: EN.endSessions, exact: true }).click();
  await expect(gatehouse.alert(EN.messages.forbidden)).toBeVisible();
  await gatehouse.reload();
  await expect(gatehouse.alert(EN.adminOnly)).toBeVisible();
  await expect(profile).toBeHidden();
});

test('page of a user that is opened offline can be loaded again', async ({
  page,
  context,
  user,
  administrator,
  browserErrors,
}) => {
  browserErrors.expect(/ERR_INTERNET_DISCONNECTED/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open(`/admin/users?search=${user.username}`);
  await expect(gatehouse.main.getByRole('link', { name: user.username })).toBeVisible();
  await context.setOffline(true);
  await gatehouse.main.getByRole('link', { name: user.username }).click();
  await expect(gatehouse.alert(EN.userFailed)).toBeVisible();
  await context.setOffline(false);
  await gatehouse.main.getByRole('button', { name: EN.retry }).click();
  await expect(userPage(page, EN).profile).toContainText(user.username);
});
