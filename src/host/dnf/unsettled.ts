import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../core/error-code.ts';
import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import { askRpm } from './read-rpm-database.ts';
import type { RpmPlace } from './rpm-place.ts';

/** What dnf itself takes for packages of which several versions may be installed, dnf.conf(5). */
const INSTALL_ONLY = [
  ...['kernel', 'kernel-PAE', 'installonlypkg(kernel)', 'installonlypkg(kernel-module)'],
  ...['installonlypkg(vm)', 'multiversion(kernel)'],
];

/** Versions of each package, by `name.arch`, of which more than one is installed; newest first. */
export const duplicates = (packages: readonly RpmPackage[]): Map<string, string[]> => {
  const versions = new Map<string, string[]>();
  for (const { name, arch, version } of packages)
    versions.set(`${name}.${arch}`, [...(versions.get(`${name}.${arch}`) ?? []), version]);
  return new Map(
    [...versions]
      .filter(([, some]) => some.length > 1)
      .map(([name, some]) => [name, some.sort((a, b) => compareRpmVersions(b, a))]),
  );
};

/** Words of `installonlypkgs` in dnf.conf(5), which adds to the usual ones. */
const configured = (root: string): string[] => {
  try {
    const text = readFileSync(join(root, 'etc/dnf/dnf.conf'), 'utf8');
    const value = /^\s*installonlypkgs\s*=(.*(?:\n[ \t]+.*)*)/m.exec(text)?.[1] ?? '';
    return value.split(/[\s,]+/).filter((word) => word !== '');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

/** `name.arch` of the installed packages of which dnf keeps several versions. */
export const readInstallOnly = async (place: RpmPlace): Promise<Set<string>> => {
  const wanted = [...INSTALL_ONLY, ...configured(place.root)];
  const args = ['-q', '--whatprovides', '--queryformat', '%{NAME}.%{ARCH}\\n', ...wanted];
  // As many as there are capabilities that nothing provides.
  const anyExit = Array.from({ length: wanted.length + 1 }, (_, code) => code);
  const lines = (await askRpm(place, args, anyExit)).split('\n');
  return new Set(lines.filter((line) => /^\S+$/.test(line)));
};

/**
 * What keeps rpm's database from being at rest: an upgrade that was broken off leaves a package in two versions,
 * since the old one goes last. Null: nothing.
 */
export const unsettledReason = async (
  place: RpmPlace,
  packages: readonly RpmPackage[],
): Promise<string | null> => {
  const found = duplicates(packages);
  if (found.size === 0) return null;
  const allowed = await readInstallOnly(place);
  const wrong = [...found].filter(([name]) => !allowed.has(name));
  const [first] = wrong;
  if (first === undefined) return null;
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : '';
  return `a transaction was broken off: ${first[0]} is installed in ${first[1].length} versions, ${first[1].join(' and ')}${more}`;
};
