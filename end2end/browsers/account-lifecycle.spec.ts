// Registration, a session that survives a reload, and logout.
import { newUser } from '../support/users.ts';
import { EN } from '../support/words.ts';
import { ENGINES, expect, repeatedAfterCrash, test } from './fixtures.ts';

for (const engine of ENGINES) {
  test(
    `${engine}: registration, login, reload and logout work`,
    repeatedAfterCrash(async ({ visit }) => {
      const user = newUser();
      const visitor = await visit(engine);
      const { browser } = visitor;
      await visitor.open('/register');
      await browser.type('#username', user.username);
      await browser.type('#password', user.password);
      await browser.type('#password_again', user.password);
      await browser.click('main [type="submit"]');
      await visitor.eventuallyAt('/login');
      expect(
        await browser.run(() => document.querySelector<HTMLInputElement>('#username')?.value),
      ).toBe(user.username);
      await browser.type('#password', user.password);
      await browser.click('main [type="submit"]');
      await visitor.eventuallyAt('/profile');
      await visitor.eventuallySays(EN.welcome(user.username));

      await visitor.openLoaded('/profile');
      await visitor.eventuallySays(EN.welcome(user.username));
      await browser.click('.account-button');
      await browser.click('#menu button:last-of-type');
      await visitor.eventuallyAt('/login');
      expect(await browser.run(() => Object.keys(localStorage))).toEqual([]);

      await visitor.open('/settings/profile?x=1#mobile');
      await visitor.eventuallyAt(
        `/login?redirect=${encodeURIComponent('/settings/profile?x=1#mobile')}`,
      );
      await browser.type('#username', user.username);
      await browser.type('#password', user.password);
      await browser.click('main [type="submit"]');
      await visitor.eventuallyAt('/settings/profile?x=1#mobile');
    }),
  );
}
