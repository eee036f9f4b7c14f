// How the pages are built: for every screen, for everybody, and light.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { fail } from '../support/calls.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { somebody } from '../support/people.ts';
import { EN, ZH, type Words } from '../support/words.ts';

const GUEST_PAGES = ['/', '/login', '/register', '/nowhere'];
const WIDTHS = [320, 360, 768];

/** What the first visit of a page may cost. */
const BUDGET = { requests: 6, bytes: 200_000, layoutShift: 0.01 };

test.beforeEach(({ trouble }) => {
  trouble.expect(/status of 404 .*\/nowhere/);
});

async function expectNoSidewaysScroll(page: Page): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 740 });
    const moved = await page.evaluate(() => {
      window.scrollTo({ left: 1000, behavior: 'instant' });
      return window.scrollX;
    });
    expect(moved, `${page.url()} at ${String(width)} pixels`).toBe(0);
  }
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.target.join(' ')) }));
  expect(found, page.url()).toEqual([]);
}

test('no page scrolls sideways on a phone', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  for (const path of GUEST_PAGES) {
    await gatehouse.open(path);
    await expectNoSidewaysScroll(page);
  }
});

test('no name is too long for a phone', async ({ page, api }) => {
  const local = somebody('a-rather-long-local-part-of-an-address').username;
  const person = { ...somebody(), username: `${local}@mail.department.example.org` };
  await api.register(person);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(person);
  await expectNoSidewaysScroll(page);
  await gatehouse.open('/');
  await expectNoSidewaysScroll(page);
});

const LANGUAGES: [locale: string, words: Words][] = [
  ['en-GB', EN],
  ['zh-CN', ZH],
];

for (const [locale, words] of LANGUAGES) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(locale, () => {
      test.use({ locale });

      test(`every page and state can be used by everybody, ${colorScheme}`, async ({ page, context, person, trouble }) => {
        trouble.expect(/\/api\/(me|auth\/login)/);
        // Colours that are still changing have no contrast to measure.
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const gatehouse = new Gatehouse(page, words);
        for (const path of GUEST_PAGES) {
          await gatehouse.open(path);
          await expectAccessible(page);
        }
        // Fields that are wrong, and Caps Lock.
        await gatehouse.open('/login');
        await gatehouse.loginButton.click();
        await expect(gatehouse.account).toHaveAttribute('aria-invalid', 'true');
        await gatehouse.password.focus();
        await gatehouse.password.dispatchEvent('keydown', { key: 'A', modifierCapsLock: true });
        await expect(page.getByText(words.capsLock)).toBeVisible();
        await expectAccessible(page);
        // A call that has failed, while offline.
        await page.route('/api/auth/login', (route) => fail(route, 429, 'too_many_attempts', words.tooMany));
        await gatehouse.fillLogin(person);
        await gatehouse.loginButton.click();
        await expect(gatehouse.alert(words.tooMany)).toBeVisible();
        await context.setOffline(true);
        await expect(page.getByRole('status').getByText(words.connectionLost)).toBeVisible();
        await expectAccessible(page);
        await context.setOffline(false);
        await page.unroute('/api/auth/login');
        // Somebody signed in, with a notice.
        await gatehouse.logIn(person);
        await expectAccessible(page);
        await page.setViewportSize({ width: 360, height: 740 });
        await gatehouse.header.getByRole('button', { name: words.menu }).click();
        await expect(gatehouse.logoutButton).toBeVisible();
        await expectAccessible(page);
        await gatehouse.open('/');
        await expectAccessible(page);
        // Data that could not be loaded.
        await page.route('/api/me', (route) => fail(route, 500, 'internal_error', words.offline));
        await gatehouse.open('/profile');
        await expect(gatehouse.alert(words.profileFailed)).toBeVisible();
        await expectAccessible(page);
      });
    });
  }
}

test('the first visit of the login page is light, and nothing jumps', async ({ page }) => {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  const requests: string[] = [];
  session.on('Network.requestWillBeSent', ({ request }) => requests.push(request.url));
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value);
    }).observe({ type: 'layout-shift', buffered: true });
  });

  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await page.waitForLoadState('networkidle');
  const shift = await page.evaluate(() =>
    (window as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0),
  );

  const description = `${String(bytes)} bytes, ${String(requests.length)} requests`;
  test.info().annotations.push({ type: 'first visit', description });
  expect(requests.length, requests.join('\n')).toBeLessThanOrEqual(BUDGET.requests);
  expect(bytes).toBeLessThanOrEqual(BUDGET.bytes);
  expect(shift).toBeLessThanOrEqual(BUDGET.layoutShift);
});
