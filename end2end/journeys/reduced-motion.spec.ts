// Animations: brief, and none with `prefers-reduced-motion`.
import type { Page } from '@playwright/test';

import { emulate } from '../support/accessibility.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { hold } from '../support/network.ts';

/**
 * Returns the longest animation or transition of each element, in seconds, without progress
 * indicators.
 */
async function longest(page: Page, running = ''): Promise<number> {
  return page.evaluate((running) => {
    const seconds = (list: string): number =>
      Math.max(
        ...list
          .split(',')
          .map((text) => parseFloat(text) * (text.trim().endsWith('ms') ? 0.001 : 1)),
      );
    const elements = [...document.body.querySelectorAll('*')].filter(
      (element) => running === '' || !element.matches(running),
    );
    const times = elements.map((element) => {
      const { animationDuration, transitionDuration } = getComputedStyle(element);
      return Math.max(seconds(animationDuration), seconds(transitionDuration));
    });
    return Math.max(...times);
  }, running);
}

test('animations are brief, and absent with reduced motion', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  for (const path of ['/', '/login', '/register', '/profile']) {
    if (path === '/profile') await gatehouse.logIn(user);
    else await gatehouse.open(path);
    await emulate(
      page,
      { reducedMotion: 'no-preference' },
      '(prefers-reduced-motion: no-preference)',
    );
    expect(await longest(page, '.spinner, .progress-line'), path).toBeLessThanOrEqual(0.2);
    await emulate(page, { reducedMotion: 'reduce' }, '(prefers-reduced-motion: reduce)');
    expect(await longest(page), path).toBeLessThanOrEqual(0.001);
  }
});

test('logo opens while the login is sent', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const door = page.locator('.card-narrow .mark-door');
  await expect(door).toHaveCSS('transform', 'none');
  const release = await hold(page, '**/api/auth/login');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(door).toHaveCSS('transform', /^matrix\(1, -0\.105/);
  release();
  await gatehouse.expectProfile(user);
});
