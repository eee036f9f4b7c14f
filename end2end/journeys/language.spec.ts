// Languages: the switch, and no text of one language in a page of the other.
import type { Page } from '@playwright/test';

import { fail, hold } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { newUser } from '../support/users.ts';
import { EN, ZH } from '../support/words.ts';

/** Texts that are the same in both languages: product name, language names, technical terms. */
const ALIKE =
  /Gatehouse|English|中文|Token|token|access|JavaScript|WebAssembly|CapsLock|JPEG|PNG|WebP|ZIP|MB|KB|Chrome|Linux/g;

/**
 * Returns the texts and accessible names of a page that are not in its language. `names` are user
 * names to ignore.
 */
async function foreignWords(page: Page, foreign: RegExp, names: string[] = []): Promise<string[]> {
  const said = await page.evaluate(() => {
    const texts: string[] = [document.title];
    const walker = document.createTreeWalker(
      document.body,
      NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT,
    );
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node instanceof Element) {
        for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
          texts.push(node.getAttribute(name) ?? '');
      } else if (
        node.parentElement?.closest('script, style, noscript, time, .avatar') === null &&
        // Text of another language is marked as such.
        node.parentElement.closest<HTMLElement>('[lang]')?.lang === document.documentElement.lang
      ) {
        texts.push(node.nodeValue ?? '');
      }
    }
    return texts;
  });
  return said
    .map((text) => names.reduce((rest, name) => rest.replaceAll(name, ''), text).replace(ALIKE, ''))
    .filter((text) => foreign.test(text));
}

test('language switch changes every text, keeps input and is stored', async ({
  page,
  context,
  server,
}) => {
  const english = new Gatehouse(page, EN);
  const chinese = new Gatehouse(page, ZH);
  await english.open('/register');
  const user = newUser();
  await english.fillRegistration({ ...user, password: 'short' });
  await english.account.focus();
  await expect(page.getByText(EN.problems.passwordTooShort)).toBeVisible();
  const documents: string[] = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest()) documents.push(request.url());
  });

  await english.languageSwitch.click();
  await expect(page.getByRole('heading', { name: ZH.registerTitle })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh');
  await expect(page).toHaveTitle(new RegExp(ZH.registerTitle));
  await expect(chinese.account).toHaveValue(user.username);
  await expect(chinese.password).toHaveValue('short');
  await expect(page.getByText(ZH.problems.passwordTooShort)).toBeVisible();
  expect(documents).toEqual([]);
  expect(await foreignWords(page, /[A-Za-z]/)).toEqual([]);

  // The server renders the next page in that language, before hydration.
  const release = await hold(page, '**/*.wasm');
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await expect(page.getByRole('heading', { name: ZH.loginTitle })).toBeVisible();
  release();
  await chinese.waitForHydration();
  expect((await context.cookies(server.url)).find(({ name }) => name === 'lang')?.value).toBe('zh');

  await chinese.languageSwitch.click();
  await expect(page.getByRole('heading', { name: EN.loginTitle })).toBeVisible();
  await english.reload();
  await expect(page.getByRole('heading', { name: EN.loginTitle })).toBeVisible();
});

test('language switch without cookies changes the page', async ({
  page,
  context,
  server,
  user,
}) => {
  await page.addInitScript(() => {
    Object.defineProperty(Document.prototype, 'cookie', {
      get: () => '',
      set: () => {
        throw new DOMException('Cookies are blocked.', 'SecurityError');
      },
    });
  });
  const [english, chinese] = [new Gatehouse(page, EN), new Gatehouse(page, ZH)];
  await english.open('/login');
  await english.languageSwitch.click();
  await expect(page.getByRole('heading', { name: ZH.loginTitle })).toBeVisible();
  expect((await context.cookies(server.url)).filter(({ name }) => name === 'lang')).toEqual([]);
  await chinese.fillLogin(user);
  await chinese.loginButton.click();
  await chinese.expectProfile(user);
  // The next page does not know the choice.
  await english.reload();
  await english.expectProfile(user);
});

test('language switch before hydration takes effect', async ({ page }) => {
  const english = new Gatehouse(page, EN);
  const release = await hold(page, '**/*.wasm');
  await page.goto('/login', { waitUntil: 'domcontentloaded' });
  await english.account.fill('ada');
  await english.languageSwitch.click();
  release();
  await expect(page.getByRole('heading', { name: ZH.loginTitle })).toBeVisible();
  await expect(new Gatehouse(page, ZH).account).toHaveValue('ada');
});

test('requests carry the language of the page, and shown errors keep theirs', async ({
  page,
  user,
  browserErrors,
}) => {
  browserErrors.expect(/status of 401 .*\/api\/auth\/login/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await gatehouse.languageSwitch.click();
  const chinese = new Gatehouse(page, ZH);
  await chinese.fillLogin({ ...user, password: 'not-the-password' });
  await chinese.loginButton.click();
  await expect(chinese.alert(ZH.messages.invalidCredentials)).toBeVisible();
  await chinese.languageSwitch.click();
  // The Chinese message keeps `lang="zh"` for screen readers.
  await expect(gatehouse.main.locator('[role="alert"] [lang="zh"]')).toHaveText(ZH.messages.invalidCredentials);
});

for (const [locale, words, foreign] of [
  ['en-GB', EN, /\p{Script=Han}/u],
  ['zh-CN', ZH, /[A-Za-z]/],
] as const) {
  test.describe(locale, () => {
    test.use({ locale });

    test('pages contain no text of the other language', async ({ page, user, browserErrors }) => {
      browserErrors.expect(/status of 404 .*\/nowhere/, /\/api\/(me|auth\/login)/);
      const gatehouse = new Gatehouse(page, words);
      const found: Record<string, string[]> = {};
      const look = async (where: string): Promise<void> => {
        found[where] = await foreignWords(page, foreign, [user.username]);
      };
      for (const path of ['/', '/login', '/register', '/nowhere']) {
        await gatehouse.open(path);
        await look(path);
      }
      await gatehouse.open('/register');
      await gatehouse.registerButton.click();
      await look('a form with errors');
      await gatehouse.open('/login');
      await page.route('/api/auth/login', (route) => route.abort('internetdisconnected'));
      await gatehouse.fillLogin(user);
      await gatehouse.loginButton.click();
      await expect(gatehouse.alert(words.networkError)).toBeVisible();
      await look('no network');
      await page.unroute('/api/auth/login');
      await gatehouse.logIn(user);
      await look('/profile');
      for (const path of [
        '/settings/profile',
        '/settings/security',
        '/settings/devices',
        '/settings/data',
        '/files',
      ]) {
        await gatehouse.open(path);
        await expect(gatehouse.main.locator('[aria-busy="true"]:visible')).toHaveCount(0);
        await look(path);
      }
      await gatehouse.open('/profile');
      await page.route('/api/me', (route) => fail(route, 503, 'unavailable', ''));
      await gatehouse.reload();
      await expect(page.getByText(words.profileFailed)).toBeVisible();
      await look('a profile that could not be loaded');
      await gatehouse.open('/');
      await look('/ of a signed-in user');
      expect(
        Object.fromEntries(Object.entries(found).filter(([, texts]) => texts.length > 0)),
      ).toEqual({});
    });
  });
}
