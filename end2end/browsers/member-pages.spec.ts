// The most frequent actions of members and administrators: a changed profile, an uploaded file, the menu of an account.
import { newUser } from '../support/users.ts';
import { EN } from '../support/words.ts';
import { administrator, ENGINES, expect, repeatedAfterCrash, test } from './fixtures.ts';

for (const engine of ENGINES) {
  test.describe(engine, () => {
    test(
      'saving_a_nickname_shows_it_also_after_a_reload',
      repeatedAfterCrash(async ({ visit, api }) => {
        const user = newUser();
        await api.register(user);
        const visitor = await visit(engine);
        const { browser } = visitor;
        await visitor.signIn(await api.login(user));
        await visitor.openLoaded('/settings/profile');
        await browser.eventually(
          'the profile can be edited',
          () => document.querySelector('#edit')?.checkVisibility() ?? false,
        );
        await browser.click('#edit');
        await browser.type('#nickname', 'Ada of the engine');
        await browser.click('form:has(#nickname) [type="submit"]');
        await visitor.eventuallySays('Ada of the engine');
        await visitor.openLoaded('/settings/profile');
        await visitor.eventuallySays('Ada of the engine');
      }),
    );

    test(
      'uploading_a_file_lists_it_also_after_a_reload',
      repeatedAfterCrash(async ({ visit, api, picture }) => {
        const user = newUser();
        await api.register(user);
        const visitor = await visit(engine);
        const { browser } = visitor;
        await visitor.signIn(await api.login(user));
        await visitor.openLoaded('/files');
        await browser.type('.files-tools input[type="file"]', picture);
        const isShown = () =>
          [...document.querySelectorAll<HTMLImageElement>('.tile:not(.tile-uploading) img')].filter(
            (image) => image.complete && image.naturalWidth > 0,
          ).length === 1;
        await browser.eventually('the file is shown', isShown);
        await visitor.openLoaded('/files');
        await browser.eventually('the file is shown again', isShown);
        await visitor.eventuallySays('me.png');
      }),
    );

    test(
      'disabling_an_account_by_its_menu_rejects_its_login',
      repeatedAfterCrash(async ({ visit, server, api }) => {
        const user = newUser();
        await api.register(user);
        const { session } = await administrator(server, api);
        const visitor = await visit(engine);
        const { browser } = visitor;
        await visitor.signIn(session);
        await visitor.openLoaded(`/admin/users?search=${user.username}`);
        await browser.click('.users-manage');
        // The first entry that is offered for an active account.
        await browser.click('.users-menu .account-menu .btn');
        await browser.eventually(
          'the dialog is open',
          () => document.querySelector('dialog[open]') !== null,
        );
        await browser.click('dialog[open] .btn-outline');
        await visitor.eventuallySays(EN.disabled);
        await visitor.open('/login');
        await browser.run(() => {
          localStorage.clear();
        });
        await visitor.open('/login');
        await browser.type('#username', user.username);
        await browser.type('#password', user.password);
        await browser.click('main [type="submit"]');
        await visitor.eventuallySays(EN.sessionDisabled);
        expect(await browser.run(() => location.pathname)).toBe('/login');
      }),
    );
  });
}
