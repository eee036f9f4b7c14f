// Cost of a first visit: bytes, requests and layout shift; and of the first login: the lazy chunk.
import type { CDPSession } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

/** Budget of a first visit. */
const BUDGET = { requests: 6, bytes: 225_000, layoutShift: 0.01 };

/** Bytes that the first login may load in addition: the pages that require a login. */
const LOGIN_BUDGET = 300_000;

/** Counts the bytes that are transferred from now on. */
async function countBytes(session: CDPSession): Promise<() => number> {
  await session.send('Network.enable');
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  return () => bytes;
}

test('first visit of the login page stays within its budget without layout shift', async ({
  page,
}) => {
  const session = await page.context().newCDPSession(page);
  const transferred = await countBytes(session);
  const requests: string[] = [];
  session.on('Network.requestWillBeSent', ({ request }) => requests.push(request.url));
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        shifts.push((entry as PerformanceEntry & { value: number }).value);
    }).observe({ type: 'layout-shift', buffered: true });
  });

  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await page.waitForLoadState('networkidle');
  const shift = await page.evaluate(() =>
    (window as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0),
  );

  const bytes = transferred();
  const description = `${String(bytes)} bytes, ${String(requests.length)} requests`;
  test.info().annotations.push({ type: 'first visit', description });
  expect(requests.length, requests.join('\n')).toBeLessThanOrEqual(BUDGET.requests);
  expect(bytes).toBeLessThanOrEqual(BUDGET.bytes);
  expect(shift).toBeLessThanOrEqual(BUDGET.layoutShift);
});

test('first login loads the authenticated pages within their budget', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await page.waitForLoadState('networkidle');
  const transferred = await countBytes(await page.context().newCDPSession(page));
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectProfile(user);
  await page.waitForLoadState('networkidle');

  const bytes = transferred();
  test.info().annotations.push({ type: 'first login', description: `${String(bytes)} bytes` });
  // Less than the chunk itself has not been counted.
  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThanOrEqual(LOGIN_BUDGET);
});
