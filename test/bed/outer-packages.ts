import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bedCommands } from './command.ts';
import { exists } from './exists.ts';
import { withFileLock } from './file-lock.ts';
import { BED_MARK } from './processes.ts';

/** Debian package, and a file of it that the bed or a test on this machine needs. */
type OuterPackages = readonly (readonly [string, string])[];

const NEEDED: OuterPackages = [
  ['lxc', '/usr/bin/lxc-start'],
  ['mmdebstrap', '/usr/bin/mmdebstrap'],
  ['haproxy', '/usr/sbin/haproxy'],
  ['apt-utils', '/usr/bin/apt-ftparchive'],
  ['gnupg', '/usr/bin/gpg'],
  ['gpgv', '/usr/bin/gpgv'],
  ['nftables', '/usr/sbin/nft'],
  ['iproute2', '/usr/bin/ip'],
  ['redis-server', '/usr/bin/redis-server'],
  ['gcc', '/usr/bin/gcc'],
  ['libc6-dev', '/usr/include/stdio.h'],
  ['e2fsprogs', '/usr/sbin/mkfs.ext4'],
  ['xfsprogs', '/usr/sbin/mkfs.xfs'],
  ['btrfs-progs', '/usr/sbin/mkfs.btrfs'],
  ['python3', '/usr/bin/python3'],
  // Signatures, for the second verifier of audit trails.
  ['openssl', '/usr/bin/openssl'],
  ['busybox-static', '/usr/bin/busybox'],
];

const POLICY = '/usr/sbin/policy-rc.d';
const LOCK = '/run/groundswell-bed/outer-packages.lock';

/** Marks of the two phases (processes.ts): the first may be killed at any time, the second never. */
export const FETCHING = 'outer-packages-fetching';
export const INSTALLING = 'outer-packages-installing';

/**
 * Says no to every service that our own installation would start, and yes to anybody else's, so that
 * it does no harm should it be left behind by a `kill -9`.
 */
const OWN_POLICY = [
  '#!/bin/sh',
  "# Groundswell's test bed installs packages and starts none of their services.",
  `[ "$${BED_MARK}" = ${INSTALLING} ] && exit 101`,
  'exit 0',
  '',
].join('\n');

/** The packages that the bed needs on this machine and that are not installed. */
export const missingOuterPackages = async (more: OuterPackages = []): Promise<string[]> => {
  const missing: string[] = [];
  for (const [name, file] of [...NEEDED, ...more]) if (!(await exists(file))) missing.push(name);
  return missing;
};

const ownPolicyIsThere = async (): Promise<boolean> =>
  (await readFile(POLICY, 'utf8').catch(() => null)) === OWN_POLICY;

/** Takes our policy-rc.d away; one of the machine's own stays. */
export const removeOwnPolicy = async (): Promise<void> => {
  if (await ownPolicyIsThere()) await rm(POLICY, { force: true });
};

const adviceOn = (error: unknown, missing: readonly string[]): Error => {
  const said = error instanceof Error ? error.message : String(error);
  return new Error(
    [
      `apt could not install ${missing.join(' ')}:`,
      ...said.split('\n').map((line) => `  ${line}`),
      'See to it that this works, then start again:',
      `  apt-get update && apt-get install --no-install-recommends ${missing.join(' ')}`,
    ].join('\n'),
    { cause: error },
  );
};

const install = async (missing: readonly string[]): Promise<void> => {
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const lockWait = ['-o', 'DPkg::Lock::Timeout=300'];
  const command = ['apt-get', 'install', '-y', '--no-install-recommends', ...lockWait, ...missing];
  const fetching = bedCommands(FETCHING);
  // An index that could not be fetched is no error for apt-get otherwise.
  const strict = ['-o', 'APT::Update::Error-Mode=any'];
  const update = await fetching.run(['apt-get', 'update', ...lockWait, ...strict], { environment });
  // A source of no importance here may be down: what counts is whether the packages can be had.
  const fetched = await fetching.run([...command, '--download-only'], { environment });
  if (fetched.exitCode !== 0)
    throw new Error((update.exitCode === 0 ? fetched : update).stderr.trim().slice(-2000));
  await bedCommands(INSTALLING).must(command, { environment });
};

/**
 * Installs what is missing through apt, after reporting which. No service is started by it:
 * invoke-rc.d(8) asks policy-rc.d, which is put there for the time of the installation, unless the
 * machine has one of its own. Throws with apt's own words and what to do. Needs root.
 */
export const installOuterPackages = async (
  report: (line: string) => void,
  more: OuterPackages = [],
): Promise<void> => {
  // With our policy there another process may be configuring what it has just unpacked.
  if ((await missingOuterPackages(more)).length === 0 && !(await ownPolicyIsThere())) return;
  await mkdir(dirname(LOCK), { recursive: true });
  await withFileLock(LOCK, async () => {
    const missing = await missingOuterPackages(more);
    if (missing.length === 0) return removeOwnPolicy();
    report(`Installing with apt: ${missing.join(' ')}`);
    if (await exists('/run/systemd/system'))
      report(
        '(none of their services is started; systemctl disable haproxy redis-server lxc lxc-net keeps it so after a reboot)',
      );
    await removeOwnPolicy();
    if (!(await exists(POLICY))) {
      await writeFile(POLICY, OWN_POLICY);
      await chmod(POLICY, 0o755);
    }
    try {
      await install(missing);
    } catch (error) {
      throw adviceOn(error, missing);
    } finally {
      await removeOwnPolicy();
    }
  });
};
