// Tokens that live for longer than a timer of the browser can wait, which is 24 days.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

test.use({ settings: { ACCESS_TOKEN_SECONDS: '2592000', REFRESH_TOKEN_SECONDS: '2592000' } });

test('a month is not too long for a token', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { access } = await gatehouse.tokens();
  await gatehouse.reload();
  await gatehouse.expectProfile(user);
  expect((await gatehouse.tokens()).access).toBe(access);
});
