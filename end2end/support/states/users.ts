// States of the user administration.
import { expect } from '@playwright/test';

import { fail } from '../network.ts';
import type { Gatehouse } from '../gatehouse.ts';
import { NOON, RETRY_AFTER_SECONDS, signIn, type State } from './setup.ts';

export const USERS: State[] = [
  users('users', 'the user list of an administrator'),
  users(
    'users-menu',
    'the actions on a user account',
    async ({ page, main, words }) => {
      await main.getByRole('button', { name: `${words.manage}: 小明` }).click();
      await expect(page.getByRole('button', { name: words.endSessions })).toBeVisible();
    },
    { widths: [1280] },
  ),
  users(
    'users-question',
    'the confirmation before an account is disabled',
    async ({ page, main, words }) => {
      await main.getByRole('button', { name: `${words.manage}: 小明` }).click();
      await page.getByRole('button', { name: words.disable, exact: true }).click();
      await expect(page.getByRole('dialog', { name: words.disableTitle })).toBeVisible();
    },
  ),
  users(
    'users-last',
    'the refusal to disable the last administrator',
    async ({ page, main, words }) => {
      await page.route('/api/users', (route) =>
        fail(route, 409, 'last_admin', words.messages.lastAdmin),
      );
      await main.getByRole('button', { name: `${words.manage}: 小明` }).click();
      await page.getByRole('button', { name: words.disable, exact: true }).click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: words.disable, exact: true })
        .click();
      await expect(page.getByRole('alert').getByText(words.messages.lastAdmin)).toBeVisible();
    },
    { browserErrors: [/status of 409 .*\/api\/users/] },
  ),
  users('users-empty', 'a search without results', async ({ page, main, words }) => {
    await page.route(/\/api\/users\?.*search=/, (route) =>
      route.fulfill({ json: userPage([]) }),
    );
    await main.getByLabel(words.usersSearch).fill('nobody');
    await expect(main.getByText(words.noUsersFound)).toBeVisible();
  }),
  {
    name: 'users-failed',
    what: 'a user list that could not be loaded',
    browserErrors: [/\/api\/users/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage, 'admin');
      await gatehouse.page.route(/\/api\/users/, (route) =>
        fail(route, 503, 'unavailable', gatehouse.words.messages.unavailable, RETRY_AFTER_SECONDS),
      );
      await gatehouse.open('/admin/users');
      await expect(gatehouse.alert(gatehouse.words.usersFailed)).toBeVisible();
    },
  },
  {
    name: 'users-refused',
    what: 'the user list, refused to a user who is not an administrator',
    browserErrors: [/status of 403 .*\/api\/users/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.page.route(/\/api\/users/, (route) => fail(route, 403, 'forbidden'));
      await gatehouse.open('/admin/users');
      await expect(gatehouse.alert(gatehouse.words.adminOnly)).toBeVisible();
    },
  },
];

/** A page of the user list: the second of two if it has users. */
function userPage(users: object[]): object {
  const [first, total] = users.length === 0 ? [0, 0] : [51, 50 + users.length];
  const previous = users.length === 0 ? null : 'bmJvYg';
  return { users, next: null, previous, first, total, total_exact: true };
}

/** The sample user as an administrator, with a list of users. */
function users(
  name: string,
  what: string,
  act: (gatehouse: Gatehouse) => Promise<void> = () => Promise.resolve(),
  rest: Partial<State> = {},
): State {
  return {
    name,
    what,
    ...rest,
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage, 'admin');
      await gatehouse.page.route(/\/api\/users(\?|$)/, (route) =>
        route.fulfill({ json: userPage(PEOPLE) }),
      );
      await gatehouse.open('/admin/users');
      await expect(gatehouse.main.getByText('小明', { exact: true })).toBeVisible();
      await act(gatehouse);
    },
  };
}

const PEOPLE = [
  {
    username: 'xiaoming_92',
    nickname: '小明',
    email: 'xiaoming@example.cn',
    role: 'user',
    disabled: false,
    sessions: 2,
  },
  {
    username: 'grace.hopper@example.org',
    nickname: 'Grace Hopper',
    email: null,
    role: 'admin',
    disabled: false,
    sessions: 1,
  },
  {
    username: 'alan',
    nickname: null,
    email: 'alan.mathison.turing@mail.department.example.org',
    role: 'user',
    disabled: true,
    sessions: 0,
  },
].map(({ disabled, ...user }, number) => ({
  ...user,
  id: `019d0b2c-8c00-7000-8000-00000000000${String(number)}`,
  avatar_url: null,
  created_at: NOON - 86_400 * (40 + 7 * number),
  disabled_at: disabled ? NOON : null,
}));
