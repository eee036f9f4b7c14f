// The audit log, for administrators: filtered, and followed live.
import type { Page } from '@playwright/test';

import { count, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { EN, LANGUAGES, type Strings } from '../support/words.ts';

function auditLog(page: Page, words: Strings) {
  const main = page.getByRole('main');
  return {
    entries: main.getByRole('listitem'),
    of: (name: string) => main.getByRole('listitem').filter({ hasText: name }),
    event: main.getByLabel(words.auditEvent),
    outcome: main.getByLabel(words.auditOutcome),
    period: main.getByLabel(words.auditPeriod),
    user: main.getByLabel(words.user, { exact: true }),
    older: main.getByRole('button', { name: words.auditOlder }),
    pause: main.getByRole('button', { name: words.auditPause, exact: true }),
    resume: main.getByRole('button', { name: words.auditResume, exact: true }),
  };
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('events appear in the audit log as they happen', async ({ page, api, administrator }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(administrator);
      await gatehouse.open('/admin/audit');
      const { entries, of, pause, resume } = auditLog(page, words);
      await expect(entries.first()).toBeVisible();
      await expect(gatehouse.status(words.auditLive)).toBeVisible();
      const user = newUser();
      await api.register(user);
      await api.login(user);
      await expect(of(user.username)).toHaveCount(2);
      // No entry twice, though the last seconds are requested again.
      await pause.click();
      await expect(gatehouse.status(words.auditPaused)).toBeVisible();
      const late = newUser();
      await api.register(late);
      await expect(of(late.username)).toHaveCount(0);
      await resume.click();
      await expect(of(late.username)).toHaveCount(1);
      await expect(of(user.username)).toHaveCount(2);
      await of(late.username).getByRole('link', { name: late.username }).click();
      await expect(gatehouse.main.getByRole('heading', { level: 1, name: late.username })).toBeVisible();
      await gatehouse.main.getByRole('link', { name: words.auditAll }).click();
      await expect(of(late.username)).toHaveCount(1);
      await expect(entries).toHaveCount(1);
    });
  });
}

test('filters of the audit log are kept in the URL', async ({
  page,
  api,
  user,
  administrator,
  browserErrors,
}) => {
  browserErrors.expect(/status of 400 .*\/api\/audit/);
  await api.login(user);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/audit');
  const { entries, event, period, user: field } = auditLog(page, EN);
  await expect(entries.first()).toBeVisible();
  await field.fill(user.username);
  await field.press('Enter');
  await expect(entries).toHaveCount(2);
  await event.selectOption('logged_in');
  await gatehouse.expectPath(`/admin/audit?event=logged_in&user=${encodeURIComponent(user.username)}`);
  await expect(entries).toHaveCount(1);
  await period.selectOption('1h');
  await expect(entries).toHaveCount(1);
  await gatehouse.reload();
  await expect(entries).toHaveCount(1);
  await expect(event).toHaveValue('logged_in');
  await page.goBack();
  await page.goBack();
  await expect(entries).toHaveCount(2);
  await field.fill('no-such-user');
  await field.press('Enter');
  await expect(gatehouse.alert('There is no such user')).toBeVisible();
  await expect(gatehouse.main.getByRole('button', { name: EN.retry })).toHaveCount(0);
  await page.goBack();
  await expect(entries).toHaveCount(2);
});

test('older entries follow those of the first page', async ({ page, api, administrator }) => {
  // One registration after the other: at once they might not be in the order of their times.
  test.slow();
  for (let number = 0; number < 55; number += 1) await api.register(newUser());
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/audit?event=registered');
  const { entries, older } = auditLog(page, EN);
  await expect(entries).toHaveCount(50);
  await older.click();
  await expect.poll(() => entries.count()).toBeGreaterThanOrEqual(55);
  const times = await entries.locator('time').evaluateAll((all) =>
    all.map((time) => time.getAttribute('datetime') ?? ''),
  );
  expect(times).toEqual([...times].sort().reverse());
});

test('audit log of a hidden tab is not requested, and complete when the tab is shown', async ({
  page,
  api,
  administrator,
}) => {
  const gatehouse = new Gatehouse(page);
  await page.clock.install();
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/audit');
  const { of } = auditLog(page, EN);
  await expect(gatehouse.status(EN.auditLive)).toBeVisible();
  const setHidden = (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, hidden);
  await setHidden(true);
  const calls = watchCalls(page);
  const users = [newUser(), newUser()];
  for (const user of users) await api.register(user);
  await page.clock.runFor(10_000);
  expect(count(calls, 'GET /api/audit')).toBe(0);
  await setHidden(false);
  for (const user of users) await expect(of(user.username)).toHaveCount(1);
});

test('audit log that loses its connection says so and misses nothing', async ({
  page,
  api,
  administrator,
  browserErrors,
}) => {
  browserErrors.expect(/\/api\/audit/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(administrator);
  await gatehouse.open('/admin/audit');
  const { of } = auditLog(page, EN);
  await expect(gatehouse.status(EN.auditLive)).toBeVisible();
  await page.route(/\/api\/audit/, (route) => route.abort());
  const user = newUser();
  await api.register(user);
  await expect(gatehouse.status(EN.auditDisconnected)).toBeVisible();
  await page.unroute(/\/api\/audit/);
  await expect(of(user.username)).toHaveCount(1);
  await expect(gatehouse.status(EN.auditLive)).toBeVisible();
});

test('audit log is refused to members and offered to no guest', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 403 .*\/api\/audit/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/admin/audit?event=logged_in');
  await gatehouse.expectPath(
    `/login?redirect=${encodeURIComponent('/admin/audit?event=logged_in')}`,
  );
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(gatehouse.alert(EN.adminOnly)).toBeVisible();
  await expect(gatehouse.main.getByRole('listitem')).toHaveCount(0);
});
