// Web storage with invalid content, without space or without permission is treated as signed out.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

const RUBBISH: [what: string, kept: Record<string, string>][] = [
  ['no JSON', { access_token: '{{{', refresh_token: 'undefined', user: '' }],
  ['JSON of the wrong type', { access_token: '42', refresh_token: '["a.b.c"]', user: '"ada"' }],
  [
    'no token',
    { access_token: '"token"', refresh_token: '"a.b"', user: '{"id":"1","username":"ada"}' },
  ],
  ['half a session', { access_token: '"eyJhIjoxfQ.eyJhIjoxfQ.AAAA"' }],
  ['null', { access_token: 'null', refresh_token: 'null', user: 'null' }],
];

for (const [what, kept] of RUBBISH) {
  test(`storage with ${what} is treated as signed out`, async ({ page, user }) => {
    const gatehouse = new Gatehouse(page);
    await gatehouse.open('/');
    await page.evaluate((entries) => {
      for (const [key, value] of Object.entries(entries)) {
        localStorage.setItem(key, value);
        sessionStorage.setItem(key, value);
      }
    }, kept);

    await gatehouse.open('/profile');
    await gatehouse.expectPath('/login?redirect=%2Fprofile');
    await expect(page.getByRole('alert').filter({ hasText: /\S/ })).toHaveCount(0);
    await gatehouse.logIn(user);
  });
}

test('invalid tokens in storage lead to the login page', async ({ page, browserErrors }) => {
  browserErrors.expect(/status of 401/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  await page.evaluate(() => {
    const token =
      `${btoa('{"alg":"HS256"}')}.${btoa('{"sub":"1","exp":9999999999}')}.AAAA`.replaceAll('=', '');
    const user = {
      id: '01890000-0000-7000-8000-000000000000',
      username: 'ada',
      nickname: null,
      avatar_url: null,
      role: 'admin',
    };
    localStorage.setItem('access_token', JSON.stringify(token));
    localStorage.setItem('refresh_token', JSON.stringify(token));
    localStorage.setItem('user', JSON.stringify(user));
  });
  await page.goto('/profile');
  await gatehouse.expectPath('/login?redirect=%2Fprofile');
  expect((await gatehouse.storage()).local).toEqual({});
});

test('forbidden storage is treated as signed out, and a login lasts for the page', async ({
  page,
  user,
}) => {
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('The user has forbidden it.', 'SecurityError');
        },
      });
    }
  });
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/profile');
  await gatehouse.expectPath('/login?redirect=%2Fprofile');
  await gatehouse.logIn(user);
  await gatehouse.reload();
  await gatehouse.expectPath('/login?redirect=%2Fprofile');
});

test('full storage keeps nothing and the page works', async ({ page, user }) => {
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException('It is full.', 'QuotaExceededError');
    };
  });
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await gatehouse.logOut();
  await gatehouse.expectPath('/login');
});
