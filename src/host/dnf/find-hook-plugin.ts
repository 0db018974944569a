import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A plugin that calls hooks after transactions, of each generation of dnf. */
export interface HookPlugin {
  dnf: 'dnf 4' | 'dnf 5';
  /** The package to install where it is missing. */
  package: string;
  installed: boolean;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Directories `<name>` below each of `parents`, where only part of the name is known. */
const below = async (root: string, parents: readonly string[], name: RegExp): Promise<string[]> => {
  const found: string[] = [];
  for (const parent of parents) {
    const names = await readdir(join(root, parent)).catch(() => []);
    found.push(...names.filter((one) => name.test(one)).map((one) => join(root, parent, one)));
  }
  return found;
};

const anyIsThere = async (paths: readonly string[]): Promise<boolean> =>
  (await Promise.all(paths.map(isThere))).includes(true);

/** The plugins of those generations of dnf that are below `root`, installed or not. */
export const findHookPlugins = async (root: string): Promise<HookPlugin[]> => {
  const plugins: HookPlugin[] = [];
  const pythons = await below(root, ['usr/lib', 'usr/lib64'], /^python3/);
  if (await anyIsThere(['usr/bin/dnf-3', 'usr/bin/dnf4'].map((path) => join(root, path)))) {
    const file = 'dnf-plugins/post-transaction-actions.py';
    const places = pythons.flatMap((python) => [
      join(python, 'site-packages', file),
      join(python, 'dist-packages', file),
    ]);
    plugins.push({
      ...{ dnf: 'dnf 4', package: 'python3-dnf-plugin-post-transaction-actions' },
      installed: await anyIsThere(places),
    });
  }
  if (await isThere(join(root, 'usr/bin/dnf5'))) {
    const triplets = await below(root, ['usr/lib'], /-linux-/);
    const libraries = [join(root, 'usr/lib64'), join(root, 'usr/lib'), ...triplets];
    plugins.push({
      ...{ dnf: 'dnf 5', package: 'libdnf5-plugin-actions' },
      installed: await anyIsThere(libraries.map((one) => join(one, 'libdnf5/plugins/actions.so'))),
    });
  }
  return plugins;
};
