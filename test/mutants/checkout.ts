import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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

/** Made in a directory of their own, which `removeCheckouts` takes away. Names are short: sockets lie below them. */
export const makeCheckouts = async (root: string, count: number): Promise<Checkout[]> => {
  const directory = await mkdtemp(join(tmpdir(), 'gsm-'));
  return Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const checkout = {
        directory: join(directory, `${number}`),
        scratch: join(directory, `t${number}`),
      };
      await mkdir(checkout.scratch);
      await cp(root, checkout.directory, {
        ...{ recursive: true, verbatimSymlinks: true, preserveTimestamps: true },
        filter: (path) => dirname(path) !== root || !left.has(basename(path)),
      });
      await symlink(join(root, 'node_modules'), join(checkout.directory, 'node_modules'));
      return checkout;
    }),
  );
};

export const removeCheckouts = async ([first]: readonly Checkout[]): Promise<void> => {
  if (first !== undefined) await rm(dirname(first.directory), { recursive: true, force: true });
};

/** Do `work` while a rule is broken in a checkout. Throws, with nothing done, unless its text stands there once. */
export const whileBroken = async <Result>(
  { directory }: Checkout,
  mutant: Mutant,
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
