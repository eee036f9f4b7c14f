import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { freePort } from '../../scripts/free-port.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
/**
 * A copy of the tree, so that the tree itself is never changed. It stays with its build, which
 * makes the next run faster.
 */
const COPY = join(ROOT, 'target', 'watch');
/** An empty style sheet. */
const PROBE = 'style/watched.css';
/** Timeout of the first build, from scratch on a small machine. */
const FIRST_BUILD_MS = 30 * 60_000;

/** `make watch` in a copy of the tree. */
export class WatchProcess {
  readonly url: string;
  #log = '';
  #edited = new Map<string, string>();

  private constructor(
    private readonly child: ChildProcess,
    address: string,
  ) {
    this.url = `http://${address}`;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    }
  }

  /** Starts the process and waits until the server responds. `files` are the ones to be edited. */
  static async start(files: string[]): Promise<WatchProcess> {
    const command = (process.env.WATCH_COMMAND ?? 'make watch').split(' ');
    copyTree();
    // Makes the files newer than the build of an earlier run.
    for (const file of files) utimesSync(join(COPY, file), new Date(), new Date());
    const [port, reloadPort] = [await freePort(), await freePort()];
    const address = `127.0.0.1:${String(port)}`;
    const environment = Object.entries(process.env).filter(
      ([name]) => !/^(?:GATEHOUSE_|LEPTOS_(?!TAILWIND)|CARGO_TARGET_DIR$)/.test(name),
    );
    rmSync(join(COPY, 'data'), { recursive: true, force: true });
    const child = spawn(command[0] ?? '', command.slice(1), {
      cwd: COPY,
      env: {
        ...Object.fromEntries(environment),
        LEPTOS_SITE_ADDR: address,
        LEPTOS_RELOAD_PORT: String(reloadPort),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group, so that child processes end with it.
      detached: true,
    });
    const watching = new WatchProcess(child, address);
    process.once('exit', () => {
      watching.#signal('SIGKILL');
    });
    await watching.#answer();
    await watching.#notice();
    return watching;
  }

  /** Output of the process so far. */
  get log(): string {
    return this.#log;
  }

  /** Replaces a text in a file of the copy. */
  edit(file: string, before: string, after: string): void {
    const path = join(COPY, file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
    if (!this.#edited.has(file)) this.#edited.set(file, text);
    writeFileSync(path, text.replace(before, after));
  }

  /** Stops the process and restores the edited files. */
  async stop(): Promise<void> {
    for (const [file, text] of this.#edited) writeFileSync(join(COPY, file), text);
    const ended =
      this.child.exitCode === null && this.child.signalCode === null
        ? once(this.child, 'exit')
        : Promise.resolve();
    this.#signal('SIGINT');
    const late = setTimeout(() => {
      this.#signal('SIGKILL');
    }, 20_000);
    await ended;
    clearTimeout(late);
  }

  /** Waits until a change is noticed: cargo-leptos serves before it starts watching. */
  async #notice(): Promise<void> {
    const builds = () => this.#log.split('Tailwind').length;
    const before = builds();
    // A change interrupts the build of the previous one, so the pauses between changes grow.
    let next = 0;
    for (let seconds = 0; builds() === before; seconds += 1) {
      if (seconds > 600 || this.child.exitCode !== null)
        throw new Error(`It does not watch:\n${this.#log}`);
      if (seconds >= next) {
        writeFileSync(join(COPY, PROBE), `/* ${String(seconds)} */\n`);
        next = seconds * 2 + 15;
      }
      await pause(1000);
    }
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, signal);
    } catch {
      // The process has ended already.
    }
  }

  /** Waits until the server listens. Its log says so: another program may answer on the port. */
  async #answer(): Promise<void> {
    const deadline = Date.now() + FIRST_BUILD_MS;
    while (!this.#log.includes(`Gatehouse is listening on ${this.url}`)) {
      if (this.child.exitCode !== null || Date.now() > deadline)
        throw new Error(`It does not serve:\n${this.#log}`);
      await pause(200);
    }
  }
}

/** Synchronizes the copy with the tree: files that git tracks or would add. */
function copyTree(): void {
  mkdirSync(COPY, { recursive: true });
  const list = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: ROOT, encoding: 'utf8' },
  );
  const files = new Set(
    list.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file))),
  );
  const kept = new Set(['target', 'node_modules']);
  for (const entry of readdirSync(COPY, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const file = path.slice(COPY.length + 1);
    if (kept.has(file.split('/')[0] ?? '') || !entry.isFile() || files.has(file)) continue;
    rmSync(path);
  }
  for (const file of files) {
    const [from, to] = [join(ROOT, file), join(COPY, file)];
    if (!lstatSync(from).isFile()) continue;
    const { mode } = statSync(from);
    if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue;
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
    chmodSync(to, mode);
  }
  const modules = join(COPY, 'node_modules');
  if (!existsSync(modules)) symlinkSync(join(ROOT, 'node_modules'), modules);
}
