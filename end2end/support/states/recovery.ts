// States of the pages of mails, and of what the settings and administrators see of addresses.
import { expect, type Page } from '@playwright/test';

import { fail } from '../network.ts';
import type { Gatehouse } from '../gatehouse.ts';
import {
  ADA,
  NOON,
  RETRY_AFTER_SECONDS,
  answerWithProfile,
  signIn,
  type State,
} from './setup.ts';

const ID = '019d0b2c-8c00-7000-8000-000000000000';
/** Form of a token: 256 bits in base64url. No request with it reaches the server. */
const TOKEN = 'Zm9yLXBpY3R1cmVzLW9ubHktbm8tc2VydmVyLWtub3c';
const DONE = { message: 'Done' };

export const RECOVERY: State[] = [
  state('forgot', 'the question for the account of a forgotten password', '/forgot'),
  state('forgot-sent', 'the fields for the digits of a mail', '/forgot', sent),
  state(
    'forgot-wrong-digits',
    'digits that do not count',
    '/forgot',
    async (gatehouse) => {
      await sent(gatehouse);
      const { page, main, words } = gatehouse;
      await page.route('/api/auth/reset', (route) => fail(route, 400, 'code_invalid'));
      await main.getByLabel(words.digits, { exact: true }).fill('1234 5678');
      await fillPassword(gatehouse);
      await main.getByRole('button', { name: words.resetSubmit }).click();
      await expect(main.getByText(words.digitsInvalid)).toBeVisible();
    },
    [/status of 400 .*\/api\/auth\/reset/],
  ),
  state('reset', 'the fields for a new password', `/reset#${TOKEN}`, fillPassword),
  state('reset-done', 'a password that has been reset', `/reset#${TOKEN}`, async (gatehouse) => {
    const { page, main, words } = gatehouse;
    await page.route('/api/auth/reset', (route) => route.fulfill({ json: DONE }));
    await fillPassword(gatehouse);
    await main.getByRole('button', { name: words.resetSubmit }).click();
    await expect(gatehouse.status(words.resetDone)).toBeVisible();
  }),
  state(
    'reset-invalid',
    'a used or expired link',
    `/reset#${TOKEN}`,
    async (gatehouse) => {
      const { page, main, words } = gatehouse;
      await page.route('/api/auth/reset', (route) => fail(route, 400, 'code_invalid'));
      await fillPassword(gatehouse);
      await main.getByRole('button', { name: words.resetSubmit }).click();
      await expect(gatehouse.alert(words.linkInvalid)).toBeVisible();
    },
    [/status of 400 .*\/api\/auth\/reset/],
  ),
  state('reset-incomplete', 'a link without its token', '/reset', async (gatehouse) => {
    await expect(gatehouse.alert(gatehouse.words.linkIncomplete)).toBeVisible();
  }),
  state('verify', 'the question whether an address is verified', `/verify#${TOKEN}`),
  state('verify-done', 'a verified address', `/verify#${TOKEN}`, async (gatehouse) => {
    const { page, main, words } = gatehouse;
    const json = { ...DONE, email: ADA.username };
    await page.route('/api/auth/verify-address', (route) => route.fulfill({ json }));
    await main.getByRole('button', { name: words.verifySubmit }).click();
    await expect(gatehouse.status(words.verifyDone)).toBeVisible();
  }),
  state(
    'verify-taken',
    'an address of another account',
    `/verify#${TOKEN}`,
    async (gatehouse) => {
      const { page, main, words } = gatehouse;
      await page.route('/api/auth/verify-address', (route) => fail(route, 409, 'address_taken'));
      await main.getByRole('button', { name: words.verifySubmit }).click();
      await expect(gatehouse.alert(words.verifyTaken)).toBeVisible();
    },
    [/status of 409 .*\/api\/auth\/verify-address/],
  ),
  state(
    'login-unverified',
    'a login that needs a verified address',
    '/login',
    async (gatehouse) => {
      const { page, main, words } = gatehouse;
      await page.route('/api/auth/login', (route) => fail(route, 403, 'address_unverified'));
      await gatehouse.fillLogin({ username: ADA.username, password: 'correct horse' });
      await gatehouse.loginButton.click();
      await expect(main.getByText(words.unverifiedText)).toBeVisible();
    },
    [/status of 403 .*\/api\/auth\/login/],
  ),
  state('undo', 'the question of an alert', `/undo#${TOKEN}`),
  state('undo-done', 'a secured account', `/undo#${TOKEN}`, async (gatehouse) => {
    const { page, main, words } = gatehouse;
    const json = { ...DONE, reset: true };
    await page.route('/api/auth/undo', (route) => route.fulfill({ json }));
    await main.getByRole('button', { name: words.undoSubmit }).click();
    await expect(gatehouse.status(words.undoDone)).toBeVisible();
  }),
  {
    name: 'register-closed',
    what: 'the registration page while registration is closed',
    reach: async ({ gatehouse }) => {
      const { page, main, words } = gatehouse;
      await page.route('/register', async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replace('<html', '<html data-registration="closed"');
        await route.fulfill({ response, body });
      });
      await gatehouse.open('/register');
      await expect(main.getByText(words.registrationClosed)).toBeVisible();
      await expect(gatehouse.registerButton).toBeHidden();
    },
  },
  member(
    'address-pending',
    'the profile settings while a new address waits for its confirmation',
    '/settings/profile',
    async ({ page, main, words }) => {
      await answerWithProfile(page, { email_verified: true, pending_email: 'ada@example.net' });
      return async () => {
        await expect(main.getByText('ada@example.net').first()).toBeVisible();
        await main.getByRole('button', { name: words.verifySubmit }).click();
        await expect(main.getByText(words.digitsMissing)).toBeVisible();
      };
    },
  ),
  {
    ...member(
      'activity',
      'the alerts and the recent activity of a user',
      '/settings/security',
      async ({ page, main, words }) => {
        await answerWithProfile(page, { email_verified: true });
        await answerWithActivity(page);
        return async () => {
          await expect(main.getByRole('button', { name: words.notMe })).toHaveCount(2);
        };
      },
    ),
    top: ({ main, words }) => main.getByRole('heading', { name: words.alerts }),
  },
  member(
    'activity-not-me',
    'the question before the session of a login ends',
    '/settings/security',
    async ({ page, main, words }) => {
      await answerWithActivity(page);
      return async () => {
        await main.getByRole('button', { name: words.notMe }).first().click();
        await expect(page.getByRole('dialog', { name: words.notMeTitle })).toBeVisible();
      };
    },
  ),
  {
    ...member(
      'activity-failed',
      'recent activity that could not be loaded',
      '/settings/security',
      async (gatehouse) => {
        const { page, words } = gatehouse;
        await page.route(/\/api\/me\/activity/, (route) =>
          fail(route, 503, 'unavailable', words.messages.unavailable, RETRY_AFTER_SECONDS),
        );
        return async () => {
          await expect(gatehouse.alert(words.activityFailed)).toBeVisible();
        };
      },
      [/\/api\/me\/activity/],
    ),
    top: ({ main, words }) => main.getByRole('heading', { name: words.recentActivity, level: 2 }),
  },
  administrator('invitations', 'the invitations of an administrator'),
  administrator(
    'invitations-created',
    'the link of a new invitation',
    async ({ page, main, words }) => {
      await page.route('/api/invitations', (route) =>
        route.request().method() === 'POST'
          ? route.fulfill({ status: 201, json: INVITED })
          : route.fallback(),
      );
      await main.getByRole('button', { name: words.invitationCreate }).click();
      await expect(main.getByLabel(words.invitationLink)).toHaveValue(INVITED.link);
    },
  ),
];

const INVITED = {
  ...DONE,
  id: ID,
  link: `https://accounts.example/register#${TOKEN}`,
  expires_at: NOON + 7 * 86_400,
  sent: false,
};

/** A page of a guest. */
function state(
  name: string,
  what: string,
  path: string,
  act: (gatehouse: Gatehouse) => Promise<void> = () => Promise.resolve(),
  browserErrors: RegExp[] = [],
): State {
  return {
    name,
    what,
    browserErrors,
    reach: async ({ gatehouse }) => {
      await gatehouse.open(path);
      await expect(gatehouse.main.getByRole('heading').first()).toBeVisible();
      await act(gatehouse);
    },
  };
}

/** A page of the sample user; `prepare` answers requests and returns what to do on the page. */
function member(
  name: string,
  what: string,
  path: string,
  prepare: (gatehouse: Gatehouse) => Promise<() => Promise<void>>,
  browserErrors: RegExp[] = [],
): State {
  return {
    name,
    what,
    browserErrors,
    reach: async (stage) => {
      await signIn(stage);
      const act = await prepare(stage.gatehouse);
      await stage.gatehouse.open(path);
      await act();
    },
  };
}

function administrator(
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
      const invitations = [
        { email: 'grace@example.org', created_by: 'root' },
        { email: null, created_by: null },
      ].map((invitation, index) => ({
        ...invitation,
        id: ID.replace('2c', `6${String(index)}`),
        created_at: NOON - 86_400 * index,
        expires_at: NOON + 86_400 * (7 - index),
      }));
      await gatehouse.page.route('/api/invitations', (route) =>
        route.fulfill({ json: { invitations } }),
      );
      await gatehouse.open('/admin/invitations');
      await expect(gatehouse.main.getByText('grace@example.org').first()).toBeVisible();
      await act(gatehouse);
    },
  };
}

/** Asks for the mail. */
async function sent(gatehouse: Gatehouse): Promise<void> {
  const { page, main, words } = gatehouse;
  await page.route('/api/auth/forgot', (route) => route.fulfill({ status: 202, json: DONE }));
  await gatehouse.account.fill(ADA.username);
  await main.getByRole('button', { name: words.forgotSubmit }).click();
  await expect(gatehouse.status(words.mailSent)).toBeVisible();
}

async function fillPassword({ main, words }: Gatehouse): Promise<void> {
  await main.getByLabel(words.newPassword, { exact: true }).fill('battery staple correct');
  await main.getByLabel(words.passwordAgain, { exact: true }).fill('battery staple correct');
  await expect(main.getByText(words.strengthStrong)).toBeVisible();
}

async function answerWithActivity(page: Page): Promise<void> {
  const events = [
    { event: 'new_device', session_id: ID.replace('2c', '70') },
    { event: 'logged_in', session_id: ID.replace('2c', '70') },
    { event: 'logged_in', outcome: 'wrong_password', browser: null, system: null },
    { event: 'password_changed', address: '203.0.113.7' },
    { event: 'profile_changed', address: '203.0.113.7' },
  ].map((event, index) => ({
    at: NOON - 3600 * (1 + 5 * index),
    browser: 'Firefox',
    system: 'Windows',
    address: '198.51.100.23',
    outcome: 'success',
    ...event,
  }));
  await page.route(/\/api\/me\/activity/, (route) =>
    route.fulfill({ json: { events, next: 'b2xkZXI' } }),
  );
}
