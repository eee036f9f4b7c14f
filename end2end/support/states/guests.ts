// States of the guest pages.
import { expect } from '@playwright/test';

import { fail, hold } from '../network.ts';
import type { Gatehouse } from '../gatehouse.ts';
import { newUser } from '../users.ts';
import { ADA, RETRY_AFTER_SECONDS, type State } from './setup.ts';

/** Input for a failing login: no account has this password. */
const TYPED = { username: ADA.username, password: 'correct horse' };

export const GUESTS: State[] = [
  page('home', 'the home page of a guest', '/'),
  page('login', 'the login page', '/login'),
  page('register', 'the registration page', '/register'),
  page('not-found', 'an unknown path', '/nowhere', [/status of 404 .*\/nowhere/]),
  {
    name: 'login-asleep',
    what: 'the login form, submitted before hydration',
    reach: async ({ gatehouse }) => {
      await hold(gatehouse.page, '**/*.wasm');
      await gatehouse.page.goto('/login', { waitUntil: 'domcontentloaded' });
      await gatehouse.fillLogin(TYPED);
      await gatehouse.loginButton.click();
      await expect(gatehouse.loginButton.locator('.spinner')).toBeVisible();
    },
  },
  {
    name: 'login-missing',
    what: 'empty required fields, and the Caps Lock hint',
    reach: async ({ gatehouse }) => {
      await gatehouse.open('/login');
      await gatehouse.loginButton.click();
      await expect(gatehouse.account).toHaveAttribute('aria-invalid', 'true');
      await gatehouse.password.focus();
      await gatehouse.password.dispatchEvent('keydown', { key: 'A', modifierCapsLock: true });
      await expect(gatehouse.main.getByText(gatehouse.words.capsLock)).toBeVisible();
    },
  },
  login('login-wrong', 'a wrong password', (gatehouse) =>
    answer(gatehouse, 401, 'invalid_credentials', gatehouse.words.messages.invalidCredentials),
  ),
  login('login-busy', 'a pending login', async ({ page }) => {
    await hold(page, '/api/auth/login');
  }),
  login('login-offline', 'no network', async ({ page, words }) => {
    await page.context().setOffline(true);
    await expect(page.getByRole('status').getByText(words.offline)).toBeVisible();
  }),
  login('login-no-answer', 'a server that cannot be reached', async ({ page }) => {
    await page.route('/api/auth/login', (route) => route.abort('connectionrefused'));
  }),
  login(
    'login-too-many',
    'a rate-limited login with the countdown to the next attempt',
    async (gatehouse) => {
      await gatehouse.page.clock.install();
      await answer(gatehouse, 429, 'too_many_attempts', gatehouse.words.messages.tooManyAttempts);
    },
  ),
  login('login-fault', 'an internal error with its request id', (gatehouse) =>
    answer(gatehouse, 500, 'internal_error', gatehouse.words.messages.internalError),
  ),
  {
    name: 'register-errors',
    what: 'validation errors, and a weak password',
    reach: async ({ gatehouse }) => {
      await gatehouse.open('/register');
      await gatehouse.account.fill('a');
      await gatehouse.password.fill('short');
      await gatehouse.confirm.fill('shorter');
      await gatehouse.registerButton.click();
      await expect(gatehouse.confirm).toHaveAttribute('aria-invalid', 'true');
    },
  },
  {
    name: 'register-strong',
    what: 'a strong password, shown in plain text',
    reach: async ({ gatehouse }) => {
      await gatehouse.open('/register');
      await gatehouse.account.fill(ADA.username);
      await gatehouse.password.fill('correct horse battery staple');
      await gatehouse.main
        .getByRole('button', { name: gatehouse.words.showPassword })
        .first()
        .click();
      await expect(gatehouse.main.getByText(gatehouse.words.strengthStrong)).toBeVisible();
    },
  },
  {
    name: 'registered',
    what: 'the login page after a registration, with its confirmation',
    reach: async ({ gatehouse }) => {
      const user = newUser();
      await gatehouse.open('/register');
      await gatehouse.page.clock.install();
      await gatehouse.fillRegistration(user);
      await gatehouse.registerButton.click();
      await expect(gatehouse.status(gatehouse.words.registered)).toBeVisible();
      await gatehouse.account.fill(ADA.username);
    },
  },
  {
    name: 'broken',
    what: 'a page whose program could not be loaded',
    browserErrors: [/\.wasm/, /Failed to fetch/],
    reach: async ({ gatehouse: { page } }) => {
      await page.route('**/*.wasm', (route) => route.abort('failed'));
      await page.goto('/login');
      await expect(page.locator('.banner-broken')).toBeVisible();
    },
  },
  {
    name: 'page-failed',
    what: 'an error page of the server, outside the app',
    browserErrors: [/status of 404 .*\/pkg\/nothing/],
    reach: async ({ gatehouse: { page, words } }) => {
      await page.goto('/pkg/nothing');
      await expect(page.getByRole('heading', { name: words.notFound })).toBeVisible();
    },
  },
];

function page(name: string, what: string, path: string, browserErrors: RegExp[] = []): State {
  return {
    name,
    what,
    browserErrors,
    reach: async ({ gatehouse }) => {
      await gatehouse.open(path);
      await expect(gatehouse.main.getByRole('heading').first()).toBeVisible();
    },
  };
}

/** A login whose request fails. */
function login(name: string, what: string, wrong: (gatehouse: Gatehouse) => Promise<void>): State {
  return {
    name,
    what,
    browserErrors: [/\/api\/auth\/login/],
    reach: async ({ gatehouse }) => {
      await gatehouse.open('/login');
      await wrong(gatehouse);
      await gatehouse.fillLogin(TYPED);
      await gatehouse.loginButton.click();
      await expect(
        gatehouse.main.locator('[role="alert"], [aria-busy="true"]').first(),
      ).toBeVisible();
    },
  };
}

async function answer(
  { page }: Gatehouse,
  status: number,
  code: string,
  message: string,
): Promise<void> {
  await page.route('/api/auth/login', (route) =>
    fail(route, status, code, message, RETRY_AFTER_SECONDS),
  );
}
