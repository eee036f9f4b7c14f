// Time formats in a browser whose environment language is no BCP 47 tag.
import { newUser } from '../support/users.ts';
import { DrivenBrowser } from '../support/webdriver.ts';
import { expect, test, Visit } from './fixtures.ts';

test('firefox: environment language that is no BCP 47 tag formats in the language of the page', async ({
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
