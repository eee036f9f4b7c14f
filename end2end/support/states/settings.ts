// States of the settings.
import { expect, type Page } from '@playwright/test';

import { fail } from '../network.ts';
import type { Gatehouse } from '../gatehouse.ts';
import { NOON, NOW, RETRY_AFTER_SECONDS, signIn, type State } from './setup.ts';

export const SETTINGS: State[] = [
  settings('settings', 'the settings', '/settings'),
  settings('settings-profile', 'the profile settings', '/settings/profile'),
  settings('settings-edit', 'the profile form', '/settings/profile', edit),
  settings(
    'settings-password',
    'the password prompt before a sensitive change',
    '/settings/profile',
    async (gatehouse) => {
      await edit(gatehouse);
      await gatehouse.page.route('/api/me', (route) => fail(route, 401, 'fresh_required'));
      await gatehouse.main.getByRole('button', { name: gatehouse.words.save, exact: true }).click();
      await expect(gatehouse.page.getByRole('dialog')).toBeVisible();
    },
    [/status of 401 .*\/api\/me/],
  ),
  section(
    'settings-security',
    'the password change form',
    '/settings/security',
    async ({ main, words }) => {
      await main.getByLabel(words.currentPassword, { exact: true }).fill('correct horse');
      await main.getByLabel(words.newPassword, { exact: true }).fill('battery staple correct');
      await expect(main.getByText(words.strengthStrong)).toBeVisible();
    },
  ),
  section('settings-devices', 'the session list', '/settings/devices', expectDevices),
  section(
    'settings-devices-end',
    'the confirmation before a device is logged out',
    '/settings/devices',
    async (gatehouse) => {
      await expectDevices(gatehouse);
      const { main, page, words } = gatehouse;
      await main
        .getByRole('button', { name: `${words.logOutDevice} ${words.deviceName('Safari', 'iOS')}` })
        .click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  ),
  section(
    'settings-devices-failed',
    'a session list that could not be loaded',
    '/settings/devices',
    async (gatehouse) => {
      await expect(gatehouse.alert(gatehouse.words.devicesFailed)).toBeVisible();
    },
    async ({ page, words }) => {
      await page.route('/api/me/sessions', (route) =>
        fail(route, 503, 'unavailable', words.messages.unavailable, RETRY_AFTER_SECONDS),
      );
    },
    [/\/api\/me\/sessions/],
  ),
  section(
    'settings-data',
    'data export and account deletion',
    '/settings/data',
    async ({ main, words }) => {
      const name = main.getByLabel(words.deleteConfirm, { exact: true });
      await name.fill('ada');
      await name.blur();
      await expect(name).toHaveAttribute('aria-invalid', 'true');
    },
  ),
];

/** The settings of the sample user and actions on them. */
function settings(
  name: string,
  what: string,
  path: string,
  act: (gatehouse: Gatehouse) => Promise<void> = () => Promise.resolve(),
  browserErrors: RegExp[] = [],
): State {
  const seen = async (gatehouse: Gatehouse): Promise<void> => {
    await expect(gatehouse.main.getByText('+8613912345901')).toBeAttached();
    await act(gatehouse);
  };
  return section(name, what, path, seen, () => Promise.resolve(), browserErrors);
}

/** A settings section whose requests are all answered here. */
function section(
  name: string,
  what: string,
  path: string,
  act: (gatehouse: Gatehouse) => Promise<void>,
  prepare: (gatehouse: Gatehouse) => Promise<void> = ({ page }) => answerDevices(page),
  browserErrors: RegExp[] = [],
): State {
  return {
    name,
    what,
    browserErrors,
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
  await expect(
    main.getByRole('heading', { name: words.deviceName('Safari', 'iOS') }),
  ).toBeVisible();
}

/** Three sessions: this one, one on a new device, and one without a known user agent. */
async function answerDevices(page: Page): Promise<void> {
  const device = {
    browser: null,
    system: null,
    address: null,
    current: false,
    new_device: false,
    remember: true,
  };
  const sessions = [
    {
      ...device,
      browser: 'Chrome',
      system: 'Windows',
      address: '203.0.113.7',
      current: true,
      created_at: NOON - 86_400 * 9,
      last_seen_at: NOW,
    },
    {
      ...device,
      browser: 'Safari',
      system: 'iOS',
      address: '2001:db8:85a3::8a2e:370:7334',
      new_device: true,
      created_at: NOON - 7200,
      last_seen_at: NOON - 300,
    },
    { ...device, created_at: NOON - 86_400 * 20, last_seen_at: NOON - 86_400 * 3 },
  ].map((one, number) => ({
    ...one,
    id: `019d0b2c-8c00-7000-8000-00000000000${String(number)}`,
    expires_at: one.created_at + 2_592_000,
  }));
  await page.route('/api/me/sessions', (route) => route.fulfill({ json: { sessions } }));
}

async function edit({ main, words }: Gatehouse): Promise<void> {
  await main.getByRole('button', { name: words.edit, exact: true }).click();
  await main.getByLabel(words.mobile, { exact: true }).fill('+86 139 1234 5902');
}
