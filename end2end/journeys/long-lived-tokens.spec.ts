// Tokens that live longer than the longest browser timer, 24 days.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

test.use({ settings: { ACCESS_TOKEN_SECONDS: '2592000', REFRESH_TOKEN_SECONDS: '2592000' } });

test('token lifetime beyond the longest timer is handled', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  const { access } = await gatehouse.tokens();
  await gatehouse.reload();
  await gatehouse.expectProfile(user);
  expect((await gatehouse.tokens()).access).toBe(access);
});
