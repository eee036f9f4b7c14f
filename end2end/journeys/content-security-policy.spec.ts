// Content security policy of the pages.
import { AxeBuilder } from '@axe-core/playwright';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

// The browser logs a violation as a console error, which fails this test.
test('invariant 24: pages violate none of their own policies', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 404 .*\/nowhere/);
  const gatehouse = new Gatehouse(page);
  for (const path of ['/', '/login', '/register', '/nowhere']) {
    await gatehouse.open(path);
    const policy = (await page.request.get(path)).headers()['content-security-policy'] ?? '';
    expect(policy).toContain("'wasm-unsafe-eval'");
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'/);
  }
  await gatehouse.logIn(user);
});

test('invariant 24: injected script does not run', async ({ page, browserErrors }) => {
  browserErrors.expect(/Content Security Policy|violates the following/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.intruder = true';
    document.body.append(script);
    document.body.insertAdjacentHTML(
      'beforeend',
      '<img src="data:," onerror="window.intruder = true"><a href="javascript:window.intruder = true">x</a>',
    );
    document.querySelector<HTMLAnchorElement>('a[href^="javascript:"]')?.click();
  });
  // By then the broken image has fired its error event.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  const ran = await page.evaluate(() => 'intruder' in window);
  expect(ran).toBe(false);
});

test('API description renders and is accessible', async ({ page }) => {
  // axe takes its time for a document of this size.
  test.slow();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto('/api/docs');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('API documentation');
    await expect(page.getByRole('heading', { name: 'POST /api/auth/login' })).toBeVisible();
    // The policy allows its style sheet.
    expect(await page.locator('main').evaluate((main) => getComputedStyle(main).maxWidth)).toBe(
      '960px',
    );
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(
      violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.target.join(' ')) })),
    ).toEqual([]);
  }
});
