// Storage and lifetime of sessions with and without "remember me".
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { Server } from '../support/server.ts';
import { Api } from '../support/api.ts';
import { newUser } from '../support/users.ts';

const KEYS = ['access_token', 'refresh_token', 'user'];

test('remembered session is in local storage and survives a browser restart', async ({
  page,
  user,
  newContext,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { local, tab } = await gatehouse.storage();
  expect(Object.keys(local).sort()).toEqual(KEYS);
  expect(tab).toEqual({});
  expect(JSON.parse(local.user ?? '')).toMatchObject({ username: user.username, role: 'user' });

  const tomorrow = await newContext({ storageState: await page.context().storageState() });
  const again = new Gatehouse(await tomorrow.newPage());
  await again.open('/profile');
  await again.expectProfile(user);
});

test('session without remember is in session storage of its tab', async ({
  page,
  user,
  context,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user, { remember: false });
  const { local, tab } = await gatehouse.storage();
  expect(local).toEqual({});
  expect(Object.keys(tab).sort()).toEqual(KEYS);

  await gatehouse.reload();
  await gatehouse.expectProfile(user);

  const another = new Gatehouse(await context.newPage());
  await another.open('/profile');
  await another.expectPath('/login?redirect=%2Fprofile');
});

test('session and logout survive a server restart', async ({ page, browserErrors }) => {
  const server = await Server.start();
  try {
    const api = new Api(server.url);
    const user = newUser();
    await api.register(user);
    const left = await api.login(user);
    expect(await api.present('DELETE', '/api/auth/logout', left.access_token)).toMatchObject({
      status: 200,
    });

    const gatehouse = new Gatehouse(page);
    await gatehouse.open(`${server.url}/login`);
    await gatehouse.fillLogin(user);
    await gatehouse.loginButton.click();
    await gatehouse.expectProfile(user);

    await server.halt();
    await server.resume();

    await gatehouse.reload();
    await gatehouse.expectProfile(user);
    expect(await api.present('GET', '/api/me', left.access_token)).toEqual({
      status: 401,
      code: 'token_revoked',
    });
  } finally {
    browserErrors.stop();
    await server.dispose();
  }
});
