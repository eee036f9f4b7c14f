import { expect, type Page, type ViewportSize } from '@playwright/test';

/**
 * Resizes the window and waits until the page has the new size: Playwright may return a moment
 * earlier, and what is measured then is of the former size.
 */
export async function resize(page: Page, size: ViewportSize): Promise<void> {
  await page.setViewportSize(size);
  await expect
    .poll(() => page.evaluate(() => ({ width: innerWidth, height: innerHeight })))
    .toEqual(size);
}
