import { test as base, type BrowserContext, type BrowserContextOptions } from '@playwright/test';

import { Api } from './api.ts';
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

interface TestFixtures {
  trouble: Trouble;
  api: Api;
  /** Somebody with an account. */
  person: Person;
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
        if (secret.test(server.log)) throw new Error(`The server's log has a secret (${String(secret)}):\n${server.log}`);
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
