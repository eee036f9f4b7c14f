// Avatar upload with readable canvases and with canvas fingerprinting protection.
import type { Page } from '@playwright/test';

import { newUser } from '../support/users.ts';
import { DrivenBrowser } from '../support/webdriver.ts';
import { ENGINES, expect, repeatedAfterCrash, SAND, TEAL, test, Visit } from './fixtures.ts';

const NO_CROP = 'privacy protection does not let pages read what they draw';

/** Selects an image and saves the proposed crop. */
async function save(visitor: Visit, path: string, saved: string): Promise<void> {
  const { browser } = visitor;
  await visitor.openLoaded('/settings/profile');
  await browser.type('.card-picture input[type="file"]', path);
  await browser.eventually(
    'the picture is shown',
    () => document.querySelector('.cropper canvas') !== null,
  );
  await visitor.eventuallySays(saved);
  await browser.click('.cropper .btn-primary');
  await browser.eventually(
    'the picture is saved',
    () => document.querySelector('main .avatar img') !== null,
  );
}

/** Returns the colors of the saved avatar left and right of its center. */
async function savedColours(visitor: Visit, page: Page): Promise<number[][]> {
  const url = await visitor.browser.run(
    () => document.querySelector<HTMLImageElement>('main .avatar img')?.src,
  );
  await page.goto(visitor.server.url);
  return page.evaluate(async (url) => {
    const bitmap = await createImageBitmap(await (await fetch(url ?? '')).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context?.drawImage(bitmap, 0, 0);
    return [0.25, 0.75].map((at) =>
      [...(context?.getImageData(bitmap.width * at, bitmap.height / 2, 1, 1).data ?? [])].slice(
        0,
        3,
      ),
    );
  }, url);
}

function expectNear(colours: number[][], expected: number[][]): void {
  const worst = Math.max(
    ...colours.flatMap((colour, side) =>
      colour.map((channel, index) => Math.abs(channel - (expected[side]?.[index] ?? NaN))),
    ),
  );
  expect(worst, JSON.stringify(colours)).toBeLessThan(8);
}

for (const engine of ENGINES) {
  test(
    `${engine}: avatar is cropped in the browser`,
    repeatedAfterCrash(async ({ visit, api, page, picture }) => {
      const user = newUser();
      await api.register(user);
      const visitor = await visit(engine);
      await visitor.signIn(await api.login(user));
      await save(visitor, picture, 'plus and minus zoom');
      expectNear(await savedColours(visitor, page), [TEAL, SAND]);
    }),
  );
}

test('firefox: avatar is uploaded uncropped with resistFingerprinting', async ({
  server,
  api,
  page,
  picture,
}) => {
  const user = newUser();
  await api.register(user);
  const browser = await DrivenBrowser.firefox({ 'privacy.resistFingerprinting': true });
  try {
    const visitor = new Visit(browser, server);
    await visitor.signIn(await api.login(user));
    await save(visitor, picture, NO_CROP);
    expectNear(await savedColours(visitor, page), [TEAL, SAND]);
  } finally {
    await browser.close();
  }
});
