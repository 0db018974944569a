import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout that this file lies in, as a source or compiled below `dist`. */
export const projectDirectory = (): string => {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) {
    const above = dirname(directory);
    if (above === directory) throw new Error(`no package.json above ${import.meta.dirname}`);
    directory = above;
  }
  return directory;
};
