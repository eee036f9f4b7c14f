// Cost of a first visit: bytes, requests and layout shift.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

/** Budget of a first visit. */
const BUDGET = { requests: 6, bytes: 225_000, layoutShift: 0.01 };

test('first visit of the login page stays within its budget without layout shift', async ({
  page,
}) => {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  const requests: string[] = [];
  session.on('Network.requestWillBeSent', ({ request }) => requests.push(request.url));
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
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

  const description = `${String(bytes)} bytes, ${String(requests.length)} requests`;
  test.info().annotations.push({ type: 'first visit', description });
  expect(requests.length, requests.join('\n')).toBeLessThanOrEqual(BUDGET.requests);
  expect(bytes).toBeLessThanOrEqual(BUDGET.bytes);
  expect(shift).toBeLessThanOrEqual(BUDGET.layoutShift);
});
