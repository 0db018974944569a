import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const timeOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ mtimeMs, size }) => `${mtimeMs}/${size}`,
    () => '-',
  );

/**
 * When files below a root were last written, and how long they are, in one text: it changes whenever one of them does. Of a path
 * that ends in `/` what lies in that directory counts too: its own time does not move where a file is written in place.
 */
export const fileTimes = async (root: string, paths: readonly string[]): Promise<string> => {
  const times = await Promise.all(
    paths.map(async (path) => {
      const own = await timeOf(join(root, path));
      if (!path.endsWith('/')) return [own];
      const names = await readdir(join(root, path)).catch(() => []);
      return [
        own,
        ...(await Promise.all(names.sort().map((name) => timeOf(join(root, path, name))))),
      ];
    }),
  );
  return times.flat().join(' ');
};
