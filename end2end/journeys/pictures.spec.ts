// Looks at every page as a person would. With UPDATE_PICTURES=1 the pictures go to end2end/pictures/, from where the README
// shows them; else to the results of the run, so that a run changes nothing in the repository.
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { somebody } from '../support/people.ts';
import { EN, ZH, type Words } from '../support/words.ts';

const UPDATES = process.env.UPDATE_PICTURES === '1';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 360, height: 740 },
];

const ADA = { username: 'ada@example.org', nickname: 'Ada' };
const NOON = Date.UTC(2026, 2, 20, 12) / 1000;

test.use({ contextOptions: { reducedMotion: 'reduce' } });

async function takePicture(page: Page, name: string): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    const file = `${name}-${String(size.width)}.png`;
    const path = UPDATES ? join(import.meta.dirname, '../pictures', file) : test.info().outputPath(file);
    await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  }
}

/** The same person at the same time in every picture. */
async function standStill(page: Page): Promise<void> {
  await page.evaluate(
    ([ada, times]) => {
      const user = JSON.parse(localStorage.getItem('user') ?? '{}') as object;
      localStorage.setItem('user', JSON.stringify({ ...user, ...ada }));
      // Nobody checks the signature: no call of this page reaches the server. It stays the same session's, or it were rubbish.
      const part = (claims: object) => btoa(JSON.stringify(claims)).replaceAll('=', '');
      const [, claims = ''] = (localStorage.getItem('refresh_token') ?? '').split('.');
      const session = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as object;
      const token = `${part({ alg: 'HS256' })}.${part({ ...session, ...times })}.AAAA`;
      localStorage.setItem('access_token', JSON.stringify(token));
    },
    [ADA, { iat: NOON, exp: NOON + 900 }] as const,
  );
  await page.clock.setFixedTime((NOON + 21) * 1000);
  await page.route('/api/me', (route) =>
    route.fulfill({
      headers: { Date: new Date((NOON + 21) * 1000).toUTCString() },
      json: {
        id: '019d0b2c-8c00-7000-8000-000000000000',
        ...ADA,
        avatar_url: null,
        role: 'user',
        created_at: NOON - 86_400 * 40,
        login_time: NOON,
        expiration_time: NOON + 900,
        token_type: 'access',
        fresh: true,
      },
    }),
  );
}

const LANGUAGES: [locale: string, suffix: string, words: Words][] = [
  ['en-GB', '', EN],
  ['zh-CN', '-zh', ZH],
];

for (const [locale, suffix, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('a guest\'s pages', async ({ page, trouble }) => {
      trouble.expect(/status of 404 .*\/nowhere/);
      const gatehouse = new Gatehouse(page, words);
      for (const [path, name] of [
        ['/', 'home'],
        ['/login', 'login'],
        ['/register', 'register'],
        ['/nowhere', 'not-found'],
      ] as const) {
        await gatehouse.open(path);
        await expect(gatehouse.main.getByRole('heading').first()).toBeVisible();
        await takePicture(page, name + suffix);
      }
    });

    test('the pages of somebody signed in', async ({ page, api }) => {
      const person = somebody();
      await api.register(person);
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.logIn(person);
      await standStill(page);
      await gatehouse.reload();
      await expect(gatehouse.main.getByText(words.welcome(ADA.nickname))).toBeVisible();
      await takePicture(page, `profile${suffix}`);
    });
  });
}

test('what the forms say when something is wrong', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  await gatehouse.account.fill('a');
  await gatehouse.password.fill('short');
  await gatehouse.confirm.fill('shorter');
  await gatehouse.registerButton.click();
  await expect(gatehouse.confirm).toHaveAttribute('aria-invalid', 'true');
  await takePicture(page, 'register-errors');
});
