// What moves: little and briefly, and nothing for whoever asks for that.
import type { Page } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

/** The longest animation or transition of each element, in seconds, except for what shows that something is running. */
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

test('motion is brief, and there is none for who asks for that', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  for (const path of ['/', '/login', '/register', '/profile']) {
    if (path === '/profile') await gatehouse.logIn(user);
    else await gatehouse.open(path);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(await longest(page, '.spinner, .progress-line'), path).toBeLessThanOrEqual(0.2);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await longest(page), path).toBeLessThanOrEqual(0.001);
  }
});
