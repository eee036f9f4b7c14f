// Responses of a proxy in place of the server: a hotspot, a gateway, a sign-on proxy. Whatever
// their status, they neither end nor begin a session, nor confirm a request.
import type { Page, Route } from '@playwright/test';

import { call, count, expire, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import type { User } from '../support/users.ts';
import { EN } from '../support/words.ts';

/** A response that is not the server's. */
interface Foreign {
  status: number;
  contentType: string;
  body: string;
}

const STATUSES = [200, 204, 302, 307, 400, 401, 403, 404, 429, 500, 503, 511];
const BODIES = [
  {
    contentType: 'text/html; charset=utf-8',
    body: '<!DOCTYPE html><title>Sign in</title><h1>Sign in to the network</h1>',
  },
  { contentType: 'application/json', body: '{"code":401,"message":"Unauthorized"}' },
  {
    contentType: 'application/json',
    body: '{"error":"invalid_token","error_description":"Sign in first"}',
  },
  { contentType: 'application/json', body: '' },
  { contentType: 'text/plain', body: '' },
];
const ANSWERS: Foreign[] = STATUSES.flatMap((status) =>
  BODIES.map((body) => ({ status, ...body })),
);
/** One response of each kind, for slow tests. */
const KINDS: Foreign[] = [200, 302, 401, 503].flatMap((status) =>
  BODIES.slice(0, 2).map((body) => ({ status, ...body })),
);

const describe = ({ status, contentType, body }: Foreign): string =>
  `${String(status)} ${contentType} ${body}`;

/** Answers every request to a path with the current response. */
async function answerWith(page: Page, path: string): Promise<(foreign: Foreign) => void> {
  let current: Foreign | undefined;
  await page.route(path, (route: Route) => {
    if (current === undefined) return route.fallback();
    const { status, contentType, body } = current;
    return route.fulfill({
      status,
      contentType,
      body,
      headers: status >= 300 && status < 400 ? { Location: '/nothing' } : {},
    });
  });
  return (foreign) => (current = foreign);
}

test.beforeEach(({ browserErrors }) => {
  test.slow();
  // The browser logs each error status and each redirect that is not followed.
  browserErrors.expect(/\/api\//, /\/nothing/, /redirect/i);
});

/**
 * Reloads the profile, then answers each further request to `path` with one of the responses: the
 * session is kept, and the page shows an error with a retry. Returns the requests of the tab.
 */
async function expectSessionKept(
  gatehouse: Gatehouse,
  user: User,
  method: string,
  path: string,
): Promise<string[]> {
  const { page } = gatehouse;
  const before = await gatehouse.tokens();
  const answer = await answerWith(page, path);
  const calls = watchCalls(page);
  const request = `${method} ${path}`;
  answer({ status: 401, contentType: 'text/html', body: '<h1>Sign in</h1>' });
  await gatehouse.reload();
  const retry = gatehouse.main.getByRole('button', { name: EN.retry });
  const error = gatehouse.alert(EN.profileFailed);
  await expect(error).toContainText(EN.networkError);
  for (const foreign of ANSWERS) {
    const asked = count(calls, request);
    answer(foreign);
    const asking = page.waitForRequest((sent) => call(sent) === request);
    await retry.click();
    await asking;
    await expect(retry, describe(foreign)).toBeVisible();
    await expect(error, describe(foreign)).toContainText(EN.networkError);
    expect(count(calls, request), describe(foreign)).toBe(asked + 1);
    expect(await gatehouse.tokens(), describe(foreign)).toEqual(before);
  }
  await page.unroute(path);
  await retry.click();
  await gatehouse.expectProfile(user);
  return calls;
}

test('invariant 16: proxy response to a refresh keeps the session', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await expire(page, (await gatehouse.tokens()).access);
  await expectSessionKept(gatehouse, user, 'POST', '/api/auth/refresh');
});

test('invariant 16: proxy response to a request keeps the session and is not taken for data', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const calls = await expectSessionKept(gatehouse, user, 'GET', '/api/me');
  expect(count(calls, 'POST /api/auth/refresh')).toBe(0);
});

test('proxy response to a login neither logs in nor blames the password', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const answer = await answerWith(page, '/api/auth/login');
  await gatehouse.fillLogin(user);
  for (const foreign of ANSWERS) {
    answer(foreign);
    await gatehouse.loginButton.click();
    await expect(gatehouse.alert(EN.networkError), describe(foreign)).toBeVisible();
    await expect(gatehouse.main.locator('button[aria-busy]')).toHaveCount(0);
    expect(await gatehouse.storage(), describe(foreign)).toEqual({ local: {}, tab: {} });
  }
  await gatehouse.expectPath('/login');
  await page.unroute('/api/auth/login');
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
});

test('proxy response to a logout is not taken for one of the server', async ({
  api,
  user,
  newTab,
}) => {
  for (const foreign of KINDS) {
    const session = await api.login(user);
    const page = await newTab(session);
    const gatehouse = new Gatehouse(page);
    (await answerWith(page, '/api/auth/logout'))(foreign);
    await gatehouse.open('/profile');
    await gatehouse.expectProfile(user);
    await gatehouse.logOut();
    await expect(gatehouse.alert(EN.loggedOutLocally), describe(foreign)).toBeVisible();
    expect((await gatehouse.storage()).local, describe(foreign)).toEqual({});
    await page.context().close();
  }
});

test('proxy page in place of an image or archive is not offered', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const before = await gatehouse.tokens();
  const answer = await answerWith(page, '/api/me/export');
  let saved = 0;
  page.on('download', () => (saved += 1));
  await gatehouse.open('/settings/data');
  for (const foreign of KINDS) {
    answer(foreign);
    await gatehouse.main.getByRole('button', { name: EN.exportSubmit }).click();
    await expect(gatehouse.alert(EN.networkError), describe(foreign)).toBeVisible();
    await expect(gatehouse.main.locator('button[aria-busy]')).toHaveCount(0);
  }
  expect(saved).toBe(0);
  expect(await gatehouse.tokens()).toEqual(before);
});
