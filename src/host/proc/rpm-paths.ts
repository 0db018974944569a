import { spawnSync } from 'node:child_process';
import { packagedPathsOf } from '../../core/stale/packaged-paths.ts';
import type { PackagedPaths } from '../../core/stale/packaged-paths.ts';
import { findRpmPlace, rpmDirectory, rpmSignature } from '../dnf/rpm-place.ts';
import type { RpmPlace } from '../dnf/rpm-place.ts';
import type { PackagedPathsReader } from './dpkg-paths.ts';
import { openLowerLayer } from './lower-layer.ts';

/** Name, version and, for each of its files, flags (rpm-queryformat(7)) and path. */
const FORMAT =
  '[%{=NAME}\\t%{=EPOCHNUM}:%{=VERSION}-%{=RELEASE}\\t%{FILEFLAGS:fflags}\\t%{FILENAMES}\\n]';
const TIMEOUT_MS = 60_000;
const MAX_BYTES = 512 * 1024 * 1024;

/** Configuration files are the owner's to change, and ghosts are not shipped at all. */
const NOT_SHIPPED = /[cg]/;

/** Lines of the format above: file lists by package, and its versions. */
export const parseFileLists = (
  text: string,
): { lists: Map<string, string[]>; configuration: Set<string>; versions: Map<string, string> } => {
  const lists = new Map<string, string[]>();
  const configuration = new Set<string>();
  const versions = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [name = '', version = '', flags = '', path = ''] = line.split('\t');
    if (!path.startsWith('/')) continue;
    versions.set(name, version.replace(/^0:/, ''));
    if (NOT_SHIPPED.test(flags)) configuration.add(path);
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [path]);
    else list.push(path);
  }
  return { lists, configuration, versions };
};

const read = (place: RpmPlace): PackagedPaths => {
  const argv = ['--dbpath', rpmDirectory(place), '-qa', '--queryformat', FORMAT];
  // Synchronous as the scan is, which has a thread of its own.
  const { status, stdout, stderr, error } = spawnSync('rpm', argv, {
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: '/root', LC_ALL: 'C.UTF-8' },
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_BYTES,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`rpm cannot list its files: ${stderr.trim()}`);
  const { lists, configuration, versions } = parseFileLists(stdout);
  return packagedPathsOf({
    lists: [...lists].map(([name, paths]) => ({ package: name, paths })),
    conffiles: configuration,
    diversions: [],
    aliases: openLowerLayer(place.root).aliases(),
    versions,
  });
};

/**
 * Reads the file lists in rpm's database, and reads them again when that was written. One root seen under several names
 * is read once.
 */
export const rpmPathsReader = (): PackagedPathsReader => {
  let known: { state: string; paths: PackagedPaths } | null = null;
  return (asked) => {
    // The host's /var may be a file system of its own, which a bind mount of its root leaves out.
    const place = findRpmPlace(asked) ?? findRpmPlace('/');
    if (place === null) throw new Error('there is no rpm database');
    const state = rpmSignature(place);
    if (known?.state !== state) known = { state, paths: read(place) };
    return known.paths;
  };
};
