import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { brokenText } from './broken-text.ts';
import type { Mutant } from './mutant.ts';

/** A copy of the project in which rules are broken, one at a time. */
export interface Checkout {
  directory: string;
  /** For what tests write, and the cache of what Jest compiled. */
  scratch: string;
}

/** What is not copied: packages are shared, and what was compiled is of the unbroken program. */
const left = new Set(['.git', 'node_modules', 'dist', 'coverage']);

/** In `place`, whose name should be short: sockets lie below it. */
export const makeCheckouts = async (
  root: string,
  place: string,
  count: number,
): Promise<Checkout[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const [directory, scratch] = [join(place, `${number}`), join(place, `t${number}`)];
      await mkdir(scratch);
      await cp(root, directory, {
        ...{ recursive: true, verbatimSymlinks: true, preserveTimestamps: true },
        filter: (path) => dirname(path) !== root || !left.has(basename(path)),
      });
      await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
      return { directory, scratch };
    }),
  );

/** Do `work` while a rule is broken in a checkout. Throws, with nothing done, unless its text stands there once. */
export const whileBroken = async <Result>(
  { directory }: Checkout,
  mutant: Pick<Mutant, 'file' | 'from' | 'to'>,
  work: () => Promise<Result>,
): Promise<Result> => {
  const path = join(directory, mutant.file);
  const text = await readFile(path, 'utf8');
  await writeFile(path, brokenText(text, mutant, mutant.file));
  try {
    return await work();
  } finally {
    await writeFile(path, text);
  }
};
