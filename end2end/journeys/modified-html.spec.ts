// HTML that was modified before hydration, by extensions, password managers or proxies: login and
// registration work all the same.
import type { Page } from '@playwright/test';

import { hold, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { EN } from '../support/words.ts';

const WASM = /\/pkg\/[\w-]{22}\/gatehouse[^/]*\.wasm$/;
const SECOND = /\/pkg\/again\//;
const RENDERED_AGAIN = /Something has changed this page/;

/** Modifications of a page: in the browser, or of its HTML in transit. */
type Change = { what: string; isHarmless?: true } & (
  { inBrowser: () => void } | { onTheWay: (html: string) => string }
);

const CHANGES: Change[] = [
  {
    what: 'an element before everything in the body',
    inBrowser: () => {
      document.body.prepend(document.createElement('div'));
    },
  },
  {
    what: 'an element before everything in the main part',
    inBrowser: () => {
      document.querySelector('main')?.prepend(document.createElement('div'));
    },
  },
  {
    what: 'an icon before each field',
    inBrowser: () => {
      for (const field of document.querySelectorAll('main input'))
        field.before(document.createElement('img'));
    },
  },
  {
    what: 'an icon behind each field',
    inBrowser: () => {
      for (const field of document.querySelectorAll('main input'))
        field.after(document.createElement('img'));
    },
  },
  {
    what: 'a wrapper around each field',
    inBrowser: () => {
      for (const field of document.querySelectorAll('main input')) {
        const wrapper = document.createElement('div');
        field.replaceWith(wrapper);
        wrapper.append(field);
      }
    },
  },
  {
    what: 'a wrapper around everything',
    inBrowser: () => {
      const wrapper = document.createElement('div');
      wrapper.append(...document.body.childNodes);
      document.body.append(wrapper);
    },
  },
  {
    what: 'marks around every text',
    inBrowser: () => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: Node[] = [];
      while (texts.nextNode())
        if (texts.currentNode.parentElement?.closest('noscript') === null)
          found.push(texts.currentNode);
      for (const text of found) {
        const mark = document.createElement('mark');
        (text as Text).replaceWith(mark);
        mark.append(text);
      }
    },
  },
  {
    what: 'translations in the place of every text',
    inBrowser: () => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: Text[] = [];
      while (texts.nextNode())
        if (texts.currentNode.parentElement?.closest('noscript') === null)
          found.push(texts.currentNode as Text);
      for (const text of found) {
        const font = document.createElementNS('http://www.w3.org/1999/xhtml', 'font');
        font.textContent = text.data;
        text.replaceWith(font);
      }
    },
  },
  {
    what: 'attributes everywhere',
    isHarmless: true,
    inBrowser: () => {
      for (const one of document.querySelectorAll('body, body *'))
        one.setAttribute('data-extension', '1');
    },
  },
  {
    what: 'elements behind everything in the body',
    isHarmless: true,
    inBrowser: () => {
      document.body.append(document.createElement('div'), document.createComment('x'));
    },
  },
  { what: 'no comments', onTheWay: (html) => html.replace(/<!--.*?-->|<!>/g, '') },
  {
    what: 'no comments and no white space between elements',
    onTheWay: (html) => html.replace(/<!--.*?-->|<!>/g, '').replace(/>\s+</g, '><'),
  },
];

/** Collects form submissions by the browser itself. */
function watchForms(page: Page): string[] {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest() && request.method() !== 'GET')
      sent.push(`${request.method()} ${request.url()}`);
  });
  return sent;
}

/** Opens a page, modifies it, and delays the WASM file until released. */
async function openChanged(page: Page, path: string, change: Change): Promise<() => void> {
  const release = await hold(page, WASM);
  if ('onTheWay' in change) {
    await page.route(path, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: change.onTheWay(await answer.text()) });
    });
  }
  await page.goto(path, { waitUntil: 'domcontentloaded' });
  if ('inBrowser' in change) await page.evaluate(change.inBrowser);
  return release;
}

/** Marks a field to recognize the same element later. */
async function isSame(page: Page): Promise<() => Promise<boolean>> {
  const field = await page.locator('main input').first().elementHandle();
  return () => field.evaluate((one) => one.isConnected);
}

/** Locates a field by its name, independent of translated labels. */
const fieldOf = (page: Page, name: string) => page.locator(`main input[name="${name}"]`);

for (const change of CHANGES) {
  test(`login works on a page with ${change.what}`, async ({ page, user, browserErrors }) => {
    if (change.isHarmless !== true) browserErrors.expect(RENDERED_AGAIN);
    const gatehouse = new Gatehouse(page);
    const [forms, calls] = [watchForms(page), watchCalls(page)];
    const release = await openChanged(page, '/login', change);
    const stayed = await isSame(page);
    await fieldOf(page, 'username').fill(user.username);
    await fieldOf(page, 'remember').uncheck();
    await fieldOf(page, 'password').fill('wrong');
    // The submission is held until hydration and then sent by the program.
    await fieldOf(page, 'password').press('Enter');
    browserErrors.expect(/status of 401 .*\/api\/auth\/login/);
    release();
    await gatehouse.waitForHydration();
    expect(await stayed()).toBe(change.isHarmless === true);
    await expect(gatehouse.alert(EN.messages.invalidCredentials)).toBeVisible();
    await expect(gatehouse.account).toHaveValue(user.username);
    await expect(gatehouse.remember).not.toBeChecked();
    await expect(gatehouse.password).toBeFocused();
    await gatehouse.password.fill(user.password);
    await gatehouse.password.press('Enter');
    await gatehouse.expectProfile(user);
    expect(calls.filter((call) => call.endsWith('/login'))).toHaveLength(2);
    expect(forms).toEqual([]);
    expect((await gatehouse.storage()).local).toEqual({});
    // Each navigation adds one history entry: the first instance adds none.
    await gatehouse.home.click();
    await gatehouse.expectPath('/');
    await page.goBack();
    await gatehouse.expectPath('/profile');
  });

  test(`registration works on a page with ${change.what}`, async ({ page, browserErrors }) => {
    if (change.isHarmless !== true) browserErrors.expect(RENDERED_AGAIN);
    const gatehouse = new Gatehouse(page);
    const user = newUser();
    const [forms, calls] = [watchForms(page), watchCalls(page)];
    const release = await openChanged(page, '/register', change);
    await fieldOf(page, 'username').fill(user.username);
    await fieldOf(page, 'password').fill(user.password);
    release();
    await gatehouse.waitForHydration();
    await expect(gatehouse.account).toHaveValue(user.username);
    await expect(gatehouse.password).toHaveValue(user.password);
    // The strength meter includes earlier input.
    await expect(page.locator('.meter')).toHaveAttribute('data-step', /[1-4]/);
    await gatehouse.confirm.fill(user.password);
    await gatehouse.confirm.press('Enter');
    await gatehouse.expectPath('/login');
    await expect(gatehouse.account).toHaveValue(user.username);
    expect(calls).toEqual(['POST /api/auth/register']);
    expect(forms).toEqual([]);
  });
}

test('authenticated page modified before hydration is rendered again in both languages', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(RENDERED_AGAIN);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.addInitScript(() => {
    addEventListener(
      'readystatechange',
      () => document.querySelector('main')?.prepend(document.createElement('i')),
      true,
    );
  });
  for (const path of ['/profile', '/settings/profile', '/settings/devices', '/files']) {
    await gatehouse.open(path);
    await expect(page.locator('main h1')).toHaveCount(1);
  }
  await gatehouse.open('/profile');
  await gatehouse.expectProfile(user);
});

/** Removes all comments and adjusts the page's checksum, so that only hydration itself fails. */
async function breakHydration(page: Page): Promise<void> {
  await page.evaluate(() => {
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_COMMENT);
    const comments: Comment[] = [];
    while (nodes.nextNode()) comments.push(nodes.currentNode as Comment);
    for (const comment of comments) comment.remove();
    const end = document.querySelector<HTMLElement>('[data-shape]');
    let hash = 0;
    const walker = document.createTreeWalker(document.body);
    while (walker.nextNode() && walker.currentNode !== end) {
      const node = walker.currentNode;
      const name = node instanceof Element ? node.localName : node.nodeName;
      for (const letter of name) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
    }
    if (end !== null) end.dataset.shape = String(hash);
  });
}

test('hydration that panics is replaced by a second instance', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/panicked/, RENDERED_AGAIN);
  const gatehouse = new Gatehouse(page);
  const [forms, calls] = [watchForms(page), watchCalls(page)];
  const release = await hold(page, WASM);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await breakHydration(page);
  await gatehouse.fillLogin(user);
  await gatehouse.password.press('Enter');
  release();
  await gatehouse.expectProfile(user);
  await expect(page.locator('.banner-broken')).toBeHidden();
  expect(calls.filter((call) => call.endsWith('/login'))).toHaveLength(1);
  // No listener of the first instance is left.
  await gatehouse.home.click();
  await gatehouse.expectPath('/');
  await page.goBack();
  await gatehouse.expectPath('/profile');
  await gatehouse.logOut();
  await gatehouse.expectPath('/login');
  expect(forms).toEqual([]);
});

test('second instance renders authenticated pages', async ({ page, user, browserErrors }) => {
  browserErrors.expect(/panicked/, RENDERED_AGAIN);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const release = await hold(page, WASM);
  await page.goto('/settings/profile', { waitUntil: 'domcontentloaded' });
  await breakHydration(page);
  release();
  await gatehouse.waitForHydration();
  await gatehouse.nav.locator('.bar-links a[href="/profile"]').click();
  await gatehouse.expectProfile(user);
});

test('second instance that panics shows one error and blocks native form submission', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/panicked/, SECOND, /Failed to fetch/);
  const gatehouse = new Gatehouse(page);
  const forms = watchForms(page);
  let tries = 0;
  await page.route(SECOND, (route) => {
    tries += 1;
    return route.abort('failed');
  });
  const release = await hold(page, WASM);
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await breakHydration(page);
  release();
  await expect(page.locator('.banner-broken')).toBeVisible();
  await gatehouse.fillLogin(user);
  await gatehouse.password.press('Enter');
  await expect(page.locator('form[data-deferred]')).toBeAttached();
  expect(page.url()).toMatch(/\/login$/);
  expect(await page.locator('html[data-hydrated]').count()).toBe(0);
  expect(forms).toEqual([]);
  expect(tries).toBe(1);
});
