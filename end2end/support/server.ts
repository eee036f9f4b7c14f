import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { freePort } from '../../scripts/free-port.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const TARGET = process.env.CARGO_TARGET_DIR;
/** Folder of the release build: the executable and the hashes of the site files. */
export const RELEASE = join(TARGET ?? join(ROOT, 'target'), 'release');
/** Site folder of the release build. */
export const RELEASE_SITE = join(ROOT, 'target', 'site');
const PROGRAM = join(RELEASE, 'gatehouse');
/** The executable finds the site beside itself, except with another CARGO_TARGET_DIR. */
const SITE: Settings = TARGET === undefined ? {} : { SITE_DIR: RELEASE_SITE };

/** Timeout for start and stop of the server, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** Server settings: `GATEHOUSE_*` without the prefix. */
export type Settings = Record<string, string>;

/** The executable, with its own port and data folder. */
export class Server {
  readonly url: string;
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(
    private readonly address: string,
    private readonly data: string,
    private settings: Settings,
  ) {
    this.url = `http://${address}`;
  }

  static async start(settings: Settings = {}): Promise<Server> {
    const address = `127.0.0.1:${String(await freePort())}`;
    const data = await mkdtemp(join(tmpdir(), 'gatehouse-end2end-'));
    const server = new Server(address, data, settings);
    await server.resume();
    return server;
  }

  /** Output of the server so far. */
  get log(): string {
    return this.#log;
  }

  /**
   * Starts the server on its data folder, optionally with other settings or another build, and
   * waits until it responds.
   */
  async resume(settings = this.settings, program = PROGRAM): Promise<void> {
    this.settings = settings;
    const child = spawn(program, [], {
      // Outside the repository, so no .env file of a developer is read.
      cwd: this.data,
      env: {
        ...withoutSettings(process.env),
        ...prefixed({ ...SITE, ...this.settings }),
        GATEHOUSE_ADDR: this.address,
        GATEHOUSE_DATA_DIR: join(this.data, 'data'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    }
    // A program that cannot be started has no exit code; the loop below reports the log.
    child.on('error', (error) => (this.#log += `${program}: ${error.message}`));
    process.once('exit', () => child.kill('SIGKILL'));

    const deadline = Date.now() + TIMEOUT_MS;
    while (!(await answers(this.url))) {
      if (child.pid === undefined || child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`The server does not answer:\n${this.#log}`);
      }
      await pause(20);
    }
  }

  /**
   * Runs a command of the executable on the same data, with standard input, and returns its output.
   */
  command(args: string[], input = ''): Promise<string> {
    const env = {
      ...withoutSettings(process.env),
      ...prefixed(this.settings),
      GATEHOUSE_DATA_DIR: join(this.data, 'data'),
    };
    return new Promise((resolve, reject) => {
      const child = execFile(PROGRAM, args, { cwd: this.data, env }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`gatehouse ${args.join(' ')}: ${stderr}`));
      });
      child.stdin?.end(input);
    });
  }

  /** Sends SIGTERM, waits for the exit, and fails if it was not clean. */
  async halt(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    await ended;
    clearTimeout(late);
    if (child.exitCode !== 0) {
      const how = child.signalCode ?? `code ${String(child.exitCode)}`;
      throw new Error(`The server did not end cleanly (${how}):\n${this.#log}`);
    }
  }

  /** Kills the server, as a power failure would, and waits for its exit. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops the server and removes its data. */
  async dispose(): Promise<void> {
    try {
      await this.halt();
    } finally {
      await rm(this.data, { recursive: true, force: true });
    }
    if (this.#log.includes('panicked')) throw new Error(`The server panicked:\n${this.#log}`);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/login`)).ok;
  } catch {
    return false;
  }
}

function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(?:GATEHOUSE|LEPTOS)_/.test(name)),
  );
}

function prefixed(settings: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`GATEHOUSE_${name}`, value]),
  );
}
