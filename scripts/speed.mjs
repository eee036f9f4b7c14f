// Measures the first visit of a page with an empty cache: bytes, first paint and time to
// interaction.
import { existsSync } from 'node:fs';

import { chromium } from '@playwright/test';

import { fill } from './markdown-blocks.mjs';

/**
 * Emulated device: latency in milliseconds, throughput in bytes per second, CPU slowdown factor.
 * @typedef {{ latency: number, throughput: number, slowdown: number }} Device
 */

/** @type {Device} */
const SLOW_PHONE = { latency: 150, throughput: 1_600_000 / 8, slowdown: 4 };

/** @typedef {{ bytes: number, requests: number, paint: number, click: number, shift: number }} Visit */

const EXECUTABLE = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const ROUNDS = 5;

/**
 * Measures first visits of a page with a form, at full speed and on a slow phone, and writes them
 * to docs/pages.md.
 * @param {string} url
 */
export async function firstVisits(url) {
  const desktop = await firstVisit(url);
  const phone = await firstVisit(url, SLOW_PHONE);
  const seconds = (/** @type {number} */ milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;
  fill(
    'docs/pages.md',
    'speed',
    [
      '| | a Vue front end of the same pages | a prototype of three pages in Leptos | Gatehouse |',
      '| --- | ---: | ---: | ---: |',
      `| transferred | 356 kB | 183 kB | ${(desktop.bytes / 1000).toFixed(0)} kB |`,
      `| at full speed, first paint | 0.34 s | 0.09 s | ${seconds(desktop.paint)} |`,
      `| at full speed, a click sends | 0.34 s | 0.14 s | ${seconds(desktop.click)} |`,
      `| slow phone, first paint | 2.8 s | 0.59 s | ${seconds(phone.paint)} |`,
      `| slow phone, a click sends | 2.8 s | 1.4 s | ${seconds(phone.click)} |`,
      '',
      '`make bench` writes the column Gatehouse. The other two were measured once, in the same way.',
    ].join('\n'),
  );
  return { desktop, phone };
}

/**
 * Visits a page with a form several times, with a new browser each time. Medians of bytes,
 * requests, and milliseconds to the first contentful paint and until a click on the submit button,
 * made as soon as it exists, sends its request; maximum of the layout shift.
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
    // The browser is warm, its cache is empty.
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
      // Fills in and submits the form as soon as its button exists.
      new MutationObserver((_, observer) => {
        const button = document.querySelector('main form [type="submit"]');
        if (!(button instanceof HTMLElement)) return;
        observer.disconnect();
        for (const input of document.querySelectorAll('main input:not([type="checkbox"])'))
          /** @type {HTMLInputElement} */ (input).value = 'first-visit';
        button.click();
      }).observe(document, { childList: true, subtree: true });
    });
    // The request is not answered: a response would add bytes, an error would shift the layout.
    // (Playwright's routes would proxy every file of the page.)
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
