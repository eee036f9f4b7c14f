// Where a session is kept, and how long.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { Server } from '../support/server.ts';
import { Api } from '../support/api.ts';
import { somebody } from '../support/people.ts';

const KEYS = ['access_token', 'refresh_token', 'user'];

test('remembered: kept by the browser, and still there tomorrow', async ({
  page,
  person,
  newVisitor,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(person);
  const { local, tab } = await gatehouse.storage();
  expect(Object.keys(local).sort()).toEqual(KEYS);
  expect(tab).toEqual({});
  expect(JSON.parse(local.user ?? '')).toMatchObject({ username: person.username, role: 'user' });

  const tomorrow = await newVisitor({ storageState: await page.context().storageState() });
  const again = new Gatehouse(await tomorrow.newPage());
  await again.open('/profile');
  await again.expectProfile(person);
});

test('not remembered: kept by the tab alone', async ({ page, person, context }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(person, { remember: false });
  const { local, tab } = await gatehouse.storage();
  expect(local).toEqual({});
  expect(Object.keys(tab).sort()).toEqual(KEYS);

  await gatehouse.reload();
  await gatehouse.expectProfile(person);

  const another = new Gatehouse(await context.newPage());
  await another.open('/profile');
  await another.expectPath('/login?redirect=%2Fprofile');
});

test('a session outlives a restart of the server, and so does its end', async ({ page }) => {
  const server = await Server.start();
  try {
    const api = new Api(server.url);
    const person = somebody();
    await api.register(person);
    const left = await api.login(person);
    expect(await api.present('DELETE', '/api/auth/logout', left.access_token)).toMatchObject({
      status: 200,
    });

    const gatehouse = new Gatehouse(page);
    await gatehouse.open(`${server.url}/login`);
    await gatehouse.fillLogin(person);
    await gatehouse.loginButton.click();
    await gatehouse.expectProfile(person);

    await server.halt();
    await server.resume();

    await gatehouse.reload();
    await gatehouse.expectProfile(person);
    expect(await api.present('GET', '/api/me', left.access_token)).toEqual({
      status: 401,
      code: 'token_revoked',
    });
  } finally {
    await server.dispose();
  }
});
