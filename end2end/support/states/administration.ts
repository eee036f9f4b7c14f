// States of the page of a user, of the audit log, and of the notices to the owners of pictures.
import { expect, type Page } from '@playwright/test';

import { fail } from '../network.ts';
import type { Gatehouse } from '../gatehouse.ts';
import { png } from '../pictures.ts';
import { NOON, NOW, answerWithFiles, signIn, type State } from './setup.ts';

const ID = '019d0b2c-8c00-7000-8000-000000000000';
const PATH = `/admin/users/${ID}`;

const USER = {
  id: ID,
  username: 'brionna.monahan@example.com',
  nickname: 'Brionna Monahan',
  avatar_url: null,
  role: 'user',
  email: null,
  created_at: NOON - 86_400 * 40,
  disabled_at: null,
  sessions: 2,
};

const ENTRIES = [
  { event: 'role_changed', outcome: 'success', detail: 'user', actor: 'root' },
  { event: 'logged_in', outcome: 'wrong_password' },
  { event: 'profile_changed', outcome: 'success', detail: 'nickname, email' },
  { event: 'new_device', outcome: 'success' },
  { event: 'logged_in', outcome: 'success' },
  { event: 'key_rotated', outcome: 'success', detail: '2026-03-20-1', user: null },
].map(({ actor, detail = null, ...entry }, index) => ({
  id: 900 - index,
  at: NOON - 130 * index,
  user: { id: ID, username: USER.username },
  actor: actor === undefined ? null : { id: ID.replace('2c', '2d'), username: actor },
  session: null,
  address: '192.0.2.17',
  browser: 'Firefox',
  system: 'Linux',
  user_agent: null,
  detail,
  ...entry,
}));

export const ADMINISTRATION: State[] = [
  user('user', 'the page of a user, for administrators'),
  user('user-pictures', 'the pictures of a user, for administrators', async ({ main, words }) => {
    await main.getByRole('button', { name: words.showPictures }).click();
    await expect(main.getByRole('img')).toHaveCount(2);
    await main.getByRole('heading', { name: words.pictures }).scrollIntoViewIfNeeded();
  }),
  user('user-removal', 'the question for the reason of a removal', async ({ page, main, words }) => {
    await main.getByRole('button', { name: words.showPictures }).click();
    await main.getByRole('button', { name: `${words.removePicture}: beach.png` }).click();
    await expect(page.getByRole('dialog', { name: words.removalTitle })).toBeVisible();
  }),
  {
    name: 'user-gone',
    what: 'the page of a user who does not exist',
    widths: [1280],
    browserErrors: [/status of 404 .*\/api\/users\/account/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage, 'admin');
      await gatehouse.page.route(/\/api\/users\/account/, (route) => fail(route, 404, 'not_found'));
      await gatehouse.open(PATH);
      await expect(gatehouse.alert(gatehouse.words.userGone)).toBeVisible();
    },
  },
  audit('audit', 'the audit log', ENTRIES),
  audit('audit-empty', 'a filter of the audit log without matches', []),
  {
    name: 'files-notice',
    what: 'the notice of a removed picture to its owner',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await answerWithFiles(gatehouse.page, [[640, 480]], { notices: 1 });
      await gatehouse.page.route('/api/me/notices', (route) =>
        route.fulfill({
          json: {
            notices: [
              {
                id: ID,
                file_name: 'beach.png',
                reason: 'other',
                text: 'The picture shows the plan of a building that is not public.',
                created_at: NOON - 86_400,
              },
            ],
          },
        }),
      );
      await gatehouse.open('/files');
      await expect(gatehouse.main.getByText(gatehouse.words.noticeFile)).toBeVisible();
      await expect(gatehouse.main.locator('.tile img')).toBeVisible();
    },
  },
];

/** The page of a user, with sessions, pictures and events. */
function user(
  name: string,
  what: string,
  act: (gatehouse: Gatehouse) => Promise<void> = () => Promise.resolve(),
): State {
  return {
    name,
    what,
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage, 'admin');
      await answerWithUser(gatehouse.page);
      await gatehouse.open(PATH);
      // Username and address are the same.
      await expect(gatehouse.main.getByText(USER.username)).toHaveCount(2);
      await expect(gatehouse.main.getByText('192.0.2.18')).toBeVisible();
      await act(gatehouse);
    },
  };
}

function audit(name: string, what: string, entries: object[]): State {
  return {
    name,
    what,
    reach: async (stage) => {
      const { gatehouse } = stage;
      const { main, words } = gatehouse;
      await signIn(stage, 'admin');
      await answerWithAudit(gatehouse.page, entries);
      await gatehouse.open('/admin/audit');
      await expect(
        entries.length === 0
          ? main.getByText(words.auditNone)
          : main.getByText('192.0.2.17').first(),
      ).toBeVisible();
    },
  };
}

async function answerWithAudit(page: Page, entries: object[]): Promise<void> {
  await page.route(/\/api\/audit/, (route) => {
    const isPoll = new URL(route.request().url()).searchParams.has('after');
    const json = { entries: isPoll ? [] : entries, next: isPoll ? null : 'ZTg5NA', latest: 'ZTkwMA' };
    return route.fulfill({ json });
  });
}

async function answerWithUser(page: Page): Promise<void> {
  await answerWithAudit(page, ENTRIES.slice(0, 5));
  await page.route(/\/api\/users\/account/, (route) =>
    route.fulfill({
      json: {
        user: USER,
        email_verified: false,
        pending_email: null,
        last_login_at: NOON, files: 2, files_used: 2_400_000 },
    }),
  );
  await page.route(/\/api\/users\/sessions/, (route) =>
    route.fulfill({
      json: {
        sessions: [
          { browser: 'Firefox', system: 'Linux', address: '192.0.2.18', last_seen_at: NOW - 40 },
          { browser: 'Safari', system: 'iOS', address: '2001:db8::7', last_seen_at: NOON - 90_000 },
        ].map((session, index) => ({
          id: ID.replace('2c', `4${String(index)}`),
          created_at: NOON - 86_400 * (1 + index),
          expires_at: NOON + 86_400,
          current: false,
          new_device: false,
          remember: true,
          ...session,
        })),
      },
    }),
  );
  await page.route(/\/api\/users\/files/, (route) =>
    route.fulfill({
      json: {
        files: ['beach.png', 'mountain.png'].map((name, index) => ({
          id: ID.replace('2c', `5${String(index)}`),
          name,
          size: 1_200_000,
          width: 640,
          height: 480,
          type: 'image/png',
          created_at: NOON,
        })),
        next: null,
        total: 2,
        used: 2_400_000,
        quota: 100_000_000,
        notices: 0,
      },
    }),
  );
  await page.route(/\/api\/users\/file\?/, (route) =>
    route.fulfill({ contentType: 'image/png', body: png(64, 48, [40, 120, 160], [230, 160, 120]) }),
  );
}
