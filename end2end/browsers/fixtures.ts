import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test as base, type Page } from '@playwright/test';

import { Api, type Session } from '../support/api.ts';
import { png } from '../support/pictures.ts';
import { newUser, type User } from '../support/users.ts';
import { Server } from '../support/server.ts';
import { DrivenBrowser } from '../support/webdriver.ts';

export { expect } from '@playwright/test';

export const ENGINES = ['webkit', 'firefox'] as const;
export type Engine = (typeof ENGINES)[number];

export const TEAL = [20, 110, 110];
export const SAND = [230, 190, 90];

interface WorkerFixtures {
  server: Server;
  /** One browser for each engine, started on first use. */
  started: (engine: Engine) => Promise<DrivenBrowser>;
}

interface TestFixtures {
  api: Api;
  /** Opens the test server in a browser without a session. */
  visit: (engine: Engine) => Promise<Visit>;
  /**
   * Path of a PNG file of 300 by 200 pixels, teal on the left, sand on the right. It stays until the
   * test ends: browsers read it when they upload it.
   */
  picture: string;
}

/** A browser with the test server open. */
export class Visit {
  constructor(
    readonly browser: DrivenBrowser,
    readonly server: Server,
  ) {}

  async open(path: string): Promise<void> {
    await this.browser.open(this.server.url + path);
  }

  /** Stores a session in local storage, as a login with "remember me" does. */
  async signIn(session: Session): Promise<void> {
    await this.open('/login');
    const { access_token, refresh_token, user } = session;
    await this.browser.run(
      (entries) => {
        for (const [name, value] of Object.entries(entries))
          localStorage.setItem(name, JSON.stringify(value));
      },
      { access_token, refresh_token, user },
    );
  }

  /** Opens an authenticated page and waits until no request is pending. */
  async openLoaded(path: string): Promise<void> {
    await this.open(path);
    await this.eventuallyAt(path);
    await this.browser.eventually(
      `${path} is loaded`,
      () =>
        ![...document.querySelectorAll<HTMLElement>('main [aria-busy="true"]')].some((element) =>
          element.checkVisibility(),
        ),
    );
  }

  async eventuallyAt(path: string): Promise<void> {
    await this.browser.eventually(
      `the address is ${path}`,
      (path) => location.pathname + location.search + location.hash === path,
      path,
    );
  }

  /** Waits for a text on the page. */
  async eventuallySays(text: string): Promise<void> {
    await this.browser.eventually(
      `the page says "${text}"`,
      (text) => document.body.innerText.includes(text),
      text,
    );
  }
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.dispose();
    },
    { scope: 'worker' },
  ],

  started: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs
    async ({}, use) => {
      const browsers = new Map<Engine, DrivenBrowser>();
      await use(async (engine) => {
        const running = browsers.get(engine);
        if (running !== undefined) {
          if (!(await running.hasCrashed())) return running;
          await running.close();
        }
        const browser = await DrivenBrowser[engine]();
        browsers.set(engine, browser);
        console.log(`${browser.name} ${browser.version}`);
        return browser;
      });
      for (const browser of browsers.values()) await browser.close();
    },
    { scope: 'worker' },
  ],

  api: async ({ server }, use) => {
    await use(new Api(server.url));
  },

  // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs
  picture: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-picture-'));
    const path = join(folder, 'me.png');
    await writeFile(path, png(300, 200, TEAL, SAND));
    await use(path);
    await rm(folder, { recursive: true });
  },

  visit: async ({ started, server }, use, info) => {
    const visits: Visit[] = [];
    await use(async (engine) => {
      const visit = new Visit(await started(engine), server);
      visits.push(visit);
      await visit.browser.resize(1280, 800);
      await visit.open('/login');
      await visit.browser.run(() => {
        localStorage.clear();
        sessionStorage.clear();
      });
      return visit;
    });
    for (const { browser } of visits) {
      if (info.status === info.expectedStatus || (await browser.hasCrashed())) continue;
      // WebKit's driver cannot take screenshots without a graphics card.
      const html = await browser.run(
        () => `<!-- ${location.href} -->\n${document.documentElement.outerHTML}`,
      );
      await info.attach(browser.name, { body: html, contentType: 'text/plain' });
    }
  },
});

interface EngineFixtures extends TestFixtures {
  server: Server;
  page: Page;
}
type Test = (fixtures: EngineFixtures) => Promise<void>;

/**
 * Returns a test that starts over in a new browser, once, if a process of the engine crashes: that is a
 * defect of the engine. A failure without a crash is never repeated.
 */
export function repeatedAfterCrash(body: Test): Test {
  // Playwright reads the names of the fixtures from this pattern.
  return async ({ visit, server, api, page, picture }) => {
    const visits: Visit[] = [];
    const attempt = (): Promise<void> => {
      const visitAndRemember = async (engine: Engine): Promise<Visit> => {
        const opened = await visit(engine);
        visits.push(opened);
        return opened;
      };
      return body({ visit: visitAndRemember, server, api, page, picture });
    };
    try {
      await attempt();
    } catch (error) {
      const crashed = await Promise.all(visits.map(({ browser }) => browser.hasCrashed()));
      if (!crashed.includes(true)) throw error;
      console.warn(`A process of the engine has crashed, and the test starts over: ${String(error)}`);
      await attempt();
    }
  };
}

/** Creates an administrator and logs in. */
export async function administrator(
  server: Server,
  api: Api,
): Promise<{ user: User; session: Session }> {
  const user = newUser('root');
  await server.command(['user', 'create', user.username, '--admin'], user.password);
  const session = await api.login(user);
  expect(session.user.username).toBe(user.username);
  return { user, session };
}
