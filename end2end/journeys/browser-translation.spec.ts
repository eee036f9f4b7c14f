// Pages that the browser translates although they ask not to be: translators put elements in the place of text nodes.
import type { Page } from '@playwright/test';

import { fail } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN, ZH } from '../support/words.ts';

/** How a translator takes a text away: in one step, or with its translation put in first. */
type Way = 'replaced' | 'put before, then removed';

/** Translates every text to itself, as Chromium and Google's widget do: in two `<font>` elements. `live`: also those that come later. */
async function translate(page: Page, way: Way, live = false): Promise<void> {
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

test('a page asks not to be translated', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  await expect(page.locator('html')).toHaveAttribute('translate', 'no');
  await expect(page.locator('html')).toHaveClass(/\bnotranslate\b/);
  await expect(page.locator('meta[name="google"]')).toHaveAttribute('content', 'notranslate');
});

for (const way of ['replaced', 'put before, then removed'] as const) {
  test(`a page whose texts were ${way} shows the heading of each page and what is wrong`, async ({
    page,
  }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/login');
    await translate(page, way);
    await expect(page.locator('h1')).toHaveText(`«${EN.loginTitle}»`);
    await page.locator('nav a[href="/register"]').click();
    await expect(page.locator('h1')).toHaveText(EN.registerTitle);
    await translate(page, way);
    await page.locator('main form [type="submit"]').click();
    await expect(page.locator('#username-note')).toHaveText(EN.accountMissing);
    await translate(page, way);
    await expect(page.locator('#username-note')).toHaveText(`«${EN.accountMissing}»`);
    await page.locator('main input[name="username"]').fill('somebody');
    await expect(page.locator('#username-note')).not.toContainText(EN.accountMissing);
    await page.locator('main input[name="password"]').fill('correct horse battery staple');
    await expect(page.locator('.meter-label')).toHaveText(EN.strengths.strong);
    await translate(page, way);
    await page.locator('main input[name="password"]').fill('');
    await expect(page.locator('.meter-label')).toHaveText('');
  });

  test(`a page whose texts were ${way} counts down`, async ({ page, user, browserErrors }) => {
    browserErrors.expect(/status of 429 .*\/api\/auth\/login/);
    await page.clock.install();
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/login');
    await page.route('/api/auth/login', (route) =>
      fail(route, 429, 'too_many_attempts', EN.tooMany),
    );
    await gatehouse.fillLogin(user);
    await gatehouse.loginButton.click();
    await expect(gatehouse.alert(EN.tooMany)).toBeVisible();
    await translate(page, way);
    const timer = page.getByRole('timer');
    await page.clock.runFor(6000);
    await expect(timer).toHaveText(EN.tryNow);
  });

  test(`a page whose texts were ${way} changes its language as a whole`, async ({ page }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/register');
    await gatehouse.languageSwitch.click();
    await expect(page.locator('h1')).toHaveText(ZH.registerTitle);
    // Without the marks of the translation, and without white space at the ends of lines, which only the marks make part of them.
    const text = async () =>
      (await page.locator('body').innerText())
        .replaceAll(/[«»]/g, '')
        .replaceAll(/[^\S\n]+$/gm, '');
    const chinese = await text();
    await page.locator('.preferences button').click();
    await translate(page, way);
    await page.locator('.preferences button').click();
    await expect(page.locator('h1')).toHaveText(ZH.registerTitle);
    // The product's name and those of the languages are the same in both.
    expect(await text()).toBe(chinese);
  });
}

test('a page that is translated all the time stays true from log-in to log-out', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await translate(page, 'replaced', true);
  await page.locator('main input[name="username"]').fill(user.username);
  await page.locator('main input[name="password"]').fill(user.password);
  await page.locator('main input[name="password"]').press('Enter');
  await gatehouse.expectPath('/profile');
  await expect(page.locator('h1')).toContainText(user.username);
  await expect(page.locator('main')).toContainText('«access');
  await page.locator('nav a[href="/"]').click();
  await expect(page.locator('h1')).toContainText(user.username);
  await gatehouse.header.locator('button.for-member.btn').click();
  await gatehouse.expectPath('/login');
  await expect(page.locator('h1')).toHaveText(`«${EN.loginTitle}»`);
  await expect(page.locator('body')).not.toContainText(user.username);
});
