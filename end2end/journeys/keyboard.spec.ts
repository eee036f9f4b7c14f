// Keyboard navigation: the focus is always visible and never lost.
import type { Locator, Page } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { EN, LANGUAGES, ZH } from '../support/words.ts';

/** Upper bound of a page's tab stops. */
const STOPS = 30;

/**
 * Returns whether the focus is visible: an outline around the focused element or its replacement.
 */
async function focusIsSeen(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { activeElement } = document;
    if (activeElement === null || activeElement === document.body) return false;
    const around = [activeElement, activeElement.parentElement].filter(
      (element) => element !== null,
    );
    return around.some((element) => {
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
      return (
        outlineStyle !== 'none' &&
        parseFloat(outlineWidth) >= 2 &&
        outlineColor !== 'rgba(0, 0, 0, 0)'
      );
    });
  });
}

/** Presses Tab until an element has the focus; the focus must be visible at every stop. */
async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
  for (let stop = 0; stop < STOPS; stop += 1) {
    await page.keyboard.press(key);
    const at = await page.evaluate(
      () => document.activeElement?.outerHTML.slice(0, 120) ?? 'nothing',
    );
    expect(await focusIsSeen(page), `the focus can be seen on ${at}`).toBe(true);
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`${key} does not lead to ${String(target)}`);
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('registration, login, profile and logout work without a mouse', async ({ page }) => {
      const gatehouse = new Gatehouse(page, words);
      const user = newUser();
      const heading = page.getByRole('heading', { level: 1 });
      await gatehouse.open('/');

      await tabTo(page, gatehouse.main.getByRole('link', { name: words.register, exact: true }));
      await page.keyboard.press('Enter');
      // The focus moves to the first field of the form.
      await expect(heading).toHaveText(words.registerTitle);
      await expect(gatehouse.account).toBeFocused();
      await page.keyboard.type(user.username);
      await tabTo(page, gatehouse.password);
      await page.keyboard.type(user.password);
      await tabTo(page, gatehouse.main.getByRole('button', { name: words.showPassword }).first());
      await page.keyboard.press('Space');
      await expect(gatehouse.password).toHaveAttribute('type', 'text');
      await tabTo(page, gatehouse.confirm);
      await page.keyboard.type(user.password);
      await tabTo(page, gatehouse.registerButton);
      await page.keyboard.press('Space');

      await expect(heading).toHaveText(words.loginTitle);
      await expect(gatehouse.account).toHaveValue(user.username);
      await expect(gatehouse.password).toBeFocused();
      await page.keyboard.type(user.password);
      await tabTo(page, gatehouse.remember);
      await page.keyboard.press('Space');
      await expect(gatehouse.remember).not.toBeChecked();
      await tabTo(page, gatehouse.loginButton);
      await page.keyboard.press('Enter');

      await gatehouse.expectProfile(user);
      await expect(heading).toBeFocused();
      await tabTo(page, gatehouse.main.getByRole('button', { name: words.logOut }));
      await page.keyboard.press('Enter');
      await gatehouse.expectPath('/login');
      await expect(gatehouse.status(words.loggedOut)).toBeVisible();
      await expect(gatehouse.account).toBeFocused();
      expect(await gatehouse.storage()).toEqual({ local: {}, tab: {} });
    });

    test('language and color scheme are switched without a mouse', async ({ page }) => {
      const gatehouse = new Gatehouse(page, words);
      const other = new Gatehouse(page, words === EN ? ZH : EN);
      await page.emulateMedia({ colorScheme: 'light' });
      await gatehouse.open('/login');
      await tabTo(page, gatehouse.languageSwitch);
      await page.keyboard.press('Enter');
      await expect(other.languageSwitch).toBeFocused();
      await tabTo(page, other.colours);
      await page.keyboard.press('ArrowDown');
      await expect(other.colours).toHaveValue('light');
      await page.keyboard.press('ArrowDown');
      await expect(other.colours).toHaveValue('dark');
      await expect(page.locator('html')).toHaveAttribute('data-theme', 'gatehouse-dark');
    });
  });
}

test('first tab stop skips the header', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  await tabTo(page, page.getByRole('link', { name: EN.skipToContent }));
  await page.keyboard.press('Enter');
  await tabTo(page, gatehouse.main.getByRole('link').first());
  expect(await gatehouse.main.locator(':focus').count()).toBe(1);
});

test('focus passes through every page in both directions', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  for (const path of ['/', '/login', '/register']) {
    await gatehouse.open(path);
    const last = gatehouse.main.locator('a, button, input').last();
    await tabTo(page, last);
    await tabTo(page, page.getByRole('link', { name: EN.skipToContent }), 'Shift+Tab');
  }
});

test.describe('on a phone with a keyboard', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('menu opens, is navigable and closes with Escape', async ({ page, user }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.logIn(user);
    const menu = gatehouse.accountMenu(user.username);
    await tabTo(page, menu, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await tabTo(page, gatehouse.menu.getByRole('link', { name: EN.profile }));
    await tabTo(page, gatehouse.logoutButton);
    await page.keyboard.press('Escape');
    await expect(gatehouse.logoutButton).toBeHidden();
    await expect(menu).toBeFocused();
  });
});

test.describe('in forced colours', () => {
  test('fields have borders and focus is visible at every stop', async ({ page }) => {
    await page.emulateMedia({ forcedColors: 'active' });
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/register');
    // The first field has the focus on load.
    await page.getByRole('link', { name: EN.skipToContent }).focus();
    for (const field of [
      gatehouse.account,
      gatehouse.password,
      gatehouse.confirm,
      gatehouse.registerButton,
    ]) {
      await tabTo(page, field);
      const [border, paper] = await field.evaluate((element) => {
        const style = getComputedStyle(element);
        return [
          `${style.borderTopStyle} ${style.borderTopWidth}`,
          style.borderTopColor === style.backgroundColor,
        ];
      });
      expect(border, String(field)).toBe('solid 1px');
      expect(paper, String(field)).toBe(false);
    }
  });
});
