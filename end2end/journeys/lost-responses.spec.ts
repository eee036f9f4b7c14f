// Lost refresh responses, as after a closed lid or a lost network, do not end the session.
import type { Page } from '@playwright/test';

import { remembering, type Session } from '../support/api.ts';
import { count, watchCalls } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN } from '../support/words.ts';

const REFRESH = 'POST /api/auth/refresh';

/** Lets the server process refreshes and drops their responses, which are returned here. */
async function loseAnswers(page: Page): Promise<Session[]> {
  const lost: Session[] = [];
  await page.route('/api/auth/refresh', async (route) => {
    const answer = await route.fetch();
    expect(answer.status()).toBe(200);
    lost.push((await answer.json()) as Session);
    await route.abort('connectionreset');
  });
  return lost;
}

/** The `iat` claim of a token. */
function issuedAt(token: string): number {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    iat: number;
  };
  return claims.iat;
}

for (const presented of ['refresh', 'access'] as const) {
  test(`invariant 15: lost refresh response keeps the session, and its ${presented} token presented later ends it`, async ({
    expired,
    newContext,
    browserErrors,
  }) => {
    browserErrors.expect(/status of 401 .*\/api\/me/, /ERR_CONNECTION_RESET/);
    const grace = 1;
    const { server, api, user, session } = await expired({
      REFRESH_GRACE_SECONDS: String(grace),
    });
    const browser = await newContext({
      baseURL: server.url,
      storageState: remembering(server.url, session),
    });
    const before = new Gatehouse(await browser.newPage());
    const lost = await loseAnswers(before.page);
    await before.open('/profile');
    await expect(before.alert(EN.profileFailed)).toBeVisible();
    expect(lost).toHaveLength(1);
    const [answer] = lost as [Session];
    expect((await before.tokens()).refresh).toBe(session.refresh_token);
    await before.page.close();

    // Long after the grace period, no retry returns that response.
    await expect
      .poll(() => Math.floor(Date.now() / 1000))
      .toBeGreaterThan(issuedAt(answer.refresh_token) + grace);
    const later = new Gatehouse(await browser.newPage());
    const calls = watchCalls(later.page);
    await later.open('/profile');
    await later.expectProfile(user);
    expect(count(calls, REFRESH)).toBe(1);
    const held = await later.tokens();
    expect(held.refresh).not.toBe(answer.refresh_token);

    // Only an eavesdropper has the token.
    const revoked = { status: 401, code: 'token_revoked' };
    const found =
      presented === 'refresh'
        ? await api.present('POST', '/api/auth/refresh', answer.refresh_token)
        : await api.present('GET', '/api/me', answer.access_token);
    expect(found).toEqual(revoked);
    expect(await api.present('GET', '/api/me', held.access)).toEqual(revoked);
    expect(await api.present('POST', '/api/auth/refresh', held.refresh)).toEqual(revoked);

    browserErrors.expect(/status of 401 .*\/api\/auth\/refresh/);
    await later.page.reload();
    await later.expectPath('/login?redirect=%2Fprofile');
    await expect(later.alert(EN.sessionReused)).toHaveCount(1);
    expect(await later.storage()).toEqual({ local: {}, tab: {} });
  });
}

test('invariant 15: retry within the grace returns the lost response', async ({
  expired,
  newTab,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401 .*\/api\/me/, /ERR_CONNECTION_RESET/);
  const { server, user, session } = await expired({ REFRESH_GRACE_SECONDS: '600' });
  const gatehouse = new Gatehouse(await newTab(session, { baseURL: server.url }));
  const lost = await loseAnswers(gatehouse.page);
  await gatehouse.open('/profile');
  await expect(gatehouse.alert(EN.profileFailed)).toBeVisible();
  await gatehouse.page.unroute('/api/auth/refresh');
  await gatehouse.main.getByRole('button', { name: EN.retry }).click();
  await gatehouse.expectProfile(user);
  expect((await gatehouse.tokens()).refresh).toBe(lost[0]?.refresh_token);
});
