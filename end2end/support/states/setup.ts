// Set-up of the states: one sample user at one fixed time.
import { expect, type Locator, type Page } from '@playwright/test';

import type { Api } from '../api.ts';
import type { Gatehouse } from '../gatehouse.ts';
import { newUser } from '../users.ts';
import { png } from '../pictures.ts';

/** The sample user and the fixed time of all screenshots. */
export const ADA = { username: 'ada@example.org', nickname: 'Ada' };
export const NOON = Date.UTC(2026, 2, 20, 12) / 1000;
export const NOW = NOON + 21;
/** `Retry-After` of simulated failures, in seconds: longer than a state is checked. */
export const RETRY_AFTER_SECONDS = 480;

export interface StateContext {
  gatehouse: Gatehouse;
  api: Api;
}

/** A page in one of its states. */
export interface State {
  /** Name in the table and in the file names of the screenshots. */
  name: string;
  /** Description of the state. */
  what: string;
  /** Widths of its screenshots, if not all. */
  widths?: number[];
  /** Browser errors that belong to the state. */
  browserErrors?: RegExp[];
  /** Element at the top of its screenshots, if they are not of the head of the page. */
  top?: (gatehouse: Gatehouse) => Locator;
  reach: (stage: StateContext) => Promise<void>;
}

export async function expectAda({ main, words }: Gatehouse): Promise<void> {
  await expect(main.getByText(words.welcome(ADA.nickname))).toBeVisible();
  await expect(main.getByText(/^access\b/)).toBeVisible();
}

/** Answers the file list with images of these sizes. */
export async function answerWithFiles(
  page: Page,
  measures: [number, number][],
  { total = measures.length, notices = 0 } = {},
): Promise<void> {
  const files = measures.map(([width, height], index) => ({
    id: `019d0b2c-8c00-7000-8000-00000000000${String(index)}`,
    name: `${['arch', 'gate', 'door', 'wall', 'tower', 'bridge'][index] ?? 'picture'}.png`,
    size: width * height,
    width,
    height,
    type: 'image/png',
    created_at: NOON,
  }));
  const used = files.reduce((sum, file) => sum + file.size, 0);
  await page.route(/\/api\/me\/files(\?|$)/, (route) =>
    route.fulfill({
      json: { files, next: null, total, used, quota: 100_000_000, notices },
    }),
  );
  await page.route(/\/api\/me\/file\?/, (route) => {
    const index = Number(new URL(route.request().url()).searchParams.get('id')?.slice(-1));
    const [width, height] = measures[index] ?? [1, 1];
    const tint = (index * 40) % 200;
    return route.fulfill({
      contentType: 'image/png',
      body: png(width, height, [tint, 120, 160], [230, 200 - tint, 120]),
    });
  });
}

/** Signs in as the sample user at the fixed time. */
export async function signIn({ gatehouse, api }: StateContext, role = 'user'): Promise<void> {
  const { page } = gatehouse;
  const user = newUser();
  await api.register(user);
  await gatehouse.logIn(user);
  await page.evaluate(
    ([ada, times, role]) => {
      const user = JSON.parse(localStorage.getItem('user') ?? '{}') as object;
      localStorage.setItem('user', JSON.stringify({ ...user, ...ada, role }));
      // The signature is not checked: no request of this page reaches the server. The session id is
      // kept, as the page would discard the token otherwise.
      const part = (claims: object) => btoa(JSON.stringify(claims)).replaceAll('=', '');
      const [, claims = ''] = (localStorage.getItem('refresh_token') ?? '').split('.');
      const session = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as object;
      const token = `${part({ alg: 'HS256' })}.${part({ ...session, ...times })}.AAAA`;
      localStorage.setItem('access_token', JSON.stringify(token));
    },
    [ADA, { iat: NOON, exp: NOON + 900 }, role] as const,
  );
  await page.clock.setFixedTime(NOW * 1000);
  await answerAsAda(page);
}

async function answerAsAda(page: Page): Promise<void> {
  await answerWithFiles(page, []);
  await page.route(/\/api\/me\/activity/, (route) =>
    route.fulfill({ json: { events: [], next: null } }),
  );
  await answerWithProfile(page);
}

/** Answers with the profile of the sample user, with other members where given. */
export async function answerWithProfile(page: Page, members: object = {}): Promise<void> {
  await page.route('/api/me', (route) =>
    route.fulfill({
      headers: { Date: new Date(NOW * 1000).toUTCString() },
      json: {
        id: '019d0b2c-8c00-7000-8000-000000000000',
        ...ADA,
        avatar_url: null,
        role: 'user',
        email: ADA.username,
        email_verified: true,
        pending_email: null,
        alert_new_device: true,
        mobile: '+8613912345901',
        created_at: NOON - 86_400 * 40,
        password_changed_at: NOON - 86_400 * 12,
        login_time: NOON,
        expiration_time: NOON + 900,
        token_type: 'access',
        fresh: true,
        ...members,
      },
    }),
  );
}
