import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  packagedPathsOf,
  parseConffiles,
  parseDiversions,
} from '../../core/stale/packaged-paths.ts';
import type { PackagedPaths } from '../../core/stale/packaged-paths.ts';
import { parseDpkgStatus } from '../apt/parse-dpkg-status.ts';
import { identityOf } from './file-content.ts';
import { openLowerLayer } from './lower-layer.ts';

/** File lists of the packages in a root directory; throws where they cannot be read. */
export type PackagedPathsReader = (root: string) => PackagedPaths;

const LIST = /^(.+?)(?::[^:]+)?\.list$/;

/** Versions by name without architecture, of everything that has files on disk. */
export const readVersions = (text: string, path: string): Map<string, string> =>
  new Map(
    parseDpkgStatus(text, path)
      .filter(({ state }) => state !== 'not-installed' && state !== 'config-files')
      .map(({ name, version }) => [name, version]),
  );

const readIfThere = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

const read = (root: string): PackagedPaths => {
  const directory = join(root, 'var/lib/dpkg');
  const info = join(directory, 'info');
  const text = (name: string): string => readFileSync(join(info, name), 'utf8');
  const names = readdirSync(info);
  const status = join(directory, 'status');
  return packagedPathsOf({
    lists: names.flatMap((name) => {
      const owner = LIST.exec(name)?.[1];
      return owner === undefined ? [] : [{ package: owner, paths: text(name).split('\n') }];
    }),
    conffiles: new Set(
      names
        .filter((name) => name.endsWith('.conffiles'))
        .flatMap((name) => parseConffiles(text(name))),
    ),
    diversions: parseDiversions(readIfThere(join(directory, 'diversions'))),
    aliases: openLowerLayer(root).aliases(),
    versions: readVersions(readFileSync(status, 'utf8'), status),
  });
};

/** dpkg replaces each list and its status file by a rename, which moves both times. */
const stateOf = (root: string): string =>
  ['var/lib/dpkg/info', 'var/lib/dpkg/status', 'var/lib/dpkg/diversions']
    .map((path) => statSync(join(root, path), { bigint: true, throwIfNoEntry: false }))
    .map((found) => (found === undefined ? '-' : identityOf(found)))
    .join(',');

/**
 * Reads dpkg's file lists (`/var/lib/dpkg/info/*.list` and `*.conffiles`), and
 * reads them again when dpkg has changed them. One root seen under several names is read once.
 */
export const dpkgPathsReader = (): PackagedPathsReader => {
  let known: { state: string; paths: PackagedPaths } | null = null;
  return (asked) => {
    // The host's /var may be a file system of its own, which a bind mount of its root leaves out.
    const root = existsSync(join(asked, 'var/lib/dpkg/status')) ? asked : '/';
    const state = stateOf(root);
    if (known?.state !== state) known = { state, paths: read(root) };
    return known.paths;
  };
};
