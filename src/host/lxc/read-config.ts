import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '../proc/file-content.ts';
import { parseConfig } from './parse-config.ts';
import type { ConfigEntry } from './parse-config.ts';

/** Reads configuration files; an argument, so that tests read from a table. */
export interface ConfigFiles {
  readEntries: (path: string) => ConfigEntry[];
  /** File names in a directory, or null when the path is a file. */
  listDirectory: (path: string) => string[] | null;
}

/** Deeper than any real configuration; a file that includes itself ends here. */
const MAX_INCLUDE_DEPTH = 16;

/** A file that was written so recently may be written again without another ctime. */
const SETTLED_AFTER_MS = 100;
const MAX_REMEMBERED = 20_000;

/**
 * The files on disk, each read again only when it has changed: a host's containers are listed every
 * few seconds, and before each restart. Synchronous on purpose: to look at so small a file takes less
 * than the promise would.
 */
export const diskFiles = (): ConfigFiles => {
  const known = new Map<string, { identity: string; entries: ConfigEntry[] }>();
  return {
    readEntries: (path) => {
      const found = statSync(path, { bigint: true });
      // It would be waited for, and with it all that this process does.
      if (found.isFIFO()) throw new Error(`${path} is a pipe, and no configuration`);
      const identity = identityOf(found);
      const remembered = known.get(path);
      if (remembered?.identity === identity) return remembered.entries;
      const entries = parseConfig(readFileSync(path, 'utf8'));
      if (known.size >= MAX_REMEMBERED) known.clear();
      if (Date.now() - Number(found.ctimeMs) > SETTLED_AFTER_MS)
        known.set(path, { identity, entries });
      return entries;
    },
    listDirectory: (path) => (statSync(path).isDirectory() ? readdirSync(path) : null),
  };
};

/** The same files, each read once: two hundred containers include the same common.conf. */
const cached = (files: ConfigFiles): ConfigFiles => {
  const entries = new Map<string, ConfigEntry[]>();
  const directories = new Map<string, string[] | null>();
  const once = <T>(memory: Map<string, T>, key: string, read: () => T): T => {
    const known = memory.get(key);
    if (known !== undefined) return known;
    const answer = read();
    memory.set(key, answer);
    return answer;
  };
  return {
    readEntries: (path) => once(entries, path, () => files.readEntries(path)),
    listDirectory: (path) => once(directories, path, () => files.listDirectory(path)),
  };
};

const readInto = (
  path: string,
  files: ConfigFiles,
  shared: ConfigFiles,
  depth: number,
): ConfigEntry[] => {
  if (depth > MAX_INCLUDE_DEPTH)
    throw new Error(
      `${path}: lxc.include is nested more than ${MAX_INCLUDE_DEPTH} deep; does a file include itself?`,
    );
  const entries: ConfigEntry[] = [];
  for (const entry of files.readEntries(path)) {
    if (entry.key !== 'lxc.include') {
      entries.push(entry);
      continue;
    }
    const names = shared.listDirectory(entry.value);
    // A directory stands for its *.conf files, lxc.container.conf(5).
    const included =
      names === null
        ? [entry.value]
        : names
            .filter((name) => name.endsWith('.conf'))
            .sort()
            .map((name) => join(entry.value, name));
    for (const file of included) entries.push(...readInto(file, shared, shared, depth + 1));
  }
  return entries;
};

/**
 * Answers a reader of container configurations: all entries of a file with those of what it
 * includes in their place. Included files are read once per reader, so make a new one for each
 * listing. The reader throws when a file cannot be read, or includes nest without end.
 */
export const configReader = (files: ConfigFiles): ((path: string) => ConfigEntry[]) => {
  const shared = cached(files);
  return (path) => readInto(path, files, shared, 0);
};
