import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig } from './parse-config.ts';
import type { ConfigEntry } from './parse-config.ts';

/** Reads configuration files; an argument, so that tests read from a table. */
export interface ConfigFiles {
  readText: (path: string) => Promise<string>;
  /** File names in a directory, or null when the path is a file. */
  listDirectory: (path: string) => Promise<string[] | null>;
}

/** Deeper than any real configuration; a file that includes itself ends here. */
const MAX_INCLUDE_DEPTH = 16;

const diskFiles: ConfigFiles = {
  readText: (path) => readFile(path, 'utf8'),
  listDirectory: async (path) => ((await stat(path)).isDirectory() ? readdir(path) : null),
};

/** The same files, each read once: two hundred containers include the same common.conf. */
const cached = (files: ConfigFiles): ConfigFiles => {
  const texts = new Map<string, Promise<string>>();
  const directories = new Map<string, Promise<string[] | null>>();
  const once = <T>(memory: Map<string, Promise<T>>, key: string, read: () => Promise<T>) => {
    const known = memory.get(key) ?? read();
    memory.set(key, known);
    return known;
  };
  return {
    readText: (path) => once(texts, path, () => files.readText(path)),
    listDirectory: (path) => once(directories, path, () => files.listDirectory(path)),
  };
};

const readInto = async (
  path: string,
  files: ConfigFiles,
  shared: ConfigFiles,
  depth: number,
): Promise<ConfigEntry[]> => {
  if (depth > MAX_INCLUDE_DEPTH)
    throw new Error(
      `${path}: lxc.include is nested more than ${MAX_INCLUDE_DEPTH} deep; does a file include itself?`,
    );
  const entries: ConfigEntry[] = [];
  for (const entry of parseConfig(await files.readText(path))) {
    if (entry.key !== 'lxc.include') {
      entries.push(entry);
      continue;
    }
    const names = await shared.listDirectory(entry.value);
    // A directory stands for its *.conf files, lxc.container.conf(5).
    const included =
      names === null
        ? [entry.value]
        : names
            .filter((name) => name.endsWith('.conf'))
            .sort()
            .map((name) => join(entry.value, name));
    for (const file of included) entries.push(...(await readInto(file, shared, shared, depth + 1)));
  }
  return entries;
};

/**
 * Answers a reader of container configurations: all entries of a file with those of what it
 * includes in their place. Included files are read once per reader, so make a new one for each
 * listing. The reader throws when a file cannot be read, or includes nest without end.
 */
export const configReader = (
  files: ConfigFiles = diskFiles,
): ((path: string) => Promise<ConfigEntry[]>) => {
  const shared = cached(files);
  return (path) => readInto(path, files, shared, 0);
};
