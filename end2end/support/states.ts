import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, type Page } from '@playwright/test';

import type { Api } from './api.ts';
import { fail, hold } from './calls.ts';
import type { Gatehouse } from './gatehouse.ts';
import { somebody } from './people.ts';
import { file, png } from './pictures.ts';

/** Who is in every picture, and when. */
export const ADA = { username: 'ada@example.org', nickname: 'Ada' };
const NOON = Date.UTC(2026, 2, 20, 12) / 1000;
const NOW = NOON + 21;
/** Seconds until something may be tried again: longer than anybody looks at a state. */
const PATIENCE = 480;

/** Text that a person has typed: no account has this password. */
const TYPED = { username: ADA.username, password: 'correct horse' };

/** How wide the pictures are: a desk's window, and a phone. */
export const WIDTHS = [1280, 360];

export interface Stage {
  gatehouse: Gatehouse;
  api: Api;
}

/** A page in a state that somebody may find it in. */
export interface State {
  /** Its name in the table and in the pictures' file names. */
  name: string;
  /** What there is to see. */
  what: string;
  /** Widths of its pictures, if not all. */
  widths?: number[];
  /** What the browser's console says there, as it should. */
  trouble?: RegExp[];
  reach: (stage: Stage) => Promise<void>;
}

function page(name: string, what: string, path: string, trouble: RegExp[] = []): State {
  return {
    name,
    what,
    trouble,
    reach: async ({ gatehouse }) => {
      await gatehouse.open(path);
      await expect(gatehouse.main.getByRole('heading').first()).toBeVisible();
    },
  };
}

/** A log-in whose call goes wrong. */
function login(name: string, what: string, wrong: (gatehouse: Gatehouse) => Promise<void>): State {
  return {
    name,
    what,
    trouble: [/\/api\/auth\/login/],
    reach: async ({ gatehouse }) => {
      await gatehouse.open('/login');
      await wrong(gatehouse);
      await gatehouse.fillLogin(TYPED);
      await gatehouse.loginButton.click();
      await expect(gatehouse.main.locator('[role="alert"], [aria-busy="true"]').first()).toBeVisible();
    },
  };
}

async function answer({ page }: Gatehouse, status: number, code: string, message: string): Promise<void> {
  await page.route('/api/auth/login', (route) => fail(route, status, code, message, PATIENCE));
}

export const STATES: State[] = [
  page('home', 'the home page of a guest', '/'),
  page('login', 'the log-in', '/login'),
  page('register', 'the registration', '/register'),
  page('not-found', 'an address that leads nowhere', '/nowhere', [/status of 404 .*\/nowhere/]),
  {
    name: 'login-asleep',
    what: 'the log-in before the program has arrived, already sent',
    reach: async ({ gatehouse }) => {
      await hold(gatehouse.page, '**/*.wasm');
      await gatehouse.page.goto('/login', { waitUntil: 'domcontentloaded' });
      await gatehouse.fillLogin(TYPED);
      await gatehouse.loginButton.click();
      await expect(gatehouse.loginButton.locator('.spinner')).toBeVisible();
    },
  },
  {
    name: 'login-missing',
    what: 'fields that were left empty, and Caps Lock',
    reach: async ({ gatehouse }) => {
      await gatehouse.open('/login');
      await gatehouse.loginButton.click();
      await expect(gatehouse.account).toHaveAttribute('aria-invalid', 'true');
      await gatehouse.password.focus();
      await gatehouse.password.dispatchEvent('keydown', { key: 'A', modifierCapsLock: true });
      await expect(gatehouse.main.getByText(gatehouse.words.capsLock)).toBeVisible();
    },
  },
  login('login-wrong', 'a wrong password', (gatehouse) =>
    answer(gatehouse, 401, 'invalid_credentials', gatehouse.words.wrongPassword),
  ),
  login('login-busy', 'a log-in on its way', async ({ page }) => {
    await hold(page, '/api/auth/login');
  }),
  login('login-offline', 'no network', async ({ page, words }) => {
    await page.context().setOffline(true);
    await expect(page.getByRole('status').getByText(words.connectionLost)).toBeVisible();
  }),
  login('login-no-answer', 'a server that does not answer', async ({ page }) => {
    await page.route('/api/auth/login', (route) => route.abort('connectionrefused'));
  }),
  login('login-too-many', 'too many attempts, and the seconds until the next', async (gatehouse) => {
    await gatehouse.page.clock.install();
    await answer(gatehouse, 429, 'too_many_attempts', gatehouse.words.tooMany);
  }),
  login('login-fault', 'a fault of ours, with its number', (gatehouse) =>
    answer(gatehouse, 500, 'internal_error', gatehouse.words.ourFault),
  ),
  {
    name: 'register-errors',
    what: 'what the rules say, and a weak password',
    reach: async ({ gatehouse }) => {
      await gatehouse.open('/register');
      await gatehouse.account.fill('a');
      await gatehouse.password.fill('short');
      await gatehouse.confirm.fill('shorter');
      await gatehouse.registerButton.click();
      await expect(gatehouse.confirm).toHaveAttribute('aria-invalid', 'true');
    },
  },
  {
    name: 'register-strong',
    what: 'a password that is shown, and strong',
    reach: async ({ gatehouse }) => {
      await gatehouse.open('/register');
      await gatehouse.account.fill(ADA.username);
      await gatehouse.password.fill('correct horse battery staple');
      await gatehouse.main.getByRole('button', { name: gatehouse.words.showPassword }).first().click();
      await expect(gatehouse.main.getByText(gatehouse.words.strengths.strong)).toBeVisible();
    },
  },
  {
    name: 'registered',
    what: 'a new account, and its notice',
    reach: async ({ gatehouse }) => {
      const person = somebody();
      await gatehouse.open('/register');
      await gatehouse.page.clock.install();
      await gatehouse.fillRegistration(person);
      await gatehouse.registerButton.click();
      await expect(gatehouse.status(gatehouse.words.registered)).toBeVisible();
      await gatehouse.account.fill(ADA.username);
    },
  },
  {
    name: 'broken',
    what: 'a program that could not be loaded',
    trouble: [/\.wasm/, /Failed to fetch/],
    reach: async ({ gatehouse: { page } }) => {
      await page.route('**/*.wasm', (route) => route.abort('failed'));
      await page.goto('/login');
      await expect(page.locator('.banner-broken')).toBeVisible();
    },
  },
  {
    name: 'page-failed',
    what: 'a page that the server could not make',
    trouble: [/status of 500 .*\/profile/],
    reach: async ({ gatehouse: { page, words } }) => {
      const html = readFileSync(join(import.meta.dirname, '../../server/src/http/broken.html'), 'utf8');
      const parts = {
        lang: words.lang,
        nonce: '',
        product: 'Gatehouse',
        what: words.pageFailed,
        why: words.noted,
        id: '019d0b2c-8c00-7000-8000-000000000000',
        reload: words.reload,
        home: words.toHome,
      };
      const body = Object.entries(parts).reduce((text, [name, part]) => text.replaceAll(`{${name}}`, part), html);
      await page.route('/profile', (route) => route.fulfill({ status: 500, contentType: 'text/html; charset=utf-8', body }));
      await page.goto('/profile');
      await expect(page.getByRole('heading', { name: words.pageFailed })).toBeVisible();
    },
  },
  {
    name: 'profile',
    what: 'the profile',
    reach: async (stage) => {
      await signIn(stage);
      await stage.gatehouse.open('/profile');
      await expectAda(stage.gatehouse);
    },
  },
  {
    name: 'profile-loading',
    what: 'the profile while its data comes',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await hold(gatehouse.page, '/api/me');
      await gatehouse.open('/profile');
      await expect(gatehouse.main.getByText(gatehouse.words.loading)).toBeAttached();
    },
  },
  {
    name: 'profile-failed',
    what: 'a profile that could not be loaded',
    trouble: [/\/api\/me/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.page.route('/api/me', (route) => fail(route, 503, 'unavailable', gatehouse.words.busy, PATIENCE));
      await gatehouse.open('/profile');
      await expect(gatehouse.alert(gatehouse.words.profileFailed)).toBeVisible();
    },
  },
  {
    name: 'files',
    what: 'pictures that somebody keeps here',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await keeps(gatehouse.page, [[640, 400], [300, 480], [500, 500], [640, 260], [320, 420], [600, 360]]);
      await gatehouse.open('/files');
      await expect(gatehouse.main.locator('.tile img').nth(5)).toBeVisible();
    },
  },
  {
    name: 'files-sending',
    what: 'a picture on its way, one that is too large, and nothing else',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.open('/files');
      await hold(gatehouse.page, '/api/me/files?name=*');
      const input = gatehouse.main.locator('input[type="file"]');
      await input.setInputFiles([file('arch.png', png(64, 64)), file('panorama.png', Buffer.alloc(6_000_000))]);
      await expect(gatehouse.main.getByRole('alert')).toBeVisible();
      await expect(gatehouse.main.getByRole('progressbar')).toBeVisible();
    },
  },
  {
    name: 'picture',
    what: 'a picture that is cut to a square',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.open('/settings/profile');
      await gatehouse.main.locator('input[type="file"]').first().setInputFiles(file('me.png', png(300, 200)));
      await expect(gatehouse.main.locator('canvas')).toBeFocused();
    },
  },
  {
    name: 'menu',
    what: 'the menu of a phone',
    widths: [360],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.page.setViewportSize({ width: 360, height: 740 });
      await gatehouse.open('/profile');
      await expectAda(gatehouse);
      await gatehouse.header.getByRole('button', { name: gatehouse.words.menu }).click();
      await expect(gatehouse.logoutButton).toBeVisible();
    },
  },
  {
    name: 'account-menu',
    what: 'the menu behind the name',
    widths: [1280],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.open('/');
      await gatehouse.accountMenu(ADA.nickname).click();
      await expect(gatehouse.header.getByRole('link', { name: gatehouse.words.settings })).toBeVisible();
    },
  },
  settings('settings', 'the settings', '/settings'),
  settings('settings-profile', 'what is known of a person, for nobody else to see', '/settings/profile'),
  settings('settings-edit', 'what is known of a person, while it is changed', '/settings/profile', edit),
  settings(
    'settings-password',
    'the password that is asked for once more',
    '/settings/profile',
    async (gatehouse) => {
      await edit(gatehouse);
      await gatehouse.page.route('/api/me', (route) => fail(route, 401, 'fresh_required'));
      await gatehouse.main.getByRole('button', { name: gatehouse.words.save, exact: true }).click();
      await expect(gatehouse.page.getByRole('dialog')).toBeVisible();
    },
    [/status of 401 .*\/api\/me/],
  ),
  section('settings-security', 'another password', '/settings/security', async ({ main, words }) => {
    await main.getByLabel(words.passwordCurrent, { exact: true }).fill('correct horse');
    await main.getByLabel(words.passwordNew, { exact: true }).fill('battery staple correct');
    await expect(main.getByText(words.strengths.strong)).toBeVisible();
  }),
  section('settings-devices', 'where a person is signed in', '/settings/devices', expectDevices),
  section('settings-devices-end', 'the question before a device is logged out', '/settings/devices', async (gatehouse) => {
    await expectDevices(gatehouse);
    const { main, page, words } = gatehouse;
    await main.getByRole('button', { name: `${words.endDevice} ${words.deviceName('Safari', 'iOS')}` }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
  }),
  section(
    'settings-devices-failed',
    'devices that could not be loaded',
    '/settings/devices',
    async (gatehouse) => {
      await expect(gatehouse.alert(gatehouse.words.devicesFailed)).toBeVisible();
    },
    async ({ page, words }) => {
      await page.route('/api/me/sessions', (route) => fail(route, 503, 'unavailable', words.busy, PATIENCE));
    },
    [/\/api\/me\/sessions/],
  ),
  section('settings-data', 'what may be taken along, and the end of the account', '/settings/data', async ({ main, words }) => {
    const name = main.getByLabel(words.deleteConfirm, { exact: true });
    await name.fill('ada');
    await main.getByRole('button', { name: words.deleteGo }).click();
    await expect(name).toHaveAttribute('aria-invalid', 'true');
  }),
  users('users', 'other accounts, for administrators'),
  users(
    'users-menu',
    'what may be done about an account',
    async ({ page, main, words }) => {
      await main.getByRole('button', { name: words.manage('小明') }).click();
      await expect(page.getByRole('button', { name: words.endSessions })).toBeVisible();
    },
    { widths: [1280] },
  ),
  users('users-question', 'what is asked before an account is disabled', async ({ page, main, words }) => {
    await main.getByRole('button', { name: words.manage('小明') }).click();
    await page.getByRole('button', { name: words.disable, exact: true }).click();
    await expect(page.getByRole('dialog', { name: words.disableTitle })).toBeVisible();
  }),
  users(
    'users-last',
    'the last administrator, who has to stay one',
    async ({ page, main, words }) => {
      await page.route('/api/users', (route) => fail(route, 409, 'last_admin', words.lastAdministrator));
      await main.getByRole('button', { name: words.manage('小明') }).click();
      await page.getByRole('button', { name: words.disable, exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: words.disable, exact: true }).click();
      await expect(page.getByRole('alert').getByText(words.lastAdministrator)).toBeVisible();
    },
    { trouble: [/status of 409 .*\/api\/users/] },
  ),
  users('users-nobody', 'a search that finds nobody', async ({ page, main, words }) => {
    await page.route(/\/api\/users\?.*search=/, (route) => route.fulfill({ json: { users: [], next: null } }));
    await main.getByLabel(words.findSomebody).fill('nobody');
    await expect(main.getByText(words.nobodyFound)).toBeVisible();
  }),
  {
    name: 'users-failed',
    what: 'a list of accounts that could not be loaded',
    trouble: [/\/api\/users/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage, 'admin');
      await gatehouse.page.route(/\/api\/users/, (route) => fail(route, 503, 'unavailable', gatehouse.words.busy, PATIENCE));
      await gatehouse.open('/admin/users');
      await expect(gatehouse.alert(gatehouse.words.peopleFailed)).toBeVisible();
    },
  },
  {
    name: 'users-refused',
    what: 'the accounts of others, for somebody who is no administrator',
    trouble: [/status of 403 .*\/api\/users/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.page.route(/\/api\/users/, (route) => fail(route, 403, 'forbidden'));
      await gatehouse.open('/admin/users');
      await expect(gatehouse.alert(gatehouse.words.notForYou)).toBeVisible();
    },
  },
  {
    name: 'home-member',
    what: 'the home page of somebody signed in',
    reach: async (stage) => {
      await signIn(stage);
      await stage.gatehouse.open('/');
      await expect(stage.gatehouse.main.getByText(stage.gatehouse.words.welcome(ADA.nickname))).toBeVisible();
    },
  },
  {
    name: 'expired',
    what: 'a login that has ended',
    trouble: [/status of 401 .*\/api\/(me|auth\/refresh)/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.page.route(/\/api\/(me|auth\/refresh)$/, (route) => fail(route, 401, 'token_expired'));
      await gatehouse.open('/profile');
      await expect(gatehouse.alert(gatehouse.words.expired)).toBeVisible();
      await expect(gatehouse.account).toBeVisible();
    },
  },
];

/** Ada's settings, and what she does there. */
function settings(
  name: string,
  what: string,
  path: string,
  act: (gatehouse: Gatehouse) => Promise<void> = () => Promise.resolve(),
  trouble: RegExp[] = [],
): State {
  return {
    name,
    what,
    trouble,
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.open(path);
      await expect(gatehouse.main.getByText('a***@example.org')).toBeAttached();
      await act(gatehouse);
    },
  };
}

/** A section of Ada's settings that asks the server for nothing else than what is answered here. */
function section(
  name: string,
  what: string,
  path: string,
  act: (gatehouse: Gatehouse) => Promise<void>,
  prepare: (gatehouse: Gatehouse) => Promise<void> = ({ page }) => answerDevices(page),
  trouble: RegExp[] = [],
): State {
  return {
    name,
    what,
    trouble,
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await prepare(gatehouse);
      await gatehouse.open(path);
      await act(gatehouse);
    },
  };
}

async function expectDevices({ main, words }: Gatehouse): Promise<void> {
  await expect(main.getByRole('heading', { name: words.deviceName('Safari', 'iOS') })).toBeVisible();
}

/** Three devices: this one, a new one, and one that does not say what it is. */
async function answerDevices(page: Page): Promise<void> {
  const device = { browser: null, system: null, address: null, current: false, new_device: false, remember: true };
  const sessions = [
    { ...device, browser: 'Chrome', system: 'Windows', address: '203.0.113.7', current: true, created_at: NOON - 86_400 * 9, last_seen_at: NOW },
    { ...device, browser: 'Safari', system: 'iOS', address: '2001:db8:85a3::8a2e:370:7334', new_device: true, created_at: NOON - 7200, last_seen_at: NOON - 300 },
    { ...device, created_at: NOON - 86_400 * 20, last_seen_at: NOON - 86_400 * 3 },
  ].map((one, number) => ({ ...one, id: `019d0b2c-8c00-7000-8000-00000000000${String(number)}`, expires_at: one.created_at + 2_592_000 }));
  await page.route('/api/me/sessions', (route) => route.fulfill({ json: { sessions } }));
}

async function edit({ main, words }: Gatehouse): Promise<void> {
  await main.getByRole('button', { name: words.edit, exact: true }).click();
  await main.getByLabel(words.mobile, { exact: true }).fill('+86 139 1234 5902');
}

/** What Ada keeps here: pictures of these measures. */
async function keeps(page: Page, measures: [number, number][]): Promise<void> {
  const files = measures.map(([width, height], index) => ({
    id: `019d0b2c-8c00-7000-8000-00000000000${String(index)}`,
    name: `${['arch', 'gate', 'door', 'wall', 'tower', 'bridge'][index] ?? 'picture'}.png`,
    size: width * height,
    width,
    height,
    type: 'image/png',
    created_at: NOON,
  }));
  const used = files.reduce((sum, file) => sum + file.size, 0);
  await page.route(/\/api\/me\/files(\?|$)/, (route) =>
    route.fulfill({ json: { files, next: null, used, quota: 100_000_000 } }),
  );
  await page.route(/\/api\/me\/file\?/, (route) => {
    const index = Number(new URL(route.request().url()).searchParams.get('id')?.slice(-1));
    const [width, height] = measures[index] ?? [1, 1];
    const tint = (index * 40) % 200;
    return route.fulfill({ contentType: 'image/png', body: png(width, height, [tint, 120, 160], [230, 200 - tint, 120]) });
  });
}

async function expectAda({ main, words }: Gatehouse): Promise<void> {
  await expect(main.getByText(words.welcome(ADA.nickname))).toBeVisible();
  await expect(main.getByText(/^access\b/)).toBeVisible();
}

/** Ada as an administrator, and those whom she sees. */
function users(
  name: string,
  what: string,
  act: (gatehouse: Gatehouse) => Promise<void> = () => Promise.resolve(),
  rest: Partial<State> = {},
): State {
  return {
    name,
    what,
    ...rest,
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage, 'admin');
      await gatehouse.page.route(/\/api\/users/, (route) => route.fulfill({ json: { users: PEOPLE, next: 'bmJvYg' } }));
      await gatehouse.open('/admin/users');
      await expect(gatehouse.main.getByText('小明', { exact: true })).toBeVisible();
      await act(gatehouse);
    },
  };
}

const PEOPLE = [
  { username: 'xiaoming_92', nickname: '小明', email: 'xiaoming@example.cn', role: 'user', disabled: false, sessions: 2 },
  { username: 'grace.hopper@example.org', nickname: 'Grace Hopper', email: null, role: 'admin', disabled: false, sessions: 1 },
  { username: 'alan', nickname: null, email: 'alan.mathison.turing@mail.department.example.org', role: 'user', disabled: true, sessions: 0 },
].map(({ disabled, ...person }, number) => ({
  ...person,
  id: `019d0b2c-8c00-7000-8000-00000000000${String(number)}`,
  avatar_url: null,
  created_at: NOON - 86_400 * (40 + 7 * number),
  disabled_at: disabled ? NOON : null,
}));

/** The same person at the same time in every picture. */
async function signIn({ gatehouse, api }: Stage, role = 'user'): Promise<void> {
  const { page } = gatehouse;
  const person = somebody();
  await api.register(person);
  await gatehouse.logIn(person);
  await page.evaluate(
    ([ada, times, role]) => {
      const user = JSON.parse(localStorage.getItem('user') ?? '{}') as object;
      localStorage.setItem('user', JSON.stringify({ ...user, ...ada, role }));
      // Nobody checks the signature: no call of this page reaches the server. It stays the same session's, or it were rubbish.
      const part = (claims: object) => btoa(JSON.stringify(claims)).replaceAll('=', '');
      const [, claims = ''] = (localStorage.getItem('refresh_token') ?? '').split('.');
      const session = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as object;
      const token = `${part({ alg: 'HS256' })}.${part({ ...session, ...times })}.AAAA`;
      localStorage.setItem('access_token', JSON.stringify(token));
    },
    [ADA, { iat: NOON, exp: NOON + 900 }, role] as const,
  );
  await page.clock.setFixedTime(NOW * 1000);
  await answerAsAda(page);
}

async function answerAsAda(page: Page): Promise<void> {
  await keeps(page, []);
  await page.route('/api/me', (route) =>
    route.fulfill({
      headers: { Date: new Date(NOW * 1000).toUTCString() },
      json: {
        id: '019d0b2c-8c00-7000-8000-000000000000',
        ...ADA,
        avatar_url: null,
        role: 'user',
        email: ADA.username,
        mobile: '+8613912345901',
        created_at: NOON - 86_400 * 40,
        login_time: NOON,
        expiration_time: NOON + 900,
        token_type: 'access',
        fresh: true,
      },
    }),
  );
}
