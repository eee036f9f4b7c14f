import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Launch options for the system's Chromium, or none to use Playwright's. */
export function chromium(): { executablePath?: string } {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = ['chromium', 'google-chrome'].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  const executablePath = candidates.find((candidate) => existsSync(candidate));
  return executablePath === undefined ? {} : { executablePath };
}
