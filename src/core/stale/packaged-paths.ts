/** What a package manager's file lists say: which package ships a path. */
export interface PackagedPaths {
  /** Name of the package that ships the path, without architecture; null for other paths. */
  packageOf: (path: string) => string | null;
  /** Full paths shipped directly in a directory; none where nothing below it is shipped. */
  inDirectory: (directory: string) => readonly string[];
  /** Every shipped path below a directory, directories included. */
  below: (directory: string) => string[];
  /** Installed version of a package, by its name without architecture. */
  versionOf: (name: string) => string | null;
}

export interface FileList {
  package: string;
  paths: readonly string[];
}

/** A file that one package moved out of another's way, dpkg-divert(1). */
export interface Diversion {
  from: string;
  to: string;
  /** Package that made it, whose own file keeps the name; null: made by hand, for all. */
  by: string | null;
}

/** Triples of lines: what, where to, and who; `:` stands for a diversion made by hand. */
export const parseDiversions = (text: string): Diversion[] => {
  const lines = text.split('\n');
  const diversions: Diversion[] = [];
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const [from = '', to = '', by = ''] = lines.slice(at, at + 3);
    if (from.startsWith('/') && to.startsWith('/'))
      diversions.push({ from, to, by: by === ':' ? null : by });
  }
  return diversions;
};

/** Paths of a `.conffiles` list; the flag `remove-on-upgrade` may stand before one. */
export const parseConffiles = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.slice(Math.max(0, line.indexOf('/'))))
    .filter((path) => path.startsWith('/'));

/** `path` with the first directory replaced where that is a link, as /lib is on merged-usr hosts. */
export const throughAlias = (aliases: ReadonlyMap<string, string>, path: string): string => {
  const second = path.indexOf('/', 1);
  const target = aliases.get(second < 0 ? path : path.slice(0, second));
  if (target === undefined) return path;
  return second < 0 ? target : target + path.slice(second);
};

/**
 * Puts file lists together. Configuration files are left out: they are the owner's to change.
 * `aliases` are the links in the root directory (`/lib` → `/usr/lib`): lists may name either side.
 */
export const packagedPathsOf = (input: {
  lists: readonly FileList[];
  conffiles: ReadonlySet<string>;
  diversions: readonly Diversion[];
  aliases: ReadonlyMap<string, string>;
  versions: ReadonlyMap<string, string>;
}): PackagedPaths => {
  const owners = new Map<string, string>();
  const directories = new Map<string, string[]>();
  const diverted = new Map(input.diversions.map((one) => [one.from, one]));
  const conffiles = new Set([...input.conffiles].map((path) => throughAlias(input.aliases, path)));

  const add = (path: string, name: string): void => {
    if (owners.has(path)) return;
    owners.set(path, name);
    const slash = path.lastIndexOf('/');
    const directory = slash === 0 ? '/' : path.slice(0, slash);
    const siblings = directories.get(directory);
    if (siblings !== undefined) return void siblings.push(path);
    directories.set(directory, [path]);
    // Lists name each parent too, but under the name that an alias stands for.
    if (directory !== '/') add(directory, name);
  };
  for (const { package: name, paths } of input.lists)
    for (const listed of paths) {
      if (!listed.startsWith('/') || listed === '/.' || listed === '/') continue;
      const diversion = diverted.get(listed);
      const moved = diversion !== undefined && diversion.by !== name ? diversion.to : listed;
      const path = throughAlias(input.aliases, moved);
      if (!conffiles.has(path)) add(path, name);
    }

  const below = (directory: string): string[] =>
    (directories.get(directory) ?? []).flatMap((path) => [path, ...below(path)]);
  return {
    packageOf: (path) => owners.get(path) ?? null,
    inDirectory: (directory) => directories.get(directory) ?? [],
    below,
    versionOf: (name) => input.versions.get(name) ?? null,
  };
};
