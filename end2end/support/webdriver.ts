// A small WebDriver client for browsers that Playwright does not drive
// (https://www.w3.org/TR/webdriver2/).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { expect } from '@playwright/test';

import { freePort } from '../../scripts/free-port.mjs';

/** Timeout of a browser's start, in milliseconds. */
const START_TIMEOUT_MS = 30_000;
/** Key of an element reference in WebDriver. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

type Parameters = Record<string, unknown>;

/** Error of commands after a process of the browser has crashed, which ends its session. */
class SessionLost extends Error {}

/** A connection to a browser. */
interface Connection {
  send: (command: Command, parameters: Parameters) => Promise<unknown>;
  close: () => Promise<void>;
}

/** Commands in WebDriver over HTTP and in Firefox' Marionette protocol. */
const COMMANDS = {
  navigate: ['POST', '/url', 'WebDriver:Navigate'],
  execute: ['POST', '/execute/sync', 'WebDriver:ExecuteScript'],
  find: ['POST', '/element', 'WebDriver:FindElement'],
  click: ['POST', '/element/:id/click', 'WebDriver:ElementClick'],
  type: ['POST', '/element/:id/value', 'WebDriver:ElementSendKeys'],
  setRect: ['POST', '/window/rect', 'WebDriver:SetWindowRect'],
} as const;
type Command = keyof typeof COMMANDS;

/** A browser with one window. */
export class DrivenBrowser {
  private constructor(
    readonly name: string,
    readonly version: string,
    private readonly connection: Connection,
  ) {}

  /** Starts WebKitGTK, which shares its engine with Safari, on its own display. */
  static async webkit(): Promise<DrivenBrowser> {
    const display = await startDisplay();
    const port = await freePort();
    const driver = spawn('WebKitWebDriver', [`--port=${String(port)}`, '--host=127.0.0.1'], {
      env: {
        ...process.env,
        DISPLAY: display.name,
        // Containers have neither a nested sandbox nor a graphics card.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
        WEBKIT_DISABLE_COMPOSITING_MODE: '1',
        WEBKIT_DISABLE_DMABUF_RENDERER: '1',
        LIBGL_ALWAYS_SOFTWARE: '1',
        GDK_BACKEND: 'x11',
      },
      // The engine tells there when one of its processes crashes.
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    endWithTests(driver);
    const stop = async (): Promise<void> => {
      await end(driver);
      await end(display.process);
    };
    try {
      const base = `http://127.0.0.1:${String(port)}`;
      await until(async () => (await fetch(`${base}/status`)).ok);
      const binary = miniBrowser();
      const browserOptions = { binary, args: ['--automation'] };
      const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': browserOptions } };
      const opened = (await request(`${base}/session`, 'POST', { capabilities })) as Session;
      const session = `${base}/session/${opened.sessionId}`;
      return new DrivenBrowser('WebKitGTK', opened.capabilities.browserVersion, {
        send: (command, { id, ...parameters }) => {
          const [method, path] = COMMANDS[command];
          return request(session + path.replace(':id', String(id)), method, parameters);
        },
        close: async () => {
          try {
            await request(session, 'DELETE');
          } catch (error) {
            if (!(error instanceof SessionLost)) throw error;
          } finally {
            await stop();
          }
        },
      });
    } catch (error) {
      await stop();
      throw error;
    }
  }

  /** Starts Firefox with preferences, using its Marionette protocol: no driver is needed. */
  static async firefox(
    preferences: Record<string, string | number | boolean> = {},
  ): Promise<DrivenBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'gatehouse-firefox-'));
    const lines = Object.entries({ ...FIREFOX_PREFERENCES, ...preferences }).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    );
    await writeFile(join(profile, 'user.js'), lines.join(''));
    const child = spawn(
      firefox(),
      ['--headless', '--marionette', '--no-remote', '--profile', profile],
      {
        env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
        stdio: 'ignore',
      },
    );
    endWithTests(child);
    let marionette: Marionette | undefined;
    const stop = async (): Promise<void> => {
      marionette?.close();
      await end(child);
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    };
    try {
      // Firefox chooses a port and writes it to a file.
      const file = join(profile, 'MarionetteActivePort');
      await until(async () => Number(await readFile(file, 'utf8')) > 0);
      const connected = await Marionette.connect(Number(await readFile(file, 'utf8')));
      marionette = connected;
      const opened = (await connected.send('WebDriver:NewSession', {})) as Session;
      return new DrivenBrowser('Firefox', opened.capabilities.browserVersion, {
        send: async (command, parameters) => {
          const answer = await connected.send(COMMANDS[command][2], parameters);
          return isWrapped(answer) ? answer.value : answer;
        },
        close: stop,
      });
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  /** Returns whether a process of the browser has crashed: nothing but closing it is possible then. */
  async hasCrashed(): Promise<boolean> {
    try {
      await this.run(() => true);
      return false;
    } catch (error) {
      return error instanceof SessionLost;
    }
  }

  /** Opens a page and waits for hydration. */
  async open(url: string): Promise<void> {
    await this.connection.send('navigate', { url });
    await this.eventually('the page is hydrated', () => 'hydrated' in document.documentElement.dataset);
  }

  /** Runs a function in the page, which sees nothing of the test but its arguments. */
  async run<Arguments extends unknown[], Result>(
    script: (...args: Arguments) => Result,
    ...args: Arguments
  ): Promise<Result> {
    const source = `return (${script.toString()})(...arguments)`;
    return (await this.connection.send('execute', { script: source, args })) as Result;
  }

  /** Waits until a condition holds in the page. */
  async eventually<Arguments extends unknown[]>(
    what: string,
    script: (...args: Arguments) => boolean,
    ...args: Arguments
  ): Promise<void> {
    await expect
      .poll(() => this.run(script, ...args), { message: `${this.name}: ${what}` })
      .toBe(true);
  }

  /** Clicks the first element of a selector like a mouse. */
  async click(selector: string): Promise<void> {
    // The driver would scroll it to the edge of the window, below what is fixed there.
    await this.run((selector) => {
      document.querySelector(selector)?.scrollIntoView({ block: 'center', behavior: 'instant' });
    }, selector);
    await this.connection.send('click', { id: await this.#find(selector) });
  }

  /** Types into the first element of a selector; for a file input, the paths of files. */
  async type(selector: string, text: string): Promise<void> {
    await this.connection.send('type', { id: await this.#find(selector), text });
  }

  /**
   * Sets the width of the viewport by resizing the window, including its borders. The window takes its new size some time after
   * the command.
   */
  async resize(width: number, height: number): Promise<void> {
    await expect
      .poll(
        async () => {
          const [inner, edges] = await this.run(
            () => [window.innerWidth, window.outerWidth - window.innerWidth] as const,
          );
          // An edge that is negative or wide comes from a window that is being resized.
          if (inner !== width && edges >= 0 && edges < 100)
            await this.connection.send('setRect', { width: width + edges, height });
          return inner;
        },
        { message: `${this.name}: the width of the page` },
      )
      .toBe(width);
  }

  async #find(selector: string): Promise<string> {
    const found = await this.connection.send('find', { using: 'css selector', value: selector });
    return (found as Record<string, string>)[ELEMENT] ?? '';
  }
}

interface Session {
  sessionId: string;
  capabilities: { browserVersion: string };
}

/** Preferences without start page, updates and prompts. */
const FIREFOX_PREFERENCES = {
  'marionette.port': 0,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.update.auto': false,
  'app.normandy.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'http://127.0.0.1:9',
  'toolkit.telemetry.enabled': false,
};

const CLOSED = 'Firefox has closed the connection.';

/** Firefox' Marionette protocol: length-prefixed JSON, `[type, id, error, result]`. */
class Marionette {
  #received = Buffer.alloc(0);
  #next = 0;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#read();
    });
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new SessionLost(CLOSED));
    });
    // Pending commands are rejected by the `close` event that follows.
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<Marionette> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Marionette(socket);
  }

  send(command: string, parameters: Parameters): Promise<unknown> {
    if (this.socket.destroyed) return Promise.reject(new SessionLost(CLOSED));
    const id = (this.#next += 1);
    const message = JSON.stringify([0, id, command, parameters]);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.socket.write(`${String(Buffer.byteLength(message))}:${message}`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #read(): void {
    for (;;) {
      const colon = this.#received.indexOf(':');
      const length = Number(this.#received.subarray(0, colon).toString());
      if (colon < 0 || this.#received.length < colon + 1 + length) return;
      const text = this.#received.subarray(colon + 1, colon + 1 + length).toString();
      this.#received = this.#received.subarray(colon + 1 + length);
      const message = JSON.parse(text) as unknown;
      // The first message is a greeting.
      if (!Array.isArray(message)) continue;
      const [, id, error, result] = message as [
        1,
        number,
        { error: string; message: string } | null,
        unknown,
      ];
      const waits = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === null) waits?.resolve(result);
      else waits?.reject(new Error(`${error.error}: ${error.message}`));
    }
  }
}

function isWrapped(answer: unknown): answer is { value: unknown } {
  return typeof answer === 'object' && answer !== null && 'value' in answer;
}

/** Sends a WebDriver request over HTTP and returns the `value` of its response. */
async function request(url: string, method: string, body?: Parameters): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
  });
  const { value } = (await response.json()) as { value: unknown };
  if (response.ok) return value;
  const { error, message } = value as { error: string; message: string };
  const text = `${error}: ${message}`;
  throw error === 'invalid session id' ? new SessionLost(text) : new Error(text);
}

/** Starts a virtual display (Xvfb), which chooses a free number and writes it to a file. */
async function startDisplay(): Promise<{ name: string; process: ChildProcess }> {
  const child = spawn(
    'Xvfb',
    ['-displayfd', '1', '-screen', '0', '2000x1400x24', '-nolisten', 'tcp'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  endWithTests(child);
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
  const [number] = (await Promise.race([once(child.stdout, 'data'), failed])) as [Buffer];
  return { name: `:${number.toString().trim()}`, process: child };
}

function miniBrowser(): string {
  const places = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].flatMap((machine) =>
    ['4.1', '4.0', '6.0'].map((version) => `/usr/lib/${machine}/webkit2gtk-${version}/MiniBrowser`),
  );
  const found = places.find(existsSync);
  if (found === undefined)
    throw new Error(
      `There is no WebKitGTK: none of ${places.join(', ')}. Run scripts/setup browsers.`,
    );
  return found;
}

function firefox(): string {
  return ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync) ?? 'firefox';
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isTrue().catch(() => false))) {
    if (Date.now() > deadline) throw new Error('The browser does not start.');
    await pause(50);
  }
}

/** Ends a program with the tests, also when these are interrupted. */
function endWithTests(child: ChildProcess): void {
  process.once('exit', () => child.kill('SIGKILL'));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(late);
}
