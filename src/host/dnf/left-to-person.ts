import type { PackageFailure } from '../packages/failure.ts';
import { dnfFailure } from './name-failure.ts';
import { askRpm } from './read-rpm-database.ts';
import type { RpmPlace } from './rpm-place.ts';
import type { Duplicate } from './unsettled.ts';

/** As every rpm takes it: with the epoch not all do. */
export const rpmLabel = ({ name, arch }: { name: string; arch: string }, version: string): string =>
  `${name}-${version.replace(/^\d+:/, '')}.${arch}`;

/** Reads `mode<tab>path` lines: what is no directory, which packages may share. */
export const parseOwnFiles = (text: string): Set<string> =>
  new Set(
    text.split('\n').flatMap((line) => {
      const [mode = '', path] = line.split('\t');
      return path === undefined || mode.startsWith('d') ? [] : [path];
    }),
  );

/**
 * The first file in what `rpm -V` prints that is not as its package brought it; what people edit, what is made at run time,
 * and documentation that was never installed may be another. Null: the package is whole.
 */
export const firstDamage = (text: string): string | null => {
  for (const line of text.split('\n')) {
    const [, tests = '', kind = '', path = ''] =
      /^(missing|[A-Z0-9.?]{8,}) +(?:([a-z]) )? *(\/.*)$/.exec(line) ?? [];
    if (path === '' || kind === 'c' || kind === 'g') continue;
    if (tests === 'missing' ? kind !== 'd' : /^S|5/.test(tests)) return path;
  }
  return null;
};

const filesOf = async (place: RpmPlace, label: string): Promise<Set<string>> =>
  parseOwnFiles(
    await askRpm(place, ['-q', '--queryformat', '[%{FILEMODES:perms}\\t%{FILENAMES}\\n]', label]),
  );

/** An upgrade writes over files of the older version; two that have files and share none can stand side by side. */
const standSideBySide = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size > 0 && other.size > 0 && ![...one].some((path) => other.has(path));

const failure = (message: string, remedy: string): PackageFailure => ({
  ...dnfFailure('interrupted', `a transaction was broken off, and not healed: ${message}`),
  remedy,
});

/**
 * Why a person must decide about a package that is there in several versions; null: the older ones are what a broken-off
 * upgrade to the newest has left, and that one is whole.
 */
const whyToPerson = async (place: RpmPlace, one: Duplicate): Promise<PackageFailure | null> => {
  const newest = rpmLabel(one, one.newest);
  const files = await filesOf(place, newest);
  for (const version of one.older) {
    const older = rpmLabel(one, version);
    if (standSideBySide(files, await filesOf(place, older)))
      return failure(
        `${newest} and ${older} have no file in common: both may be meant to be there`,
        `take away the one that is not wanted (\`rpm -e ${older}\`), or name ${one.name} in installonlypkgs= of /etc/dnf/dnf.conf`,
      );
  }
  // What a person changed is told from what is damaged by nothing: a person is asked.
  const args = ['-V', '--nodeps', '--noscripts', newest];
  const damage = firstDamage(await askRpm(place, args, [0, 1]));
  if (damage === null) return null;
  const older = one.older.map((version) => rpmLabel(one, version)).join(' ');
  return failure(
    `${damage} is not as ${newest} brings it`,
    `take away what is older (\`rpm -e ${older}\`), then install the newest again (\`dnf reinstall ${newest}\`)`,
  );
};

/** The first of these that a person must decide about; null: none. */
export const leftToPerson = async (
  place: RpmPlace,
  found: readonly Duplicate[],
): Promise<PackageFailure | null> => {
  for (const one of found) {
    const why = await whyToPerson(place, one);
    if (why !== null) return why;
  }
  return null;
};
