// The pages behind the gate are a file of their own: nobody loads it who only stands at the door, and it may fail to come.
import type { Page } from '@playwright/test';

import { remembering } from '../support/api.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN } from '../support/words.ts';

const ROOMS = /\/pkg\/split_lazy_pages\.[^/]*\.wasm$/;

/** How often a tab has asked for the file. */
function watchRooms(page: Page): () => number {
  let asked = 0;
  page.on('request', (request) => (asked += ROOMS.test(request.url()) ? 1 : 0));
  return () => asked;
}

test('who stands at the door loads nothing of what is behind it', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  const asked = watchRooms(page);
  for (const path of ['/', '/register', '/login']) {
    await gatehouse.open(path);
    await page.waitForLoadState('networkidle');
  }
  expect(asked()).toBe(0);
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
  expect(asked()).toBe(1);
});

test('a page behind the gate comes from the server as it is, and its file with it', async ({
  api,
  user,
  server,
  newContext,
}) => {
  const visitor = await newContext({
    storageState: remembering(server.url, await api.login(user)),
  });
  const page = await visitor.newPage();
  const gatehouse = new Gatehouse(page);
  const asked = watchRooms(page);
  const html = await (await page.request.get('/profile')).text();
  expect(html).toContain(EN.issuedAt);
  expect(html).toMatch(/<link rel="preload" href="\/pkg\/split_lazy_pages\.[^"]*"/);
  await gatehouse.open('/profile');
  await gatehouse.expectProfile(user);
  expect(asked()).toBe(1);
});

test('a page whose file does not come says so, and is there with the next try', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/split_lazy_pages/, /Failed to fetch/);
  const gatehouse = new Gatehouse(page);
  await page.route(ROOMS, (route) => route.abort('failed'));
  await gatehouse.open('/login');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectPath('/profile');
  await expect(gatehouse.alert(EN.offline)).toBeVisible();
  await page.unroute(ROOMS);
  await gatehouse.main.getByRole('button', { name: EN.retry }).click();
  await gatehouse.expectProfile(user);
});

test('a page that begins without its file says that it could not be loaded', async ({
  page,
  browserErrors,
}) => {
  browserErrors.expect(/split_lazy_pages/, /Failed to fetch/);
  await page.route(ROOMS, (route) => route.abort('failed'));
  await page.goto('/profile');
  await expect(page.locator('.banner-broken')).toBeVisible();
});
