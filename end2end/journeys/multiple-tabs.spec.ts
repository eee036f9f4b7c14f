// Several tabs of one browser: they share a session and synchronize within a second.
import type { BrowserContext, Page } from '@playwright/test';

import { remembering } from '../support/api.ts';
import { call, count, expire, hold, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser, type User } from '../support/users.ts';
import { EN } from '../support/words.ts';

const ME = 'GET /api/me';
const REFRESH = 'POST /api/auth/refresh';

/** Tabs synchronize within a second, in milliseconds. */
const SYNC_TIMEOUT = { timeout: 1000 };

async function tabs(context: BrowserContext, number: number): Promise<Gatehouse[]> {
  const pages = await Promise.all(Array.from({ length: number }, () => context.newPage()));
  return pages.map((page) => new Gatehouse(page));
}

/** Returns the token pair in the session storage of a tab. */
async function ownRefreshToken(page: Page): Promise<string | null> {
  return page.evaluate(() => sessionStorage.getItem('refresh_token'));
}

/** Duplicates a tab: `window.open` copies the session storage, too. */
async function duplicateTab(page: Page, user: User): Promise<Gatehouse> {
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate(() => void window.open('/profile')),
  ]);
  const duplicate = new Gatehouse(popup);
  await duplicate.waitForHydration();
  await duplicate.expectProfile(user);
  return duplicate;
}

/**
 * Sends five requests of a tab at once by switching between two pages. `held` are the requests sent
 * so far by all tabs.
 */
async function fiveCalls(gatehouse: Gatehouse, held: string[]): Promise<void> {
  const before = count(held, ME);
  await gatehouse.open('/profile');
  await expect.poll(() => count(held, ME) - before).toBe(1);
  for (let call = 2; call <= 5; call += 1) {
    for (const path of ['/', '/profile']) {
      await gatehouse.page.evaluate(
        (to) => document.querySelector<HTMLAnchorElement>(`.site-header a[href="${to}"]`)?.click(),
        path,
      );
      await gatehouse.expectPath(path);
    }
    await expect.poll(() => count(held, ME) - before).toBe(call);
  }
}

for (const [what, hasLocks] of [
  ['the locks of the browser', true],
  ['a browser that has no locks', false],
] as const) {
  test(`invariant 16: fifteen requests of three tabs with an expired token send one refresh, with ${what}`, async ({
    expired,
    newContext,
    browserErrors,
  }) => {
    // Three tabs with eight navigations each.
    test.slow();
    browserErrors.expect(/status of 401 .*\/api\/me/);
    const { server, user, session } = await expired();
    const browser = await newContext({
      baseURL: server.url,
      storageState: remembering(server.url, session),
    });
    if (!hasLocks)
      await browser.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'locks'));
    const sent: string[] = [];
    const answered: string[] = [];
    browser.on('request', (request) => sent.push(call(request)));
    browser.on('response', (response) =>
      answered.push(`${call(response.request())} ${String(response.status())}`),
    );
    const release = await hold(browser, '/api/me');
    const three = await tabs(browser, 3);
    for (const tab of three) await fiveCalls(tab, sent);
    expect(await three[0]?.page.evaluate(() => 'locks' in navigator)).toBe(hasLocks);
    expect(count(sent, REFRESH)).toBe(0);

    release();
    for (const tab of three) await tab.expectProfile(user);
    await expect
      .poll(() => [count(answered, `${ME} 401`), count(answered, `${ME} 200`)])
      .toEqual([15, 15]);
    expect(count(sent, REFRESH)).toBe(1);
    expect(count(answered, `${REFRESH} 200`)).toBe(1);
  });
}

test('login in one tab logs in every tab, each at its own target', async ({ context, user }) => {
  const [here, there, elsewhere] = (await tabs(context, 3)) as [Gatehouse, Gatehouse, Gatehouse];
  await there.open('/login?redirect=%2F%3Fback%3D1');
  await elsewhere.open('/');
  await here.open('/login');
  await here.fillLogin(user);
  await here.loginButton.click();
  await here.expectPath('/profile');
  await expect(there.accountMenu(user.username)).toBeVisible(SYNC_TIMEOUT);
  await there.expectPath('/?back=1');
  await expect(elsewhere.accountMenu(user.username)).toBeVisible(SYNC_TIMEOUT);
  await elsewhere.expectPath('/');
});

test('invariant 45: logout in one tab logs out every tab and revokes the tokens, also after a crash', async ({
  context,
  user,
  api,
  server,
}) => {
  const [here, there] = (await tabs(context, 2)) as [Gatehouse, Gatehouse];
  await here.logIn(user);
  await there.open('/profile');
  await there.expectProfile(user);
  const copied = await here.tokens();

  await here.logOut();
  // The second begins when this tab is done, not when it sends its request.
  await here.expectPath('/login');
  await expect(there.account).toBeVisible(SYNC_TIMEOUT);
  await there.expectPath('/login?redirect=%2Fprofile');
  await expect(there.alert(EN.sessionLoggedOut)).toHaveCount(1);
  await expect(there.page.getByText(user.username)).toHaveCount(0);
  expect(await there.storage()).toEqual({ local: {}, tab: {} });

  const revoked = { status: 401, code: 'token_revoked' };
  const presentBoth = async () => {
    expect(await api.present('GET', '/api/me', copied.access)).toEqual(revoked);
    expect(await api.present('POST', '/api/auth/refresh', copied.refresh)).toEqual(revoked);
  };
  await presentBoth();
  await server.kill();
  await server.resume();
  await presentBoth();
});

test('token pair refreshed by one tab is used by every tab', async ({
  context,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401 .*\/api\/me/);
  const [here, there] = (await tabs(context, 2)) as [Gatehouse, Gatehouse];
  await here.logIn(user);
  await there.open('/profile');
  await there.expectProfile(user);
  const before = await here.tokens();
  // The other tab does not present the old token, neither now nor when it reloads its data.
  const signed: (string | undefined)[] = [];
  there.page.on('request', (request) => signed.push(request.headers().authorization));
  // Only this tab gets `token_expired`.
  await expire(here.page, before.access);
  await here.reload();
  await here.expectProfile(user);
  const after = await here.tokens();
  expect(after.access).not.toBe(before.access);

  // A tab that has received new tokens requests its profile with them.
  await expect.poll(() => signed).toContain(`Bearer ${after.access}`);
  await there.home.click();
  await there.nav.getByRole('link', { name: EN.profile }).click();
  await there.expectProfile(user);
  expect(new Set(signed.filter(Boolean))).toEqual(new Set([`Bearer ${after.access}`]));
});

test('login of another user in one tab switches every tab', async ({ context, user, api }) => {
  const other = newUser('grace');
  await api.register(other);
  const [here, there] = (await tabs(context, 2)) as [Gatehouse, Gatehouse];
  await here.open('/login');
  await there.open('/login');
  await here.logIn(user);
  await there.expectProfile(user);
  await here.logOut();
  await here.expectPath('/login');
  await here.logIn(other);
  await expect(there.main.getByText(EN.welcome(other.username))).toBeVisible(SYNC_TIMEOUT);
  await there.expectProfile(other);
});

test('tab with its own session is independent', async ({ context, user, api }) => {
  const other = newUser('grace');
  await api.register(other);
  const [own, shared] = (await tabs(context, 2)) as [Gatehouse, Gatehouse];
  await own.logIn(user, { remember: false });
  await shared.logIn(other);
  const third = new Gatehouse(await context.newPage());
  await third.open('/profile');
  await third.expectProfile(other);
  await shared.logOut();
  // Once a third tab has followed, this one has received the message, too.
  await third.expectPath('/login?redirect=%2Fprofile');
  await own.reload();
  await own.expectProfile(user);
  await own.logOut();
  await own.expectPath('/login');
});

test('duplicated tab and its original share the session', async ({
  page,
  context,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401 .*\/api\/me/);
  const first = new Gatehouse(page);
  await first.logIn(user, { remember: false });
  const duplicate = await duplicateTab(page, user);
  const calls = [watchCalls(page), watchCalls(duplicate.page)];

  // Each of them in turn gets `token_expired` for the shared token.
  for (const round of [0, 1, 2, 3]) {
    const [here, there] = round % 2 === 0 ? [first, duplicate] : [duplicate, first];
    const before = await ownRefreshToken(here.page);
    const access = await here.page.evaluate(
      () => JSON.parse(sessionStorage.getItem('access_token') ?? '""') as string,
    );
    await expire(here.page, access);
    await here.reload();
    await here.expectProfile(user);
    const after = await ownRefreshToken(here.page);
    expect(after).not.toBe(before);
    await expect
      .poll(() => ownRefreshToken(there.page), { ...SYNC_TIMEOUT, intervals: [50] })
      .toBe(after);
  }
  expect(calls.map((sent) => count(sent, REFRESH))).toEqual([2, 2]);

  // Closing one tab does not affect the other.
  await page.close();
  await duplicate.reload();
  await duplicate.expectProfile(user);
  expect(context.pages()).toHaveLength(1);
});

test('logout in a tab logs out its duplicate', async ({ page, user }) => {
  const first = new Gatehouse(page);
  await first.logIn(user, { remember: false });
  const duplicate = await duplicateTab(page, user);
  await first.logOut();
  await first.expectPath('/login');
  await expect(duplicate.account).toBeVisible(SYNC_TIMEOUT);
  await expect(duplicate.alert(EN.sessionLoggedOut)).toHaveCount(1);
  expect(await ownRefreshToken(duplicate.page)).toBeNull();
});
