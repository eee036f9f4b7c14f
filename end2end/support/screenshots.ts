// Screenshots of pages and mails: into docs/pictures/ with UPDATE_PICTURES=1, else into the results of
// the run, so that a run changes no file of the repository.
import { join } from 'node:path';

import { test, type Locator, type Page } from '@playwright/test';

import { resize } from './viewport.ts';

const UPDATES = process.env.UPDATE_PICTURES === '1';

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

/** Takes a screenshot for each width, of the head of the page or from an element on. */
export async function takePictures(
  page: Page,
  name: string,
  widths: number[],
  top?: Locator,
): Promise<void> {
  for (const width of widths) {
    await resize(page, width === DESKTOP.width ? DESKTOP : PHONE);
    await top?.evaluate((element) => {
      element.scrollIntoView({ block: 'start', behavior: 'instant' });
    });
    const file = `${name}-${String(width)}.png`;
    const path = UPDATES
      ? join(import.meta.dirname, '../../docs/pictures', file)
      : test.info().outputPath(file);
    await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  }
}
