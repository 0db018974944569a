import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Whose database the packages of a host stand in. */
export type PackageSystem = 'dpkg' | 'rpm';

/** Families of distributions, as `ID` and `ID_LIKE` of os-release(5) name them. */
const FAMILIES: Readonly<Record<string, PackageSystem>> = {
  debian: 'dpkg',
  ubuntu: 'dpkg',
  fedora: 'rpm',
  rhel: 'rpm',
  centos: 'rpm',
  amzn: 'rpm',
};

const readIfThere = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** os-release(5) of the host below `root`; empty where it has none. */
export const readOsRelease = (root: string): Record<string, string | undefined> =>
  parseEnv(
    readIfThere(join(root, 'etc/os-release')) || readIfThere(join(root, 'usr/lib/os-release')),
  );

/**
 * The package system of the host below `root`, by what its distribution is: either may be installed beside the
 * distribution's own, for building or looking into packages. Of one that names no family, the one that is there.
 */
export const packageSystemOf = (root: string): PackageSystem => {
  const { ID = '', ID_LIKE = '' } = readOsRelease(root);
  for (const name of [ID, ...ID_LIKE.split(/\s+/)]) {
    const family = FAMILIES[name];
    if (family !== undefined) return family;
  }
  if (existsSync(join(root, 'var/lib/dpkg/status'))) return 'dpkg';
  return existsSync(join(root, 'usr/bin/rpm')) ? 'rpm' : 'dpkg';
};
