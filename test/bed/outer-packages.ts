import { chmod, rm, writeFile } from 'node:fs/promises';
import { bedCommands } from './command.ts';
import { exists } from './exists.ts';

/** Debian package, and a program of it that the bed calls. */
const NEEDED: readonly (readonly [string, string])[] = [
  ['lxc', '/usr/bin/lxc-start'],
  ['debootstrap', '/usr/sbin/debootstrap'],
  ['haproxy', '/usr/sbin/haproxy'],
  ['apt-utils', '/usr/bin/apt-ftparchive'],
  ['gnupg', '/usr/bin/gpg'],
  ['nftables', '/usr/sbin/nft'],
  ['iproute2', '/usr/bin/ip'],
  ['redis-server', '/usr/bin/redis-server'],
  ['gcc', '/usr/bin/gcc'],
  ['libc6-dev', '/usr/include/stdio.h'],
  ['xfsprogs', '/usr/sbin/mkfs.xfs'],
  ['btrfs-progs', '/usr/sbin/mkfs.btrfs'],
];

const POLICY = '/usr/sbin/policy-rc.d';

/** The packages that the bed needs on this machine and that are not installed. */
export const missingOuterPackages = async (): Promise<string[]> => {
  const missing: string[] = [];
  for (const [name, file] of NEEDED) if (!(await exists(file))) missing.push(name);
  return missing;
};

/**
 * Installs what is missing through apt, after reporting which. No service is started by it:
 * invoke-rc.d(8) asks policy-rc.d, which is put there for the time of the installation, unless the
 * machine has one of its own. Needs root.
 */
export const installOuterPackages = async (report: (line: string) => void): Promise<void> => {
  const missing = await missingOuterPackages();
  if (missing.length === 0) return;
  report(`installing with apt: ${missing.join(' ')}`);
  const { must } = bedCommands('outer-packages');
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const ownPolicy = !(await exists(POLICY));
  if (ownPolicy) {
    await writeFile(POLICY, '#!/bin/sh\nexit 101\n');
    await chmod(POLICY, 0o755);
  }
  try {
    const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing];
    const lockWait = ['-o', 'DPkg::Lock::Timeout=300'];
    await must(['apt-get', 'update', ...lockWait], { environment });
    await must([...install, ...lockWait], { environment });
  } finally {
    if (ownPolicy) await rm(POLICY, { force: true });
  }
};
