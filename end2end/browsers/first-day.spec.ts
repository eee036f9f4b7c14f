// The way of a newcomer: an account, a session that outlives a reload, and its end.
import { somebody } from '../support/people.ts';
import { EN } from '../support/words.ts';
import { ENGINES, expect, test } from './fixtures.ts';

for (const engine of ENGINES) {
  test(`${engine}: registration_login_reload_and_logout_work`, async ({ visit }) => {
    const person = somebody();
    const visitor = await visit(engine);
    const { browser } = visitor;
    await visitor.open('/register');
    await browser.type('#username', person.username);
    await browser.type('#password', person.password);
    await browser.type('#password_again', person.password);
    await browser.click('main [type="submit"]');
    await visitor.eventuallyAt('/login');
    expect(
      await browser.run(() => document.querySelector<HTMLInputElement>('#username')?.value),
    ).toBe(person.username);
    await browser.type('#password', person.password);
    await browser.click('main [type="submit"]');
    await visitor.eventuallyAt('/profile');
    await visitor.eventuallySays(EN.welcome(person.username));

    await visitor.openLoaded('/profile');
    await visitor.eventuallySays(EN.welcome(person.username));
    await browser.click('.menu > .btn');
    await visitor.eventuallyAt('/login');
    expect(await browser.run(() => Object.keys(localStorage))).toEqual([]);

    await visitor.open('/settings/profile?x=1#mobile');
    await visitor.eventuallyAt(
      `/login?redirect=${encodeURIComponent('/settings/profile?x=1#mobile')}`,
    );
    await browser.type('#username', person.username);
    await browser.type('#password', person.password);
    await browser.click('main [type="submit"]');
    await visitor.eventuallyAt('/settings/profile?x=1#mobile');
  });
}
