// Deployment of a new build while pages are open: files that these have not loaded yet are gone.
import type { Page, Route } from '@playwright/test';

import { anotherBuild, type Build } from '../support/builds.ts';
import { expect, test as base } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { EN } from '../support/words.ts';

const CHUNK = /\/pkg\/[\w-]{22}\/split_lazy_pages\.[^/]*\.wasm$/;

/** `deploy` restarts the server with another build. */
const test = base.extend<{ deploy: () => Promise<void> }, { build: Build }>({
  build: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs
    async ({}, use) => {
      const build = await anotherBuild();
      await use(build);
      await build.dispose();
    },
    { scope: 'worker' },
  ],
  deploy: async ({ server, build, browserErrors }, use) => {
    let deployed = 0;
    await use(async () => {
      deployed += 1;
      await server.halt();
      await server.resume(build.settings, build.program);
    });
    if (deployed > 0) {
      browserErrors.stop();
      await server.halt();
      await server.resume({});
    }
  },
});

/** Collects the documents that a tab loads. */
function watchDocuments(page: Page): string[] {
  const paths: string[] = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest()) paths.push(new URL(request.url()).pathname);
  });
  return paths;
}

/** Responses that may replace a missing file. */
const ANSWERS: Record<string, (route: Route) => Promise<void>> = {
  'a 404': (route) =>
    route.fulfill({ status: 404, contentType: 'text/plain', body: 'There is no such file.\n' }),
  'an HTML page': (route) =>
    route.fulfill({
      status: 200,
      contentType: 'text/html',
      body: '<!DOCTYPE html><title>Not here</title>',
    }),
  'an empty answer': (route) =>
    route.fulfill({ status: 200, contentType: 'application/wasm', body: '' }),
  'an error of a gateway': (route) =>
    route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }),
};

// Otherwise a build that changes only the lazy chunk would keep the names of glue and program, and
// browsers would combine cached files of two builds (cargo-leptos#658, frontend/build.rs).
test('glue and program carry the same build id', async ({ page }) => {
  const files: Record<string, Promise<Buffer>> = {};
  page.on('response', (response) => {
    const [, kind] = /\/pkg\/[\w-]{22}\/gatehouse\.[\w-]{22}\.(js|wasm)$/.exec(response.url()) ?? [];
    if (kind !== undefined) files[kind] = response.body();
  });
  await new Gatehouse(page).open('/login');
  const id = /\bexport function (build_[0-9a-f]{16})\(/.exec(String(await files.js))?.[1] ?? '';
  expect(id).not.toBe('');
  expect((await files.wasm)?.includes(id)).toBe(true);
});

test('login on a page of the previous build loads the new build once', async ({
  page,
  user,
  deploy,
  browserErrors,
}) => {
  browserErrors.expect(/404 .*split_lazy_pages/, /split_lazy_pages|Response|instantiate|wasm/i);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const documents = watchDocuments(page);
  await deploy();
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
  expect(documents).toEqual(['/profile']);
  // From here on the page belongs to the new build.
  await gatehouse.reload();
  await gatehouse.expectProfile(user);
});

test('input on a page of the previous build is kept and sent', async ({ page, deploy }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  const documents = watchDocuments(page);
  const user = newUser();
  await gatehouse.fillRegistration(user);
  await deploy();
  await expect(gatehouse.account).toHaveValue(user.username);
  await gatehouse.registerButton.click();
  await gatehouse.expectPath('/login');
  await expect(gatehouse.account).toHaveValue(user.username);
  expect(documents).toEqual([]);
});

for (const [name, answer] of Object.entries(ANSWERS)) {
  test(`${name} in place of a file of the previous build loads the new build`, async ({
    page,
    user,
    deploy,
    server,
    browserErrors,
  }) => {
    browserErrors.expect(/split_lazy_pages|Response|instantiate|wasm|status of (?:404|502)/i);
    const html = await (await fetch(`${server.url}/profile`)).text();
    const chunk = /href="(\/pkg\/[\w-]{22}\/split_lazy_pages\.[^"]+)"/.exec(html)?.[1] ?? '';
    expect(chunk).not.toBe('');
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/login');
    const documents = watchDocuments(page);
    await deploy();
    await page.route(`**${chunk}`, answer);
    await gatehouse.fillLogin(user);
    await gatehouse.loginButton.click();
    await gatehouse.expectProfile(user);
    expect(documents).toEqual(['/profile']);
  });

  test(`${name} in place of a file of this build shows an error without reload`, async ({
    page,
    user,
    browserErrors,
  }) => {
    browserErrors.expect(/split_lazy_pages|Response|instantiate|wasm|status of (?:404|502)/i);
    const gatehouse = new Gatehouse(page);
    await page.route(CHUNK, answer);
    await gatehouse.open('/login');
    const documents = watchDocuments(page);
    await gatehouse.fillLogin(user);
    await gatehouse.loginButton.click();
    await expect(gatehouse.alert(EN.networkError)).toBeVisible();
    await page.unroute(CHUNK);
    await gatehouse.main.getByRole('button', { name: EN.retry }).click();
    await gatehouse.expectProfile(user);
    expect(documents).toEqual([]);
  });
}

test('page without files of any build reloads once and then shows an error', async ({
  page,
  user,
  deploy,
  browserErrors,
}) => {
  browserErrors.expect(/split_lazy_pages|Response|instantiate|wasm|status of 404/i);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const documents = watchDocuments(page);
  await deploy();
  await page.route(CHUNK, (route) => route.fulfill({ status: 404, body: '' }));
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(page.locator('.banner-broken')).toBeVisible();
  expect(documents).toEqual(['/profile']);
});

test('page between two alternating builds reloads once, and again on request', async ({
  page,
  user,
  server,
  deploy,
  browserErrors,
}) => {
  browserErrors.expect(/\/pkg\/|Response|instantiate|status of 404/i);
  const gatehouse = new Gatehouse(page);
  const before = await (await fetch(`${server.url}/profile`)).text();
  await gatehouse.open('/login');
  await deploy();
  const old = new Set(before.match(/\/pkg\/[^"]+/g));
  // Navigations get documents of the previous build, scripts those of the new one; files of the
  // previous build are gone, except those of the first load.
  const documents = watchDocuments(page);
  let isSplit = true;
  await page.route('**/profile', async (route) => {
    if (route.request().isNavigationRequest() && isSplit)
      await route.fulfill({ status: 200, contentType: 'text/html', body: before });
    else await route.fallback();
  });
  await page.route(CHUNK, async (route) => {
    if (old.has(new URL(route.request().url()).pathname))
      await route.fulfill({ status: 404, body: '' });
    else await route.fallback();
  });
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(page.locator('.banner-broken')).toBeVisible();
  expect(documents).toEqual(['/profile']);
  isSplit = false;
  await page.getByRole('link', { name: EN.reload }).click();
  await gatehouse.expectProfile(user);
});

test('page starting during a deployment loads the new build', async ({
  page,
  user,
  server,
  deploy,
  browserErrors,
}) => {
  browserErrors.expect(/\/pkg\/|status of 404|Failed to fetch|MIME/);
  const before = await (await fetch(`${server.url}/login`)).text();
  await deploy();
  let isFirst = true;
  await page.route('**/login', async (route) => {
    const serveOld = isFirst && route.request().isNavigationRequest();
    isFirst = false;
    if (serveOld) await route.fulfill({ status: 200, contentType: 'text/html', body: before });
    else await route.fallback();
  });
  const gatehouse = new Gatehouse(page);
  const documents = watchDocuments(page);
  await page.goto('/login');
  await gatehouse.waitForHydration();
  expect(documents).toEqual(['/login', '/login']);
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
});
