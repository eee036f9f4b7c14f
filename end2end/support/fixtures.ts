import {
  expect,
  test as base,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from '@playwright/test';

import { Api, remembering, type Session } from './api.ts';
import { PASSWORD, newUser, type User } from './users.ts';
import { Server, type Settings } from './server.ts';
import { BrowserErrors } from './browser-errors.ts';

export { expect } from '@playwright/test';

/** Options of a test file: `test.use({ settings: { ACCESS_TOKEN_SECONDS: '5' } })`. */
export interface WorkerOptions {
  settings: Settings;
}

interface WorkerFixtures extends WorkerOptions {
  server: Server;
}

/** A user with an expired access token, on a server of its own. */
interface Expired {
  server: Server;
  api: Api;
  user: User;
  session: Session;
}

interface TestFixtures {
  browserErrors: BrowserErrors;
  api: Api;
  /** A registered user. */
  user: User;
  /** An administrator. */
  administrator: User;
  /**
   * Creates a session whose access token has really expired; later tokens have the default
   * lifetime.
   */
  expired: (settings?: Settings) => Promise<Expired>;
  /** Opens another browser context, whose errors are recorded, too. */
  newContext: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** Opens a tab in another browser context, which remembers a session. */
  newTab: (session: Session, options?: BrowserContextOptions) => Promise<Page>;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  settings: [{}, { scope: 'worker', option: true }],

  server: [
    async ({ settings }, use) => {
      const server = await Server.start(settings);
      await use(server);
      await server.dispose();
      for (const secret of [/eyJ[\w-]+\.eyJ/, new RegExp(PASSWORD), /\$argon2/]) {
        if (secret.test(server.log))
          throw new Error(`The server's log has a secret (${String(secret)}):\n${server.log}`);
      }
    },
    { scope: 'worker' },
  ],

  baseURL: async ({ server }, use) => {
    await use(server.url);
  },

  browserErrors: [
    async ({ context }, use) => {
      const browserErrors = new BrowserErrors();
      browserErrors.watch(context);
      await use(browserErrors);
      browserErrors.verify();
    },
    { auto: true },
  ],

  api: async ({ server }, use) => {
    await use(new Api(server.url));
  },

  user: async ({ api }, use) => {
    const user = newUser();
    await api.register(user);
    await use(user);
  },

  administrator: async ({ server }, use) => {
    const user = newUser('root');
    await server.command(['user', 'create', user.username, '--admin'], user.password);
    await use(user);
  },

  expired: async ({ browserErrors }, use) => {
    const servers: Server[] = [];
    await use(async (settings = {}) => {
      const server = await Server.start({ ...settings, ACCESS_TOKEN_SECONDS: '1' });
      servers.push(server);
      const api = new Api(server.url);
      const user = newUser();
      await api.register(user);
      const session = await api.login(user);
      const judge = async () => (await api.present('GET', '/api/me', session.access_token)).code;
      await expect.poll(judge).toBe('token_expired');
      await server.halt();
      await server.resume(settings);
      return { server, api, user, session };
    });
    browserErrors.stop();
    for (const server of servers) await server.dispose();
  },

  newContext: async ({ browser, server, browserErrors }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ baseURL: server.url, ...options });
      browserErrors.watch(context);
      contexts.push(context);
      return context;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  newTab: async ({ server, newContext }, use) => {
    await use(async (session, options = {}) => {
      const storageState = remembering(options.baseURL ?? server.url, session);
      return (await newContext({ storageState, ...options })).newPage();
    });
  },
});
