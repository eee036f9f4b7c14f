// Browser translation of pages that opt out of it: translators replace text nodes by elements.
import type { Page } from '@playwright/test';

import { fail } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN, ZH } from '../support/words.ts';

/**
 * The ways in which translators replace a text node: in one step, or after inserting the
 * translation.
 */
type Replacement = 'replaced' | 'put before, then removed';

/**
 * Replaces every text node by two nested `<font>` elements with the same text, as Chromium and
 * Google's widget do. `live`: also text nodes that are added later.
 */
async function translate(page: Page, way: Replacement, live = false): Promise<void> {
  await page.evaluate(
    ([way, live]) => {
      const translateAll = (root: Node): void => {
        const nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        const texts: Text[] = root instanceof Text ? [root] : [];
        while (nodes.nextNode()) texts.push(nodes.currentNode as Text);
        for (const text of texts) {
          if (
            text.data.trim() === '' ||
            text.parentElement?.closest('font, noscript, script') !== null
          )
            continue;
          const outer = document.createElementNS('http://www.w3.org/1999/xhtml', 'font');
          const inner = document.createElementNS('http://www.w3.org/1999/xhtml', 'font');
          inner.textContent = `«${text.data}»`;
          outer.append(inner);
          if (way === 'replaced') {
            text.replaceWith(outer);
          } else {
            text.before(outer);
            text.remove();
          }
        }
      };
      translateAll(document.body);
      if (!live) return;
      new MutationObserver((records) => {
        for (const { addedNodes, target, type } of records) {
          if (type === 'characterData') translateAll(target);
          for (const node of addedNodes) if (node.isConnected) translateAll(node);
        }
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    },
    [way, live] as const,
  );
}

test('page opts out of translation', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  await expect(page.locator('html')).toHaveAttribute('translate', 'no');
  await expect(page.locator('html')).toHaveClass(/\bnotranslate\b/);
  await expect(page.locator('meta[name="google"]')).toHaveAttribute('content', 'notranslate');
});

for (const way of ['replaced', 'put before, then removed'] as const) {
  test(`page whose texts were ${way} shows headings and errors`, async ({ page }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/login');
    await translate(page, way);
    await expect(page.locator('h1')).toHaveText(`«${EN.loginTitle}»`);
    await page.locator('nav a[href="/register"]').click();
    await expect(page.locator('h1')).toHaveText(EN.registerTitle);
    await translate(page, way);
    await page.locator('main form [type="submit"]').click();
    await expect(page.locator('#username-note')).toHaveText(EN.problems.usernameMissing);
    await translate(page, way);
    await expect(page.locator('#username-note')).toHaveText(`«${EN.problems.usernameMissing}»`);
    await page.locator('main input[name="username"]').fill('somebody');
    await expect(page.locator('#username-note')).not.toContainText(EN.problems.usernameMissing);
    await page.locator('main input[name="password"]').fill('correct horse battery staple');
    await expect(page.locator('.meter-label')).toHaveText(EN.strengthStrong);
    await translate(page, way);
    await page.locator('main input[name="password"]').fill('');
    await expect(page.locator('.meter-label')).toHaveText('');
  });

  test(`page whose texts were ${way} counts down`, async ({ page, user, browserErrors }) => {
    browserErrors.expect(/status of 429 .*\/api\/auth\/login/);
    await page.clock.install();
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/login');
    // A minute, so that the countdown is still running when it is translated.
    await page.route('/api/auth/login', (route) =>
      fail(route, 429, 'too_many_attempts', EN.messages.tooManyAttempts, 60),
    );
    await gatehouse.fillLogin(user);
    await gatehouse.loginButton.click();
    await expect(gatehouse.alert(EN.messages.tooManyAttempts)).toBeVisible();
    await translate(page, way);
    const timer = page.getByRole('timer');
    await page.clock.runFor(61_000);
    await expect(timer).toHaveText(EN.tryNow);
  });

  test(`page whose texts were ${way} switches its language completely`, async ({ page }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/register');
    await gatehouse.languageSwitch.click();
    await expect(page.locator('h1')).toHaveText(ZH.registerTitle);
    // Ignores the markers of the translation and the trailing white space that they add.
    const text = async () =>
      (await page.locator('body').innerText())
        .replaceAll(/[«»]/g, '')
        .replaceAll(/[^\S\n]+$/gm, '');
    const chinese = await text();
    await page.locator('#language').click();
    await translate(page, way);
    await page.locator('#language').click();
    await expect(page.locator('h1')).toHaveText(ZH.registerTitle);
    // The names of the product and of the languages are the same in both.
    expect(await text()).toBe(chinese);
  });
}

test('page translated continuously stays correct from login to logout', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await translate(page, 'replaced', true);
  await page.locator('main input[name="username"]').fill(user.username);
  await page.locator('main input[name="password"]').fill(user.password);
  await page.locator('main input[name="password"]').press('Enter');
  await gatehouse.expectPath('/profile');
  await expect(page.locator('h1')).toContainText(user.username);
  await expect(page.locator('main')).toContainText('«access');
  await gatehouse.home.click();
  await expect(page.locator('h1')).toContainText(user.username);
  // A pending request would be rejected when the session ends.
  await gatehouse.expectIdle();
  await gatehouse.menuButton.click();
  await gatehouse.menu.getByRole('button').last().click();
  await gatehouse.expectPath('/login');
  await expect(page.locator('h1')).toHaveText(`«${EN.loginTitle}»`);
  await expect(page.locator('body')).not.toContainText(user.username);
});
