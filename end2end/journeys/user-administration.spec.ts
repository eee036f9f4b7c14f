// User administration: search, and changes that take effect at once in the open tabs of the user.
import type { Page } from '@playwright/test';

import { count, hold, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { PASSWORD, newUser } from '../support/users.ts';
import { EN, LANGUAGES, type Strings } from '../support/words.ts';

function userList(page: Page, words: Strings) {
  const main = page.getByRole('main');
  return {
    search: main.getByLabel(words.usersSearch),
    order: main.getByLabel(words.usersSort),
    row: (name: string) => main.getByRole('row').filter({ hasText: name }),
    names: main.getByRole('rowheader'),
    manage: (name: string) => main.getByRole('button', { name: `${words.manage}: ${name}` }),
    item: (name: string) => page.getByRole('button', { name, exact: true }),
    question: (name: string) => page.getByRole('dialog', { name }),
    next: main.getByRole('link', { name: words.nextPage }),
    first: main.getByRole('link', { name: words.firstPage }),
    previous: main.getByRole('link', { name: words.previousPage }),
    summary: main.locator('#users-summary'),
    filter: (group: string, name: string) =>
      main.getByRole('group', { name: group }).getByRole('link', { name, exact: true }),
  };
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('user is found, disabled with a message in the open tab, and enabled again', async ({
      page,
      user,
      administrator,
      newContext,
      browserErrors,
    }) => {
      // Two browsers and many steps.
      test.slow();
      browserErrors.expect(
        /status of 401 .*\/api\/(me|auth\/refresh)/,
        /status of 403 .*\/api\/auth\/login/,
      );
      const theirs = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await theirs.logIn(user);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(administrator);
      await gatehouse.accountMenu(administrator.username).click();
      await gatehouse.menu.getByRole('link', { name: words.users }).click();
      await gatehouse.expectPath('/admin/users');
      await expect(page.getByRole('heading', { name: words.users, level: 1 })).toBeFocused();

      const { search, row, names, manage, item, question } = userList(page, words);
      await search.fill(user.username);
      await expect(names).toHaveCount(1);
      await gatehouse.expectPath(`/admin/users?search=${user.username}`);
      await expect(row(user.username)).toContainText(words.enabled);

      // A confirmation that can be cancelled.
      await manage(user.username).click();
      await item(words.disable).click();
      await expect(question(words.disableTitle)).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(question(words.disableTitle)).toBeHidden();
      await expect(manage(user.username)).toBeFocused();
      await manage(user.username).click();
      await item(words.disable).click();
      await question(words.disableTitle)
        .getByRole('button', { name: words.disable, exact: true })
        .click();
      await expect(gatehouse.status(words.accountSaved)).toBeVisible();
      await expect(row(user.username)).toContainText(words.disabled);

      await theirs.page.reload();
      await expect(theirs.alert(words.messages.accountDisabled)).toBeVisible();
      await theirs.fillLogin(user);
      await theirs.loginButton.click();
      await expect(theirs.main.getByRole('alert').getByText(words.messages.accountDisabled)).toBeVisible();

      await manage(user.username).click();
      await item(words.enable).click();
      await expect(row(user.username)).toContainText(words.enabled);
      await theirs.password.fill(user.password);
      await theirs.loginButton.click();
      await theirs.expectWelcome(user);
    });

    test('user change after a refresh asks for the password and ends the sessions of the user', async ({
      api,
      user,
      administrator,
      newContext,
      newTab,
      browserErrors,
    }) => {
      // Two browsers and many steps.
      test.slow();
      browserErrors.expect(/status of 401 .*\/api\/(me|users|auth\/refresh)/);
      const theirs = new Gatehouse(await (await newContext({ locale })).newPage(), words);
      await theirs.logIn(user);
      const session = await api.refresh(await api.login(administrator));
      const page = await newTab(session, { locale });
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.open(`/admin/users?search=${user.username}`);
      const { row, manage, item, question } = userList(page, words);
      await manage(user.username).click();
      await item(words.endSessions).click();
      await question(words.endSessionsTitle)
        .getByRole('button', { name: words.endSessions, exact: true })
        .click();
      const proof = question(words.reauthTitle);
      await proof.getByLabel(words.password, { exact: true }).fill(PASSWORD);
      await proof.getByRole('button', { name: words.reauthSubmit, exact: true }).click();
      await expect(gatehouse.status(words.accountSaved)).toBeVisible();
      await theirs.page.reload();
      await expect(theirs.alert(words.sessionEndedElsewhere)).toBeVisible();

      // After reauthentication the next change does not ask again.
      await manage(user.username).click();
      await item(words.promote).click();
      await question(words.promoteTitle)
        .getByRole('button', { name: words.promote, exact: true })
        .click();
      await expect(row(user.username)).toContainText(words.roleAdmin);
      await expect(proof).toBeHidden();
      const promoted = await api.login(user);
      expect((await api.present('GET', '/api/users', promoted.access_token)).status).toBe(200);
    });

    test('user list is refused to users who are not administrators', async ({
      page,
      user,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 403 .*\/api\/users/);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await gatehouse.accountMenu(user.username).click();
      await expect(gatehouse.menu.getByRole('link', { name: words.settings })).toBeVisible();
      await expect(gatehouse.menu.getByRole('link', { name: words.users })).toHaveCount(0);
      await gatehouse.open('/admin/users');
      await expect(gatehouse.alert(words.adminOnly)).toBeVisible();
      await expect(gatehouse.main.getByRole('table')).toBeHidden();
    });

    test('guest is redirected to login and back to the user list', async ({
      page,
      administrator,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.open('/admin/users?sort=username');
      await gatehouse.expectPath(
        `/login?redirect=${encodeURIComponent('/admin/users?sort=username')}`,
      );
      await gatehouse.fillLogin(administrator);
      await gatehouse.loginButton.click();
      await gatehouse.expectPath('/admin/users?sort=username');
      await expect(userList(page, words).order).toHaveValue('username');
    });
  });
}

// Among many accounts the server answers a search for frequent words a part of the list at a time.
test('search goes on over empty pages until it has users', async ({ page, user, administrator }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  const asked: (string | null)[] = [];
  await page.route(/\/api\/users\?/, async (route) => {
    const url = new URL(route.request().url());
    const after = url.searchParams.get('after');
    asked.push(after);
    const empty = { users: [], previous: null, first: 0, total: 0, total_exact: false };
    if (after !== 'second') {
      await route.fulfill({ json: { ...empty, next: after === null ? 'first' : 'second' } });
      return;
    }
    url.searchParams.delete('after');
    await route.continue({ url: url.href });
  });
  await gatehouse.open(`/admin/users?search=${user.username}`);
  await expect(userList(page, EN).names).toHaveCount(1);
  expect(asked).toEqual([null, 'first', 'second']);
});

test('search, order and page are kept in the URL', async ({ page, server, administrator }) => {
  await server.command(['seed', '--users', '120']);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/users');
  const { order, names, next, previous, first, search, summary } = userList(page, EN);
  await expect(names).toHaveCount(50);
  const newest = await names.first().textContent();
  // While another order is loading, no "next page" is offered.
  const arrive = await hold(page, '/api/users*');
  await expect(next).toBeVisible();
  await order.selectOption(EN.sortName);
  await gatehouse.expectPath('/admin/users?sort=username');
  await expect(next).toBeHidden();
  await expect(names.first()).toHaveText(newest ?? '');
  arrive();
  await expect(names.first()).not.toHaveText(newest ?? '');
  const begin = await names.first().textContent();
  await next.click();
  await expect(names.first()).not.toHaveText(begin ?? '');
  const second = await names.first().textContent();
  const address = page.url();
  expect(address).toContain('/admin/users?sort=username&after=');

  // After paging the focus is on the summary above the rows.
  await expect(summary).toHaveText(/^51–100 of [1-9][0-9]{2} users$/);
  await expect(summary).toBeFocused();
  await previous.click();
  await expect(names.first()).toHaveText(begin ?? '');
  await expect(summary).toHaveText(/^1–50 of /);
  await expect(summary).toBeFocused();
  await expect(previous).toBeHidden();
  await page.goBack();
  await expect(names.first()).toHaveText(second ?? '');

  // A reload and a link show the same; Back shows the previous state.
  await gatehouse.reload();
  await expect(names.first()).toHaveText(second ?? '');
  await page.goBack();
  await expect(names.first()).toHaveText(begin ?? '');
  await page.goForward();
  await expect(names.first()).toHaveText(second ?? '');
  await first.click();
  await expect(names.first()).toHaveText(begin ?? '');

  // Another search starts at the first page and is one history entry.
  await next.click();
  await expect(names.first()).toHaveText(second ?? '');
  await search.pressSequentially(administrator.username, { delay: 30 });
  await expect(names).toHaveCount(1);
  await gatehouse.expectPath(`/admin/users?search=${administrator.username}&sort=username`);
  await page.goBack();
  await expect(names.first()).toHaveText(second ?? '');
  await expect(search).toHaveValue('');
});

test('user is found by the beginning of any word of the name', async ({ page, api, administrator }) => {
  const user = { ...newUser(), nickname: 'Brionna Monahan' };
  await api.register(user);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/users');
  const { search, row, summary } = userList(page, EN);
  for (const text of ['monahan', 'MONA', 'mon bri', user.username.split('@')[0] ?? '']) {
    await search.fill(text);
    await expect(row(user.nickname)).toHaveCount(1);
    await expect(summary).toHaveText('1 user');
  }
  await search.fill('onahan');
  await expect(gatehouse.main.getByText(EN.noUsersFound)).toBeVisible();
  await expect(summary).toHaveText(EN.usersNone);
});

test('filters by role and status are kept in the URL', async ({ page, api, server, administrator }) => {
  const user = newUser();
  await api.register(user);
  await server.command(['user', 'disable', user.username]);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/users');
  const { filter, row } = userList(page, EN);
  await expect(row(user.username)).toHaveCount(1);
  await expect(filter(EN.role, EN.anyRole)).toHaveAttribute('aria-current', 'true');
  await filter(EN.role, EN.onlyAdmins).click();
  await gatehouse.expectPath('/admin/users?role=admin');
  await expect(row(user.username)).toHaveCount(0);
  await expect(row(administrator.username)).toHaveCount(1);
  await filter(EN.status, EN.disabled).click();
  await gatehouse.expectPath('/admin/users?role=admin&status=disabled');
  await expect(row(administrator.username)).toHaveCount(0);
  await filter(EN.role, EN.anyRole).click();
  await gatehouse.expectPath('/admin/users?status=disabled');
  await expect(row(user.username)).toHaveCount(1);
  await expect(filter(EN.status, EN.disabled)).toHaveAttribute('aria-current', 'true');
  await page.goBack();
  await expect(row(user.username)).toHaveCount(0);
  await gatehouse.reload();
  await expect(filter(EN.role, EN.onlyAdmins)).toHaveAttribute('aria-current', 'true');
});

test('changed nickname of the administrator does not reload the list', async ({
  page,
  context,
  administrator,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/users');
  await expect(userList(page, EN).manage(administrator.username)).toBeVisible();
  const calls = watchCalls(page);
  const other = await context.newPage();
  await new Gatehouse(other).open('/settings/profile');
  await other.getByRole('button', { name: EN.edit, exact: true }).click();
  await other.getByRole('textbox', { name: EN.nickname, exact: true }).fill('Root');
  await other.getByRole('button', { name: EN.save, exact: true }).click();
  await expect(gatehouse.accountMenu('Root')).toBeVisible();
  await page.evaluate(() => new Promise(requestAnimationFrame));
  expect(count(calls, 'GET /api/users')).toBe(0);
});

test('own account cannot be disabled', async ({ page, administrator }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open(`/admin/users?search=${administrator.username}`);
  const { manage, item } = userList(page, EN);
  await manage(administrator.username).click();
  await expect(item(EN.endSessions)).toBeVisible();
  await expect(item(EN.disable)).toBeHidden();
});

test('user names are rendered as text only', async ({ page, api, administrator }) => {
  const user = { ...newUser(), nickname: '<img src=x onerror=alert(1)>' };
  await api.register(user);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open(`/admin/users?search=${user.username}`);
  await expect(gatehouse.main.getByText(user.nickname, { exact: true })).toBeVisible();
});
