import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../core/error-code.ts';
import type { InstalledPackage } from '../../core/packages.ts';
import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import { askRpm } from './read-rpm-database.ts';
import type { RpmPlace } from './rpm-place.ts';

/** What dnf itself takes for packages of which several versions may be installed, dnf.conf(5). */
const INSTALL_ONLY = [
  ...['kernel', 'kernel-PAE', 'installonlypkg(kernel)', 'installonlypkg(kernel-module)'],
  ...['installonlypkg(vm)', 'multiversion(kernel)'],
];

/** A package that is installed in more than one version. */
export interface Duplicate {
  name: string;
  arch: string;
  newest: string;
  /** All others, newest first. */
  older: string[];
}

/** The packages of which more than one version is installed. */
export const duplicates = (packages: readonly InstalledPackage[]): Duplicate[] => {
  const byLabel = new Map<string, InstalledPackage[]>();
  for (const one of packages) {
    const label = `${one.name}.${one.arch}`;
    byLabel.set(label, [...(byLabel.get(label) ?? []), one]);
  }
  return [...byLabel.values()].flatMap((some): Duplicate[] => {
    const [first, ...others] = some.sort((a, b) => compareRpmVersions(b.version, a.version));
    if (first === undefined || others.length === 0) return [];
    const { name, arch, version: newest } = first;
    return [{ name, arch, newest, older: others.map(({ version }) => version) }];
  });
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
 * What an upgrade that was broken off leaves: a package in two versions, since the old one goes last. Not those of which dnf
 * keeps several.
 */
export const readLeftOver = async (
  place: RpmPlace,
  packages: readonly InstalledPackage[],
): Promise<Duplicate[]> => {
  const found = duplicates(packages);
  if (found.length === 0) return [];
  const allowed = await readInstallOnly(place);
  return found.filter(({ name, arch }) => !allowed.has(`${name}.${arch}`));
};

/** What keeps rpm's database from being at rest; null: nothing. */
export const describeLeftOver = (found: readonly Duplicate[]): string | null => {
  const [first] = found;
  if (first === undefined) return null;
  const { name, arch, newest, older } = first;
  const versions = [newest, ...older];
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : '';
  return `a transaction was broken off: ${name}.${arch} is installed in ${versions.length} versions, ${versions.join(' and ')}${more}`;
};

/** The same of the database as it was listed. */
export const unsettledReason = async (
  place: RpmPlace,
  packages: readonly InstalledPackage[],
): Promise<string | null> => describeLeftOver(await readLeftOver(place, packages));
