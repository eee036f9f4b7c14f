// Times in a browser whose language is set by its environment, and is no BCP 47 tag.
import { newUser } from '../support/users.ts';
import { DrivenBrowser } from '../support/webdriver.ts';
import { expect, test, Visit } from './fixtures.ts';

test('firefox: language_that_is_no_tag_formats_in_the_language_of_the_page', async ({
  server,
  api,
}) => {
  const user = newUser();
  await api.register(user);
  const browser = await DrivenBrowser.firefox({ 'intl.accept_languages': 'en-US@posix' });
  try {
    const visitor = new Visit(browser, server);
    await visitor.signIn(await api.login(user));
    expect(await browser.run(() => navigator.language)).toBe('en-US@posix');
    await visitor.openLoaded('/profile');
    await visitor.eventuallySays('Member since');
    const times = await browser.run(() =>
      [...document.querySelectorAll('time')].map((time) => time.textContent),
    );
    expect(times.length).toBeGreaterThan(3);
    expect(times).not.toContain('');
  } finally {
    await browser.close();
  }
});
