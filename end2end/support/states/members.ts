// States of the authenticated pages.
import { expect } from '@playwright/test';

import { fail, hold } from '../network.ts';
import { file, png } from '../pictures.ts';
import { resize } from '../viewport.ts';
import {
  ADA,
  RETRY_AFTER_SECONDS,
  expectAda,
  answerWithFiles,
  signIn,
  type State,
} from './setup.ts';

export const MEMBERS: State[] = [
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
    what: 'the profile while it is loading',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await hold(gatehouse.page, '/api/me');
      await gatehouse.open('/profile');
      await expect(gatehouse.main.getByText(gatehouse.words.profileLoading)).toBeAttached();
    },
  },
  {
    name: 'profile-failed',
    what: 'a profile that could not be loaded',
    browserErrors: [/\/api\/me/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.page.route('/api/me', (route) =>
        fail(route, 503, 'unavailable', gatehouse.words.messages.unavailable, RETRY_AFTER_SECONDS),
      );
      await gatehouse.open('/profile');
      await expect(gatehouse.alert(gatehouse.words.profileFailed)).toBeVisible();
    },
  },
  {
    name: 'files',
    what: 'the files of a user',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await answerWithFiles(gatehouse.page, [
        [640, 400],
        [300, 480],
        [500, 500],
        [640, 260],
        [320, 420],
        [600, 360],
      ]);
      await gatehouse.open('/files');
      await expect(gatehouse.main.locator('.tile img').nth(5)).toBeVisible();
    },
  },
  {
    name: 'files-viewer',
    what: 'a picture in the viewer',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await answerWithFiles(gatehouse.page, [
        [640, 400],
        [300, 480],
        [500, 500],
      ]);
      await gatehouse.open('/files');
      await gatehouse.main.getByRole('button', { name: 'gate.png', exact: true }).click();
      const dialog = gatehouse.page.getByRole('dialog', { name: 'gate.png' });
      await expect(dialog.getByRole('img')).toBeVisible();
    },
  },
  {
    name: 'files-sending',
    what: 'an upload in progress and a rejected one, without other files',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.open('/files');
      await hold(gatehouse.page, '/api/me/files?name=*');
      const input = gatehouse.main.locator('input[type="file"]');
      await input.setInputFiles([
        file('arch.png', png(64, 64)),
        file('panorama.png', Buffer.alloc(6_000_000)),
      ]);
      await expect(gatehouse.main.getByRole('alert')).toBeVisible();
      await expect(gatehouse.main.getByRole('progressbar')).toBeVisible();
    },
  },
  {
    name: 'picture',
    what: 'an avatar that is cropped to a square',
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.open('/settings/profile');
      await gatehouse.main
        .locator('input[type="file"]')
        .first()
        .setInputFiles(file('me.png', png(300, 200)));
      await expect(gatehouse.main.locator('canvas')).toBeFocused();
    },
  },
  {
    name: 'menu',
    what: 'the phone menu',
    widths: [360],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await resize(gatehouse.page, { width: 360, height: 740 });
      await gatehouse.open('/profile');
      await expectAda(gatehouse);
      await gatehouse.openMenu();
      await expect(gatehouse.logoutButton).toBeVisible();
    },
  },
  {
    name: 'account-menu',
    what: 'the account menu',
    widths: [1280],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.open('/');
      await gatehouse.accountMenu(ADA.nickname).click();
      await expect(
        gatehouse.menu.getByRole('link', { name: gatehouse.words.settings }),
      ).toBeVisible();
    },
  },
  {
    name: 'home-member',
    what: 'the home page of a signed-in user',
    reach: async (stage) => {
      await signIn(stage);
      await stage.gatehouse.open('/');
      await expect(
        stage.gatehouse.main.getByText(stage.gatehouse.words.welcome(ADA.nickname)),
      ).toBeVisible();
    },
  },
  {
    name: 'expired',
    what: 'an expired session',
    browserErrors: [/status of 401 .*\/api\/(me|auth\/refresh)/],
    reach: async (stage) => {
      const { gatehouse } = stage;
      await signIn(stage);
      await gatehouse.page.route(/\/api\/(me|auth\/refresh)$/, (route) =>
        fail(route, 401, 'token_expired'),
      );
      await gatehouse.open('/profile');
      await expect(gatehouse.alert(gatehouse.words.sessionExpired)).toBeVisible();
      await expect(gatehouse.account).toBeVisible();
    },
  },
];
