// Light and dark color scheme: the system's preference, unless one was chosen.
import type { Page } from '@playwright/test';

import { hold } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

/** Returns whether the background is light or dark, the theme color and the color scheme. */
async function pageColors(
  page: Page,
): Promise<{ page: 'light' | 'dark'; around: string; scheme: string }> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d');
    if (canvas === null) throw new Error('no canvas');
    canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    const [red = 0] = canvas.getImageData(0, 0, 1, 1).data;
    const metas = [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')];
    return {
      page: red > 127 ? ('light' as const) : ('dark' as const),
      around: metas.find((meta) => matchMedia(meta.media).matches)?.content ?? '',
      scheme: getComputedStyle(document.documentElement).colorScheme,
    };
  });
}

const LIGHT = { page: 'light', around: '#f9f8f5', scheme: 'light' };
const DARK = { page: 'dark', around: '#13161b', scheme: 'dark' };

test('color scheme follows the system until it is chosen, and the choice is stored', async ({
  page,
}) => {
  const gatehouse = new Gatehouse(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await gatehouse.open('/login');
  expect(await pageColors(page)).toEqual(DARK);
  // A media change applies to a later frame.
  await page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(() => pageColors(page)).toEqual(LIGHT);

  await gatehouse.colours.selectOption('dark');
  expect(await pageColors(page)).toEqual(DARK);
  await gatehouse.reload();
  expect(await pageColors(page)).toEqual(DARK);
  await expect(gatehouse.colours).toHaveValue('dark');

  await page.emulateMedia({ colorScheme: 'dark' });
  await gatehouse.colours.selectOption('light');
  expect(await pageColors(page)).toEqual(LIGHT);
  await gatehouse.colours.selectOption('');
  await expect.poll(() => pageColors(page)).toEqual(DARK);
  expect((await gatehouse.storage()).local).toEqual({});
});

test('chosen color scheme applies at first paint and in other tabs', async ({ page, context }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  const other = await context.newPage();
  await other.goto('/');
  await gatehouse.colours.selectOption('dark');
  await expect.poll(() => pageColors(other)).toEqual(DARK);
  await other.close();

  // Only the scripts of the head have run at the first paint.
  const release = await hold(page, '**/*.{wasm,js}');
  await page.goto('/login', { waitUntil: 'commit' });
  await page.waitForFunction(
    () => performance.getEntriesByName('first-contentful-paint').length > 0,
  );
  expect(await pageColors(page)).toEqual(DARK);
  release();
  await gatehouse.waitForHydration();
});

test('color scheme without storage holds for the page', async ({ page }) => {
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new Error('full');
    };
  });
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  await gatehouse.colours.selectOption('dark');
  expect(await pageColors(page)).toEqual(DARK);
});
