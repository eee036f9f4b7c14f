import {
  expect,
  test as base,
  type BrowserContext,
  type BrowserContextOptions,
} from '@playwright/test';

import { Api, type Session } from './api.ts';
import { PASSWORD, somebody, type Person } from './people.ts';
import { Server, type Settings } from './server.ts';
import { Trouble } from './trouble.ts';

export { expect } from '@playwright/test';

/** What a file of tests may choose: `test.use({ settings: { ACCESS_TOKEN_SECONDS: '5' } })`. */
export interface WorkerOptions {
  settings: Settings;
}

interface WorkerFixtures extends WorkerOptions {
  server: Server;
}

/** Somebody whose access token has expired, on a server of their own. */
interface Expired {
  server: Server;
  api: Api;
  person: Person;
  session: Session;
}

interface TestFixtures {
  trouble: Trouble;
  api: Api;
  /** Somebody with an account. */
  person: Person;
  /** Somebody who may manage others' accounts. */
  administrator: Person;
  /** A session whose access token has really expired; those after it live as long as they do with people. */
  expired: (settings?: Settings) => Promise<Expired>;
  /** Another browser, watched like the first one. */
  newVisitor: (options?: BrowserContextOptions) => Promise<BrowserContext>;
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

  trouble: [
    async ({ context }, use) => {
      const trouble = new Trouble();
      trouble.watch(context);
      await use(trouble);
      trouble.verify();
    },
    { auto: true },
  ],

  api: async ({ server }, use) => {
    await use(new Api(server.url));
  },

  person: async ({ api }, use) => {
    const person = somebody();
    await api.register(person);
    await use(person);
  },

  administrator: async ({ server }, use) => {
    const person = somebody('root');
    await server.command(['user', 'create', person.username, '--admin'], person.password);
    await use(person);
  },

  // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs
  expired: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (settings = {}) => {
      const server = await Server.start({ ...settings, ACCESS_TOKEN_SECONDS: '1' });
      servers.push(server);
      const api = new Api(server.url);
      const person = somebody();
      await api.register(person);
      const session = await api.login(person);
      const judge = async () => (await api.present('GET', '/api/me', session.access_token)).code;
      await expect.poll(judge).toBe('token_expired');
      await server.halt();
      await server.resume(settings);
      return { server, api, person, session };
    });
    for (const server of servers) await server.dispose();
  },

  newVisitor: async ({ browser, server, trouble }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ baseURL: server.url, ...options });
      trouble.watch(context);
      contexts.push(context);
      return context;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});
