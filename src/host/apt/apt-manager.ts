import { createLockAsker } from '../packages/lock-asker.ts';
import { readLockHolders } from '../packages/lock-holders.ts';
import type { PackageDatabase, PackageManager } from '../packages/package-manager.ts';
import { workOf } from '../packages/work-in-progress.ts';
import type { PackageWork } from '../packages/work-in-progress.ts';
import type { AptHost } from './apt-host.ts';
import { DPKG_SCRIPT } from './heal.ts';
import { atRestReader, dpkgLockPaths, readAtRest } from './at-rest.ts';
import { presentPackages } from './parse-dpkg-status.ts';
import { dpkgSignature, readDpkgDatabase, statusMtimeMs } from './read-dpkg-database.ts';
import { aptInventoryMark, readAptInventory } from './read-inventory.ts';
import { readReleaseCore } from './read-release-core.ts';
import { refresh } from './refresh.ts';
import { scriptsAtWork } from '../packages/scripts-at-work.ts';
import { resume, upgrade } from './upgrade.ts';

/** The dpkg database below `root`. */
export const dpkgDatabase = (root: string): PackageDatabase => ({
  signature: () => dpkgSignature(root),
  writtenAtMs: () => statusMtimeMs(root),
  inventory: async () => presentPackages((await readDpkgDatabase(root)).packages),
  atRest: () => readAtRest(root),
});

const atWork = (host: AptHost): PackageWork | null => {
  const [holder] = [
    ...readLockHolders(dpkgLockPaths(host.root)),
    ...scriptsAtWork(host, DPKG_SCRIPT),
  ];
  return holder === undefined ? null : workOf(holder);
};

/** apt and dpkg of this host. */
export const aptManager = (host: AptHost): PackageManager => {
  const readRest = atRestReader(createLockAsker());
  return {
    database: dpkgDatabase(host.root),
    atRest: () => readRest(host.root),
    atWork: () => atWork(host),
    readInventory: (platform) => readAptInventory(host, platform),
    inventoryMark: () => aptInventoryMark(host.root),
    readCore: () => readReleaseCore(host),
    refresh: (options) => refresh(host, options),
    upgrade: (request) => upgrade(host, request),
    resume: (id) => resume(host, id),
  };
};
