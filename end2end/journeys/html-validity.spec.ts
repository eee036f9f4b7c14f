// The HTML as it is served is valid, also of error pages and of the API documentation.
import { HtmlValidate } from 'html-validate';

import { expect, test } from '../support/fixtures.ts';
import { LANGUAGES } from '../support/words.ts';

/** Every page, an unknown path, the API documentation, and error pages outside the app. */
const PATHS = [
  '/',
  '/login',
  '/login?redirect=%2Fsettings%2Fdevices',
  '/register',
  '/forgot',
  '/reset',
  '/verify',
  '/undo',
  '/nowhere',
  '/profile',
  '/files',
  '/settings',
  '/settings/profile',
  '/settings/security',
  '/settings/devices',
  '/settings/data',
  '/admin/users',
  '/admin/invitations',
  '/api/docs',
  '/pkg/nothing',
];

/**
 * Rules that do not apply, each with the reason. None is needed for the framework: the server turns
 * its markers, `<!>`, into comments and moves its scripts into the body.
 */
const EXCEPTIONS = {
  // Matters of style: the elements of a component are written as the framework prints them.
  'void-style': 'off',
  'attribute-boolean-style': 'off',
  'attribute-empty-style': 'off',
  'no-trailing-whitespace': 'off',
  'doctype-style': 'off',
  // The whole document is one line.
  'long-title': 'off',
  // Tables are `display: block` on phones, where the roles would be lost.
  'no-redundant-role': 'off',
  // Scripts are inlined, with the nonce of the response.
  'require-sri': 'off',
} as const;

/** Rules that do not apply to single pages. */
const EXCEPTIONS_OF_PAGES: Record<string, string[]> = {
  // The list is filtered while the search is typed; the closed dialog is filled when it opens.
  '/admin/users': ['wcag/h32', 'empty-heading', 'text-content'],
};

const validator = new HtmlValidate({
  root: true,
  extends: ['html-validate:recommended'],
  rules: EXCEPTIONS,
});

for (const [locale, words] of LANGUAGES) {
  test(`served HTML in ${words.lang} is valid`, async ({ server }) => {
    const found: Record<string, string[]> = {};
    for (const path of PATHS) {
      const headers = { 'Accept-Language': locale, Accept: 'text/html' };
      const html = await (await fetch(server.url + path, { headers })).text();
      expect(html, path).toContain(`<html lang="${words.lang}"`);
      const { results } = await validator.validateString(html);
      const messages = results
        .flatMap((result) => result.messages)
        .filter(({ ruleId }) => EXCEPTIONS_OF_PAGES[path]?.includes(ruleId) !== true);
      if (messages.length > 0)
        found[path] = messages.map(
          ({ ruleId, message, selector }) => `${ruleId}: ${message} (${selector ?? ''})`,
        );
    }
    expect(found).toEqual({});
  });
}
