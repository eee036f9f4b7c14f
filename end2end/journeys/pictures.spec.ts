// Avatars and private files.
import { readFile } from 'node:fs/promises';

import type { Locator, Page } from '@playwright/test';

import { count, deferred, hold, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { file, png } from '../support/pictures.ts';
import { answerWithFiles } from '../support/states/setup.ts';
import { resize } from '../support/viewport.ts';
import { EN, ZH } from '../support/words.ts';

const ENGLISH = {
  choose: 'Choose a picture',
  zoom: 'Zoom',
  noCrop:
    "Your browser's privacy protection does not let pages read what they draw, so the middle of the picture is used.",
  save: 'Save the picture',
  remove: 'Remove the picture',
  changed: 'Picture updated',
  removed: 'Picture removed',
  unreadable: 'This picture cannot be read. Please choose another one.',
  upload: 'Upload',
  files: 'My files',
  all: 'View all',
  empty: 'No pictures yet',
  previous: 'Previous picture',
  next: 'Next picture',
  delete: 'Delete',
  undo: 'Undo',
  cancel: 'Cancel',
  close: 'Close',
  keep: 'Save to this device',
  tooLarge: 'Pictures can be at most 5 MB',
  kinds: 'Choose a JPEG, PNG or WebP picture',
};
const CHINESE: typeof ENGLISH = {
  choose: '选择图片',
  zoom: '缩放',
  noCrop: '浏览器的隐私保护不允许网页读取绘图，因此无法选择裁剪范围，将使用图片的中间部分。',
  save: '保存头像',
  remove: '移除头像',
  changed: '头像已更新',
  removed: '头像已移除',
  unreadable: '无法读取这张图片，请换一张。',
  upload: '上传',
  files: '我的文件',
  all: '查看全部',
  empty: '还没有图片',
  previous: '上一张',
  next: '下一张',
  delete: '删除',
  undo: '撤销',
  cancel: '取消',
  close: '关闭',
  keep: '保存到设备',
  tooLarge: '图片最大 5 MB',
  kinds: '请选择 JPEG、PNG 或 WebP 图片',
};

/** Returns whether an image has loaded. */
async function isSeen(image: Locator): Promise<void> {
  await expect
    .poll(() => image.evaluate((element: HTMLImageElement) => element.naturalWidth))
    .toBeGreaterThan(0);
}

/** Simulates fingerprinting protection: reading or encoding a canvas returns noise. */
async function answerCanvasesWithNoise(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const noise = (pixels: Uint8ClampedArray) => {
      for (let at = 0; at < pixels.length; at += 1) pixels[at] = (at * 73 + (at >> 7) * 31) % 256;
    };
    // eslint-disable-next-line @typescript-eslint/unbound-method -- they are called with the object of the call below
    const { getImageData } = CanvasRenderingContext2D.prototype;
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const { toBlob } = HTMLCanvasElement.prototype;
    CanvasRenderingContext2D.prototype.getImageData = function (...args) {
      const image = getImageData.apply(this, args);
      noise(image.data);
      return image;
    };
    HTMLCanvasElement.prototype.toBlob = function (...args) {
      const copy = document.createElement('canvas');
      const { width, height } = Object.assign(copy, { width: this.width, height: this.height });
      const image = new ImageData(width, height);
      noise(image.data);
      copy.getContext('2d')?.putImageData(image, 0, 0);
      toBlob.apply(copy, args);
    };
  });
}

/** Pastes text, an image or both at the focus. */
async function paste(
  page: Page,
  { text, picture }: { text?: string; picture?: string },
): Promise<void> {
  const bytes = [...png(20, 20)];
  await page.evaluate(
    ({ text, picture, bytes }) => {
      const clipboardData = new DataTransfer();
      if (text !== undefined) clipboardData.setData('text/plain', text);
      if (picture !== undefined)
        clipboardData.items.add(new File([new Uint8Array(bytes)], picture, { type: 'image/png' }));
      const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      (document.activeElement ?? document.body).dispatchEvent(event);
    },
    { text, picture, bytes },
  );
}

/** The thumbnails of the file list. */
function tiles(page: Page): Locator {
  return page
    .getByRole('main')
    .getByRole('listitem')
    .filter({ has: page.locator('.tile-picture') });
}

for (const [locale, words, says] of [
  ['en-GB', EN, ENGLISH],
  ['zh-CN', ZH, CHINESE],
] as const) {
  test.describe(locale, () => {
    test.use({ locale });

    test('avatar is cropped by keyboard, shown in every tab and deleted', async ({
      page,
      context,
      user,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      const other = new Gatehouse(await context.newPage(), words);
      await other.open('/profile');
      await other.expectProfile(user);

      await gatehouse.open('/settings/profile');
      await gatehouse.main.getByLabel(says.choose).setInputFiles(file('me.png', png(300, 200)));
      const canvas = gatehouse.main.locator('canvas');
      await expect(canvas).toBeFocused();
      await page.keyboard.press('+');
      await page.keyboard.press('ArrowLeft');
      await expect(gatehouse.main.getByRole('slider', { name: says.zoom })).toHaveValue('1.1');
      await gatehouse.main.getByRole('button', { name: says.save }).click();
      await expect(gatehouse.status(says.changed)).toBeVisible();
      for (const somewhere of [gatehouse, other]) {
        const picture = somewhere.menuButton.locator('.avatar img');
        await expect(picture).toHaveAttribute('src', /^\/avatars\/[0-9a-f]{32}-96\.jpg$/);
        await isSeen(picture);
      }
      await gatehouse.reload();
      await isSeen(gatehouse.main.locator('.avatar img'));
      await gatehouse.main.getByRole('button', { name: says.remove }).click();
      await expect(gatehouse.status(says.removed)).toBeVisible();
      await expect(other.header.locator('.avatar img')).toHaveCount(0);
    });

    test('avatar is uploaded uncropped where canvases cannot be read', async ({ page, user }) => {
      await answerCanvasesWithNoise(page);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await gatehouse.open('/settings/profile');
      const original = png(300, 200);
      const choose = gatehouse.main.getByLabel(says.choose);
      await choose.setInputFiles(file('me.png', original));
      await expect(gatehouse.main.getByText(says.noCrop)).toBeVisible();
      const canvas = gatehouse.main.getByRole('img', { name: says.noCrop });
      await expect(canvas).toBeFocused();
      await expect(gatehouse.main.getByRole('slider', { name: says.zoom })).toBeHidden();
      const sending = page.waitForRequest('/api/me/avatar');
      await gatehouse.main.getByRole('button', { name: says.save }).click();
      const sent = await sending;
      expect(sent.postDataBuffer()?.equals(original)).toBe(true);
      expect(sent.headers()['content-type']).toBe('image/png');
      await expect(gatehouse.status(says.changed)).toBeVisible();
      await isSeen(gatehouse.main.locator('.avatar img'));

      // Content that the server rejects is refused before it is sent.
      await choose.setInputFiles(
        file('large.png', Buffer.concat([original, Buffer.alloc(6_000_000)])),
      );
      await expect(gatehouse.alert(says.tooLarge)).toBeVisible();
    });

    test('avatar upload of other content shows an error and keeps the previous avatar', async ({
      page,
      user,
    }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      const calls = watchCalls(page);
      await gatehouse.open('/settings/profile');
      const html = Buffer.from('<!DOCTYPE html><script>alert(1)</script>');
      await gatehouse.main.getByLabel(says.choose).setInputFiles(file('me.png', html));
      await expect(gatehouse.alert(says.unreadable)).toBeVisible();
      // The reason is named where it is the kind of the file.
      const text = { ...file('me.txt', html), mimeType: 'text/plain' };
      await gatehouse.main.getByLabel(says.choose).setInputFiles(text);
      await expect(gatehouse.alert(says.kinds)).toBeVisible();
      expect(count(calls, 'PUT /api/me/avatar')).toBe(0);
    });

    test('files are uploaded concurrently, viewed, downloaded and deleted with undo', async ({
      page,
      user,
      browserErrors,
    }) => {
      // After leaving at once the list may still show the file, which then cannot be opened.
      browserErrors.expect(/status of 404 .*\/api\/me\/file\?/);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await gatehouse.main.getByRole('link', { name: says.all }).click();
      await gatehouse.expectPath('/files');
      await expect(gatehouse.main.getByText(says.empty)).toBeVisible();
      const [wide, high] = [png(640, 200), png(200, 500)];
      await gatehouse.main
        .getByLabel(says.upload, { exact: true })
        .setInputFiles([file('wide.png', wide), file('high.png', high)]);
      await expect(tiles(page)).toHaveCount(2);
      for (const tile of await tiles(page).all()) {
        const picture = tile.locator('img');
        await expect(picture).toHaveAttribute('src', /^blob:/);
        await isSeen(picture);
      }
      await gatehouse.reload();
      await expect(tiles(page)).toHaveCount(2);

      await gatehouse.main.getByRole('button', { name: 'wide.png', exact: true }).click();
      const dialog = page.getByRole('dialog', { name: 'wide.png' });
      await isSeen(dialog.getByRole('img'));
      const saving = page.waitForEvent('download');
      await dialog.getByRole('link', { name: says.keep }).click();
      const saved = await saving;
      expect(saved.suggestedFilename()).toBe('wide.png');
      expect(await readFile(await saved.path())).toEqual(wide);
      await dialog.getByRole('button', { name: says.close }).click();
      await expect(dialog).toBeHidden();

      const calls = watchCalls(page);
      const remove = gatehouse.main.getByRole('button', { name: `${says.delete}: wide.png` });
      await remove.click();
      await expect(tiles(page)).toHaveCount(1);
      await gatehouse.main.getByRole('button', { name: says.undo }).click();
      await expect(tiles(page)).toHaveCount(2);
      expect(count(calls, 'DELETE /api/me/files')).toBe(0);
      await remove.click();
      await expect(tiles(page)).toHaveCount(1);
      // Leaving the page confirms the deletion.
      await expect(async () => {
        await gatehouse.open('/files');
        await expect(tiles(page)).toHaveCount(1, { timeout: 1000 });
      }).toPass();
      await expect(gatehouse.main.getByText('high.png')).toBeVisible();
    });

    test('refused upload shows its error in place, and a running upload can be cancelled', async ({
      page,
      user,
      browserErrors,
    }) => {
      browserErrors.expect(/status of 415 .*\/api\/me\/files/);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(user);
      await gatehouse.open('/files');
      const upload = gatehouse.main.getByLabel(says.upload, { exact: true });
      const html = Buffer.from('<!DOCTYPE html><script>alert(1)</script>');
      await upload.setInputFiles([
        file('large.png', Buffer.alloc(6_000_000)),
        file('page.png', html),
      ]);
      await expect(gatehouse.alert(says.tooLarge)).toBeVisible();
      await expect(gatehouse.alert(says.kinds)).toBeVisible();
      for (const name of ['large.png', 'page.png']) {
        await gatehouse.main.getByRole('button', { name: `${says.close}: ${name}` }).click();
      }
      await expect(gatehouse.main.getByText(says.empty)).toBeVisible();

      await hold(page, '/api/me/files?name=*');
      await upload.setInputFiles(file('slow.png', png(64, 64)));
      await expect(gatehouse.main.getByRole('progressbar')).toBeVisible();
      await gatehouse.main.getByRole('button', { name: `${says.cancel}: slow.png` }).click();
      await expect(gatehouse.main.getByText(says.empty)).toBeVisible();
      await gatehouse.reload();
      await expect(gatehouse.main.getByText(says.empty)).toBeVisible();
    });
  });
}

test('paste of a spreadsheet cell into a field opens no editor', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/settings/profile');
  const canvas = gatehouse.main.locator('canvas');
  await gatehouse.main.getByRole('button', { name: EN.edit, exact: true }).click();
  const nickname = page.getByRole('textbox', { name: EN.nickname, exact: true });
  await expect(nickname).toBeFocused();
  await paste(page, { text: 'Ada', picture: 'image.png' });
  // An image pasted into a field is not uploaded.
  await paste(page, { picture: 'image.png' });
  await nickname.blur();
  // Without a focused field the cell still is text.
  await paste(page, { text: 'Ada', picture: 'image.png' });
  // An editor would have opened before the upload of an image without text.
  await paste(page, { picture: 'image.png' });
  await expect(canvas).toHaveCount(1);
  await gatehouse.main.locator('.cropper').getByRole('button', { name: ENGLISH.cancel }).click();
  await expect(canvas).toHaveCount(0);
});

test('paste without a focused field uploads images but no spreadsheet cells', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/files');
  await expect(gatehouse.main.getByText(ENGLISH.empty)).toBeVisible();
  await paste(page, { text: 'Ada', picture: 'cell.png' });
  await paste(page, { picture: 'image.png' });
  // File managers add the file name as text.
  await paste(page, { text: 'photo.png', picture: 'photo.png' });
  await expect(tiles(page)).toHaveCount(2);
  await expect(gatehouse.main.getByText('cell.png')).toHaveCount(0);
  // The file input takes no text.
  await gatehouse.main.getByLabel(ENGLISH.upload, { exact: true }).focus();
  await paste(page, { picture: 'image.png' });
  await expect(tiles(page)).toHaveCount(3);
});

test('viewer leads through the pictures by keys and buttons and keeps the focus', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/files');
  const names = ['one.png', 'two.png', 'three.png'];
  for (const [index, name] of names.entries()) {
    const upload = gatehouse.main.locator('input[type="file"]');
    // The list is loaded, so that it has each file once.
    await gatehouse.expectIdle();
    await upload.setInputFiles(file(name, png(40 + index, 30)));
    await expect(tiles(page)).toHaveCount(index + 1);
  }
  // Newest first.
  await page.getByRole('button', { name: 'three.png', exact: true }).click();
  const viewer = page.getByRole('dialog');
  const previous = viewer.getByRole('button', { name: ENGLISH.previous });
  const next = viewer.getByRole('button', { name: ENGLISH.next });
  await expect(viewer).toHaveAccessibleName('three.png');
  await expect(viewer).toContainText(/1 KB · 42 × 30 · .*20\d\d/);
  await expect(previous).toHaveAttribute('aria-disabled', 'true');
  const frame = await viewer.boundingBox();
  await page.keyboard.press('ArrowLeft');
  await expect(viewer).toHaveAccessibleName('three.png');
  await page.keyboard.press('ArrowRight');
  await expect(viewer).toHaveAccessibleName('two.png');
  await next.click();
  await expect(viewer).toHaveAccessibleName('one.png');
  await expect(next).toHaveAttribute('aria-disabled', 'true');
  await expect(next).toBeFocused();
  // Nothing moves from picture to picture.
  expect(await viewer.boundingBox()).toEqual(frame);
  await page.keyboard.press('Escape');
  await expect(viewer).toBeHidden();
  await expect(page.getByRole('button', { name: 'one.png', exact: true })).toBeFocused();

  // A deletion closes the viewer and can be undone.
  await page.keyboard.press('Enter');
  await viewer.getByRole('button', { name: ENGLISH.delete }).click();
  await expect(viewer).toBeHidden();
  await expect(tiles(page)).toHaveCount(2);
  const undo = page.getByRole('button', { name: ENGLISH.undo });
  await expect(undo).toBeFocused();
  await undo.click();
  await expect(tiles(page)).toHaveCount(3);
});

test('each deletion can be undone for eight seconds, and undoing it returns to the picture', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.clock.install();
  // WebAssembly takes ids of 32 bits, and those of the installed clock are longer.
  await page.addInitScript(() => {
    const [set, clear] = [window.setInterval.bind(window), window.clearInterval.bind(window)];
    const ids: number[] = [];
    window.setInterval = ((handler: TimerHandler, interval?: number) =>
      ids.push(set(handler, interval))) as typeof window.setInterval;
    window.clearInterval = (id) => {
      clear(ids[Number(id) - 1]);
    };
  });
  await gatehouse.open('/files');
  await gatehouse.expectIdle();
  await gatehouse.main
    .getByLabel(ENGLISH.upload, { exact: true })
    .setInputFiles([file('one.png', png(40, 40))]);
  const remove = gatehouse.main.getByRole('button', { name: `${ENGLISH.delete}: one.png` });
  const undo = page.getByRole('button', { name: ENGLISH.undo });
  await expect(remove).toBeVisible();
  await gatehouse.expectIdle();
  // From here only `runFor` moves the clock, however slow the machine is. The clock cannot be set
  // back, so the time of the pause lies ahead.
  await page.clock.pauseAt(Date.now() + 10_000);
  // The second and third deletion begin while the time of the one before would run.
  for (let deletion = 0; deletion < 3; deletion += 1) {
    await remove.click();
    await expect(tiles(page)).toHaveCount(0);
    await page.mouse.move(0, 0);
    await page.clock.runFor(5000);
    await undo.click();
    await expect(tiles(page)).toHaveCount(1);
    await page.clock.runFor(100);
    await expect(page.getByRole('button', { name: 'one.png', exact: true })).toBeFocused();
  }
  await remove.click();
  await page.mouse.move(0, 0);
  await page.clock.runFor(9000);
  await expect(undo).toBeHidden();
});

test('pictures stand in reading order in squares of one size', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await answerWithFiles(page, [
    [640, 200],
    [200, 640],
    [300, 300],
    [640, 400],
    [100, 640],
    [640, 480],
  ]);
  await gatehouse.open('/files');
  await expect(tiles(page)).toHaveCount(6);
  for (const width of [360, 768, 1280]) {
    await resize(page, { width, height: 800 });
    const boxes = await page
      .locator('.tile-picture')
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect));
    const sizes = new Set(boxes.flatMap((box) => [Math.round(box.width), Math.round(box.height)]));
    expect(sizes.size, JSON.stringify([...sizes])).toBe(1);
    const isAfter = (box: DOMRect, before: DOMRect) =>
      box.top > before.top + 1 || (Math.abs(box.top - before.top) <= 1 && box.left > before.left);
    for (const [index, box] of boxes.entries()) {
      const before = boxes[index - 1];
      if (before) expect(isAfter(box, before), `${String(width)}: ${String(index)}`).toBe(true);
    }
  }
});

test('storage is shown as a meter, and the profile shows the newest six files of all', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await answerWithFiles(page, Array.from({ length: 6 }, () => [500, 500]), { total: 31 });
  await gatehouse.open('/profile');
  await expect(tiles(page)).toHaveCount(6);
  const meter = gatehouse.main.getByRole('meter', { name: EN.storage });
  await expect(meter).toHaveAttribute('value', '1500000');
  await expect(meter).toHaveAttribute('max', '100000000');
  await expect(gatehouse.main.getByText('1.5 MB of 100 MB used')).toBeVisible();
  await gatehouse.main.getByRole('link', { name: 'View all (31)', exact: true }).click();
  await gatehouse.expectPath('/files');
});

test('empty box opens the file picker and takes dropped pictures', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.open('/files');
  const box = page.locator('.files-empty');
  const picking = page.waitForEvent('filechooser');
  await box.click();
  expect((await picking).isMultiple()).toBe(true);
  const bytes = [...png(20, 20)];
  await box.evaluate((target, bytes) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(bytes)], 'drop.png', { type: 'image/png' }));
    target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  }, bytes);
  await expect(tiles(page)).toHaveCount(1);
  await expect(box).toHaveCount(0);
});

test('picture that is uploaded while the list loads is shown', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const upload = deferred();
  let isFirst = true;
  await page.route(/\/api\/me\/files(\?|$)/, async (route) => {
    if (!isFirst) return route.fallback();
    isFirst = false;
    // The response is from before the upload.
    const response = await route.fetch();
    await upload.promise;
    await route.fulfill({ response });
  });
  await gatehouse.open('/files');
  const uploaded = page.waitForResponse((response) => response.request().method() === 'POST');
  await gatehouse.main
    .getByLabel(ENGLISH.upload, { exact: true })
    .setInputFiles(file('early.png', png(30, 20)));
  await (await uploaded).finished();
  upload.resolve();
  await expect(tiles(page)).toHaveCount(1);
  await expect(gatehouse.main.getByText('early.png')).toBeVisible();
});

test('picture list stays in place when it loads', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await answerWithFiles(page, [[640, 200]]);
  const release = await hold(page, /\/api\/me\/files/);
  await gatehouse.open('/files');
  const list = page.locator('.tiles');
  await expect(list).toHaveAttribute('aria-busy', 'true');
  const top = () => list.evaluate((element) => element.getBoundingClientRect().top);
  const before = await top();
  release();
  await expect(tiles(page)).toHaveCount(1);
  expect(await top()).toBe(before);
});

test('pages of a member load without layout shift', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        shifts.push((entry as PerformanceEntry & { value: number }).value);
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await answerWithFiles(page, [
    [640, 200],
    [200, 640],
  ]);
  for (const path of ['/files', '/profile', '/settings/devices', '/settings/security']) {
    await gatehouse.open(path);
    await expect(page.locator('[aria-busy="true"]:visible')).toHaveCount(0);
    await page.waitForLoadState('networkidle');
    const shift = await page.evaluate(() =>
      (window as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0),
    );
    expect(shift, path).toBeLessThanOrEqual(0.01);
  }
});
