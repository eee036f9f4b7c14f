// The first visit of a page in a browser that has never been here: how much is loaded, and how soon something can be seen and done.
import { existsSync } from 'node:fs';

import { chromium } from '@playwright/test';

import { fill } from './blocks.mjs';

/**
 * A machine and its line: milliseconds to an answer, bytes a second, and how many times slower than this machine it is.
 * @typedef {{ latency: number, throughput: number, slowdown: number }} Device
 */

/** @type {Device} */
const SLOW_PHONE = { latency: 150, throughput: 1_600_000 / 8, slowdown: 4 };

/** @typedef {{ bytes: number, requests: number, paint: number, click: number, shift: number }} Visit */

const EXECUTABLE = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const ROUNDS = 5;

/**
 * First visits of a page with a form, at full speed and by a slow phone; writes them into docs/pages.md beside what others need.
 * @param {string} url
 */
export async function firstVisits(url) {
  const desk = await firstVisit(url);
  const phone = await firstVisit(url, SLOW_PHONE);
  const seconds = (/** @type {number} */ milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;
  fill(
    'docs/pages.md',
    'speed',
    [
      '| | a Vue front end of the same pages | a prototype of three pages in Leptos | Gatehouse |',
      '| --- | ---: | ---: | ---: |',
      `| transferred | 356 kB | 183 kB | ${(desk.bytes / 1000).toFixed(0)} kB |`,
      `| at full speed, first paint | 0.34 s | 0.09 s | ${seconds(desk.paint)} |`,
      `| at full speed, a click sends | 0.34 s | 0.14 s | ${seconds(desk.click)} |`,
      `| slow phone, first paint | 2.8 s | 0.59 s | ${seconds(phone.paint)} |`,
      `| slow phone, a click sends | 2.8 s | 1.4 s | ${seconds(phone.click)} |`,
      '',
      'The last column is from the last run of `make bench`, the others were measured once, in the same way.',
    ].join('\n'),
  );
  return { desk, phone };
}

/**
 * Visits a page with a form by a browser that is new each time, several times. Medians: bytes and requests; milliseconds until the
 * first text is painted, and until a click on the form's button, made as soon as there is one, sends its request; the sum of
 * layout shifts is the worst of all.
 * @param {string} url
 * @param {Device} [device]
 * @returns {Promise<Visit>}
 */
async function firstVisit(url, device) {
  /** @type {Visit[]} */
  const visits = [];
  for (let round = 0; round < ROUNDS; round += 1) visits.push(await visit(url, device));
  /** @type {(pick: (visit: Visit) => number) => number} */
  const median = (pick) =>
    visits.map(pick).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
  return {
    bytes: median(({ bytes }) => bytes),
    requests: median(({ requests }) => requests),
    paint: median(({ paint }) => paint),
    click: median(({ click }) => click),
    shift: Math.max(...visits.map(({ shift }) => shift)),
  };
}

/**
 * @param {string} url
 * @param {Device | undefined} device
 * @returns {Promise<Visit>}
 */
async function visit(url, device) {
  const browser = await chromium.launch({
    ...(EXECUTABLE === undefined ? {} : { executablePath: EXECUTABLE }),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    // The browser itself runs already, as a person's does; what is empty is its cache.
    const before = await browser.newPage();
    await before.goto(new URL('/.well-known/jwks.json', url).href);
    await before.context().close();
    const page = await browser.newPage({
      viewport: device === undefined ? { width: 1280, height: 800 } : { width: 360, height: 740 },
    });
    const client = await page.context().newCDPSession(page);
    await client.send('Network.enable');
    if (device !== undefined) {
      const { latency, throughput, slowdown } = device;
      await client.send('Network.emulateNetworkConditions', {
        offline: false,
        latency,
        downloadThroughput: throughput,
        uploadThroughput: throughput,
      });
      await client.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
    }
    let bytes = 0;
    let requests = 0;
    let finished = 0;
    let began = Number.NaN;
    /** @type {(seconds: number) => void} */
    let sent = () => undefined;
    /** @type {Promise<number>} */
    const sending = new Promise((resolve) => (sent = resolve));
    client.on('Network.requestWillBeSent', ({ request, timestamp }) => {
      if (request.url === url) began = timestamp;
      if (request.method === 'POST') sent(timestamp);
      else requests += 1;
    });
    client.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
      finished += 1;
    });
    client.on('Network.loadingFailed', () => (finished += 1));
    await page.addInitScript(() => {
      const shifts = { sum: 0 };
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
          shifts.sum += /** @type {PerformanceEntry & { value: number }} */ (entry).value;
      }).observe({ type: 'layout-shift', buffered: true });
      // Somebody quick: it is typed and clicked at the very moment at which there is something to click.
      new MutationObserver((_, observer) => {
        const button = document.querySelector('main form [type="submit"]');
        if (!(button instanceof HTMLElement)) return;
        observer.disconnect();
        for (const input of document.querySelectorAll('main input:not([type="checkbox"])'))
          /** @type {HTMLInputElement} */ (input).value = 'somebody';
        button.click();
      }).observe(document, { childList: true, subtree: true });
    });
    // Only that it is sent counts: an answer would be bytes of another visit, and a failure would move what is below its words.
    // (Playwright's own routes would have every file of the page pass through this program.)
    await client.send('Fetch.enable', { patterns: [{ urlPattern: '*/api/*' }] });
    await page.goto(url, { waitUntil: 'load' });
    const click = (await sending) - began;
    while (finished < requests) await new Promise((resolve) => setTimeout(resolve, 50));
    const { paint, shift } = await page.evaluate(() => ({
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      shift: /** @type {{ shifts: { sum: number } }} */ (/** @type {unknown} */ (window)).shifts
        .sum,
    }));
    return { bytes, requests, paint, click: click * 1000, shift };
  } finally {
    await browser.close();
  }
}
