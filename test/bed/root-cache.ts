import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Distribution } from './apt-sources.ts';
import { bedCommands } from './command.ts';
import { exists } from './exists.ts';
import { withFileLock } from './file-lock.ts';
import { unmountBelow } from './mounts.ts';
import { killAll, markedProcesses } from './processes.ts';

/** Raise it when the way in which a root is built changes: it is part of the cache's key. */
const RECIPE_VERSION = 3;

/**
 * What a host needs besides the minimal base, of which apt is no part on Ubuntu; systemd-sysv only for
 * hosts that boot with it.
 */
const PACKAGES = [
  ...['lxc', 'iproute2', 'procps', 'unattended-upgrades', 'needrestart', 'lsof', 'tini', 'rsync'],
  ...['ca-certificates', 'python3', 'gpgv', 'init-system-helpers', 'systemd-sysv', 'dbus'],
  ...['redis-server', 'util-linux', 'apt', 'libfaketime'],
];

/** Where the packed root of this distribution, with `more` packages in it, is kept; it need not be there yet. */
export const rootTarPath = (
  cacheDirectory: string,
  distribution: Distribution,
  more: readonly string[] = [],
): string => {
  const recipe = JSON.stringify([
    RECIPE_VERSION,
    distribution.id,
    distribution.codename,
    distribution.components,
    [...PACKAGES, ...more],
    process.arch,
  ]);
  const key = createHash('sha256').update(recipe).digest('hex').slice(0, 16);
  return join(cacheDirectory, `root-${distribution.codename}-${key}.tar`);
};

const flushToDisk = async (path: string): Promise<void> => {
  const file = await open(path, 'r+');
  await file.sync().finally(() => file.close());
};

/** What a build is called until it is whole: `<tar>.build`. */
export const BUILD_SUFFIX = '.build';

/** Takes away what an interrupted build left: its processes, its mounts, its files. */
export const removeBuild = async (build: string): Promise<void> => {
  await killAll(() => markedProcesses(build), 10_000, `an older build in ${build}`);
  await unmountBelow(bedCommands(build), build);
  await rm(build, { recursive: true, force: true });
};

const buildRoot = async (
  tar: string,
  distribution: Distribution,
  packages: readonly string[],
): Promise<void> => {
  const build = `${tar}${BUILD_SUFFIX}`;
  const { must } = bedCommands(build);
  await removeBuild(build);
  await mkdir(build);
  try {
    const root = join(build, 'root');
    await must([
      // Half the time of debootstrap, with apt's own downloads; it leaves no package lists behind.
      'mmdebstrap',
      '--variant=minbase',
      `--components=${distribution.components.join(',')}`,
      `--include=${packages.join(',')}`,
      distribution.codename,
      root,
      distribution.mirror,
    ]);
    const packed = join(build, 'root.tar');
    const leaveOut = ['./var/cache/apt/archives/*.deb', './dev/*', './proc/*', './sys/*'];
    await must([
      'tar',
      ...['-C', root, '--numeric-owner', ...leaveOut.map((path) => `--exclude=${path}`)],
      ...['-cf', packed, '.'],
    ]);
    await flushToDisk(packed);
    await rename(packed, tar);
  } finally {
    await removeBuild(build);
  }
};

/**
 * The packed root that every host is unpacked from; the first time it is built with mmdebstrap
 * (about 30 s, 340 MB in `cacheDirectory`). Runs at the same time build it once: the others wait.
 */
export const ensureRootTar = async (
  cacheDirectory: string,
  distribution: Distribution,
  report: (line: string) => void,
  more: readonly string[] = [],
): Promise<string> => {
  const tar = rootTarPath(cacheDirectory, distribution, more);
  if (await exists(tar)) return tar;
  await mkdir(cacheDirectory, { recursive: true });
  await withFileLock(`${tar}.lock`, async () => {
    if (await exists(tar)) return;
    report(`building a ${distribution.codename} root for the hosts (up to a minute, once)`);
    await buildRoot(tar, distribution, [...PACKAGES, ...more]);
  });
  return tar;
};
