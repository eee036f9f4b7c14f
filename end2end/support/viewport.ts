import { expect, type Page, type ViewportSize } from '@playwright/test';

/**
 * Resizes the window and waits until the page is laid out in the new size: Playwright may return a
 * moment earlier, and the page may know its new size before its media queries and its layout do.
 */
export async function resize(page: Page, size: ViewportSize): Promise<void> {
  await page.setViewportSize(size);
  // Polled from here: pages without scripts have no animation frames.
  await expect
    .poll(() =>
      page.evaluate(() => ({
        window: { width: innerWidth, height: innerHeight },
        layout: document.documentElement.clientWidth,
        isQueried: matchMedia(
          `(width: ${String(innerWidth)}px) and (height: ${String(innerHeight)}px)`,
        ).matches,
      })),
    )
    .toEqual({ window: size, layout: size.width, isQueried: true });
}
