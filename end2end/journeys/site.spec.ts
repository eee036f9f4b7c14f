// Name and links of the site, and what crawlers, link previews and password managers read.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN, LANGUAGES, ZH } from '../support/words.ts';

const NAME = 'Tom & Ann <Accounts>';
const SITE = {
  SITE_NAME: NAME,
  PUBLIC_URL: 'https://accounts.example',
  PRIVACY_URL: 'https://example.com/privacy?a=1&b=2',
  TERMS_URL: 'https://example.com/terms',
  SUPPORT_URL: 'mailto:help@example.com',
  REFRESH_TOKEN_SECONDS: '172800',
};

test.use({ settings: SITE });

/** Returns the served head of a page. */
async function head(url: string, path: string): Promise<string> {
  const html = await (await fetch(url + path)).text();
  return html.slice(0, html.indexOf('</head>'));
}

for (const [locale, words] of LANGUAGES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('name and links of the site are on every page', async ({ page, browserErrors }) => {
      browserErrors.expect(/status of 404/);
      const gatehouse = new Gatehouse(page, words);
      for (const path of ['/', '/login', '/register', '/nowhere', '/api/docs', '/pkg/nothing']) {
        await page.goto(path);
        await expect(page, path).toHaveTitle(new RegExp(`${NAME}$`));
        await expect(gatehouse.home.first()).toHaveText(NAME);
        await expect(gatehouse.footer).toContainText(NAME);
        for (const [name, url] of [
          [words.privacy, SITE.PRIVACY_URL],
          [words.terms, SITE.TERMS_URL],
          [words.support, SITE.SUPPORT_URL],
        ] as const) {
          const link = gatehouse.footer.getByRole('link', { name, exact: true });
          await expect(link, `${name} on ${path}`).toHaveAttribute('href', url);
        }
      }
      // In the app, too, and after a navigation.
      await gatehouse.open('/');
      await gatehouse.header.getByRole('link', { name: words.logIn, exact: true }).click();
      await expect(page).toHaveTitle(`${words.loginTitle} · ${NAME}`);
    });

    test('forgotten password without mail leads to the support of the site', async ({ page }) => {
      const gatehouse = new Gatehouse(page, words);
      await gatehouse.open('/login');
      await gatehouse.main.getByRole('link', { name: words.forgotPassword }).click();
      await gatehouse.expectPath('/forgot');
      await expect(gatehouse.main.getByText(words.cannotLogInText)).toBeVisible();
      await expect(
        gatehouse.main.getByRole('link', { name: words.contactSupport }),
      ).toHaveAttribute('href', SITE.SUPPORT_URL);
    });
  });
}

test('remember me states how long the login lasts by the settings of the server', async ({
  page,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  await expect(gatehouse.remember).toHaveAccessibleDescription(/for 2 days after each visit/);
  await gatehouse.languageSwitch.click();
  await expect(new Gatehouse(page, ZH).remember).toHaveAccessibleDescription(/^2 天内/);
});

test('served page has its own title, description and preview data', async ({ server }) => {
  const descriptions = new Set<string>();
  for (const [path, title] of [
    ['/', 'Tom &amp; Ann &lt;Accounts>'],
    ['/login', `${EN.loginTitle} · Tom &amp; Ann &lt;Accounts>`],
    ['/register', `${EN.registerTitle} · Tom &amp; Ann &lt;Accounts>`],
  ] as const) {
    const html = await head(server.url, path);
    expect(html).toContain(`<title>${title}</title>`);
    expect(html).toContain(`<link rel="canonical" href="https://accounts.example${path}"`);
    expect(html).toContain(`property="og:url"`);
    expect(html).toContain(`content="https://accounts.example/icon-512.png"`);
    expect(html).not.toContain('noindex');
    const [, description = ''] = /<meta name="description" content="([^"]*)"/.exec(html) ?? [];
    expect(html.match(/property="og:(title|description|site_name|type)"/g)).toHaveLength(4);
    descriptions.add(description);
  }
  expect(descriptions.size).toBe(3);
  for (const path of ['/profile', '/settings/security', '/files', '/admin/users', '/reset', '/nowhere']) {
    const html = await head(server.url, path);
    expect(html, path).toContain('<meta name="robots" content="noindex"');
    expect(html, path).not.toContain('canonical');
  }
});

test('icons, manifest and robots.txt are served', async ({ server }) => {
  const get = (path: string) => fetch(server.url + path, { redirect: 'manual' });
  const icon = await get('/favicon.ico');
  expect(icon.status).toBe(200);
  // An icon directory with one image.
  expect([...new Uint8Array(await icon.arrayBuffer()).slice(0, 6)]).toEqual([0, 0, 1, 0, 1, 0]);

  const manifest = await get('/app.webmanifest');
  expect(manifest.headers.get('content-type')).toBe('application/manifest+json');
  const { id, scope, name, icons } = (await manifest.json()) as {
    id: string;
    scope: string;
    name: string;
    icons: { src: string; sizes: string; purpose?: string }[];
  };
  expect([id, scope, name]).toEqual(['/', '/', NAME]);
  expect(icons.map(({ sizes, purpose }) => [sizes, purpose])).toEqual([
    ['any', undefined],
    ['192x192', 'any'],
    ['512x512', 'any'],
    ['512x512', 'maskable'],
  ]);
  for (const { src } of icons) expect((await get(src)).status, src).toBe(200);
  expect(await head(server.url, '/')).toContain('href="/app.webmanifest"');

  const robots = await get('/robots.txt');
  expect(robots.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(await robots.text()).toBe('User-agent: *\nDisallow: /api/\n');
});

test('well-known address to change the password leads to the form', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  const response = await page.request.get('/.well-known/change-password', { maxRedirects: 0 });
  expect(response.status()).toBe(302);
  expect(response.headers().location).toBe('/settings/security');
  // W3C: an address without a resource must not answer with success.
  const missing = '/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200';
  expect((await page.request.get(missing)).status()).toBe(404);
  await gatehouse.open('/.well-known/change-password');
  await gatehouse.expectPath('/login?redirect=%2Fsettings%2Fsecurity');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await gatehouse.expectPath('/settings/security');
});

test('OpenAPI document carries the name of the site', async ({ server }) => {
  const document = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as {
    info: { title: string };
  };
  expect(document.info.title).toBe(NAME);
});
