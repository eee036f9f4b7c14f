import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RELEASE, RELEASE_SITE, type Settings } from './server.ts';

/** Another build of the product: the same executable with other names of the browser files. */
export interface Build {
  program: string;
  settings: Settings;
  dispose: () => Promise<void>;
}

/**
 * Makes another build from the release build by changing the hash in every file name and reference.
 */
export async function anotherBuild(): Promise<Build> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-build-'));
  const site = join(folder, 'site');
  const pkg = join(site, 'pkg');
  await mkdir(folder, { recursive: true });
  await copyFile(join(RELEASE, 'gatehouse'), join(folder, 'gatehouse'));
  await cp(RELEASE_SITE, site, { recursive: true });

  const hashes = new Set<string>();
  for (const file of await readdir(pkg)) {
    const hash = /\.([\w-]{22})\./.exec(file)?.[1];
    if (hash !== undefined) hashes.add(hash);
  }
  if (hashes.size === 0)
    throw new Error(`There are no hashed names in ${RELEASE_SITE}: was it built by scripts/build?`);
  // The same length, so that it can replace the name in binaries.
  const renamed = (text: string) =>
    [...hashes].reduce(
      (result, hash) => result.replaceAll(hash, Array.from(hash).reverse().join('')),
      text,
    );
  for (const file of await readdir(pkg, { withFileTypes: true })) {
    const path = join(pkg, file.name);
    if (!file.isFile()) continue;
    // The compressed copies contain the old names.
    if (/\.(?:br|gz)$/.test(file.name)) {
      await rm(path);
      continue;
    }
    await writeFile(path, renamed(await readFile(path, 'latin1')), 'latin1');
    await rename(path, join(pkg, renamed(file.name)));
  }
  await writeFile(
    join(folder, 'hash.txt'),
    renamed(await readFile(join(RELEASE, 'hash.txt'), 'utf8')),
  );
  return {
    program: join(folder, 'gatehouse'),
    settings: { SITE_DIR: site },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
