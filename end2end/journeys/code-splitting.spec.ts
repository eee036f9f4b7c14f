// Code splitting: the authenticated pages are a WASM chunk of their own. Guests do not load it, and
// loading it may fail.
import type { Page } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN } from '../support/words.ts';

const CHUNK = /\/pkg\/[\w-]{22}\/split_lazy_pages\.[^/]*\.wasm$/;

/** Number of requests of a tab for the chunk. */
function watchChunk(page: Page): () => number {
  let asked = 0;
  page.on('request', (request) => (asked += CHUNK.test(request.url()) ? 1 : 0));
  return () => asked;
}

test('guest does not load the lazy chunk', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  const asked = watchChunk(page);
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

test('authenticated page is server-rendered and preloads its chunk', async ({
  api,
  user,
  newTab,
}) => {
  const page = await newTab(await api.login(user));
  const gatehouse = new Gatehouse(page);
  const asked = watchChunk(page);
  const html = await (await page.request.get('/profile')).text();
  expect(html).toContain(EN.issuedAt);
  expect(html).toMatch(/<link rel="preload" href="\/pkg\/[\w-]{22}\/split_lazy_pages\.[^"]*"/);
  await gatehouse.open('/profile');
  await gatehouse.expectProfile(user);
  expect(asked()).toBe(1);
});

test('page whose chunk failed to load shows an error and loads on retry', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/split_lazy_pages/, /Failed to fetch/);
  const gatehouse = new Gatehouse(page);
  await page.route(CHUNK, (route) => route.abort('failed'));
  await gatehouse.open('/login');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectPath('/profile');
  await expect(gatehouse.alert(EN.networkError)).toBeVisible();
  await page.unroute(CHUNK);
  await gatehouse.main.getByRole('button', { name: EN.retry }).click();
  await gatehouse.expectProfile(user);
});

test('first page whose chunk is missing shows a load error', async ({ page, browserErrors }) => {
  browserErrors.expect(/split_lazy_pages/, /Failed to fetch/);
  await page.route(CHUNK, (route) => route.abort('failed'));
  await page.goto('/profile');
  await expect(page.locator('.banner-broken')).toBeVisible();
});
