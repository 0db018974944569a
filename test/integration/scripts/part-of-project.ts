import { cp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

/** What the commands of `scripts` that break rules read; all of the project would be many small files more. */
const parts = [
  ...['package.json', 'jest.config.js', 'scripts', 'src'],
  ...['test/audit', 'test/bed', 'test/model', 'test/mutants', 'test/simulation'],
];

/** Copy that much of this project to `directory`, which is made, so that a test may change it. */
export const copyPartOfProject = async (directory: string): Promise<void> => {
  const here = process.cwd();
  for (const part of parts) await cp(join(here, part), join(directory, part), { recursive: true });
  await symlink(join(here, 'node_modules'), join(directory, 'node_modules'));
};
