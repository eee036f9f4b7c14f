import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the system's own Chromium is, for Playwright's launch options; nothing where only Playwright's own will do. */
export function chromium(): { executablePath?: string } {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = ['chromium', 'google-chrome'].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  const executablePath = candidates.find((candidate) => existsSync(candidate));
  return executablePath === undefined ? {} : { executablePath };
}
