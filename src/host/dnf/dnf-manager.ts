import { restReader } from '../packages/at-rest.ts';
import type { AtRestReader } from '../packages/at-rest.ts';
import { resumeUpgrade } from '../packages/finish-upgrade.ts';
import { createLockAsker } from '../packages/lock-asker.ts';
import type { ManagedHost } from '../packages/managed-host.ts';
import type { PackageDatabase, PackageManager } from '../packages/package-manager.ts';
import { workOf } from '../packages/work-in-progress.ts';
import type { DnfHost } from './dnf-host.ts';
import { dnfEndReader } from './end-reader.ts';
import { findDnf } from './find-dnf.ts';
import { pidFileHolders, rpmLockHolders, rpmLockPaths } from './locks.ts';
import { toInstalled } from './parse-rpm-packages.ts';
import { rpmReader } from './read-rpm-database.ts';
import type { RpmReader } from './read-rpm-database.ts';
import { dnfInventoryMark, readDnfInventory } from './read-inventory.ts';
import { readReleaseCore } from './read-release-core.ts';
import { refresh } from './refresh.ts';
import { rpmSignature, rpmWrittenAtMs } from './rpm-place.ts';
import type { RpmPlace } from './rpm-place.ts';
import { unsettledReason } from './unsettled.ts';
import { resume, upgrade } from './upgrade.ts';

/**
 * Whether rpm's database is at rest: neither rpm nor dnf holds a lock, and no package is left in two versions by a
 * transaction that was broken off.
 */
const rpmRestReader = (place: RpmPlace, read: RpmReader): AtRestReader =>
  restReader(
    {
      signature: () => rpmSignature(place),
      unsettled: async () => unsettledReason(place, await read(place)),
      lockPaths: () => rpmLockPaths(place),
      otherHolders: () => pidFileHolders(place),
    },
    createLockAsker(),
  );

/** The rpm database of a host. */
export const rpmDatabase = (place: RpmPlace, read = rpmReader()): PackageDatabase => ({
  signature: () => rpmSignature(place),
  writtenAtMs: () => Promise.resolve(rpmWrittenAtMs(place)),
  inventory: async () => toInstalled(await read(place)),
  atRest: () => rpmRestReader(place, read)(place.root),
});

/** dnf and rpm of this host. Where there is no dnf, what others do is seen all the same. */
export const dnfManager = (host: ManagedHost & { rpm: RpmPlace }): PackageManager => {
  const read = rpmReader();
  const readRest = rpmRestReader(host.rpm, read);
  let found: Promise<DnfHost> | null = null;
  const dnfHost = (): Promise<DnfHost> => {
    found ??= findDnf(host.environment)
      .then((dnf) => ({ ...host, ...dnf }))
      .catch((error: unknown) => {
        // It may be installed later.
        found = null;
        throw error;
      });
    return found;
  };
  return {
    database: rpmDatabase(host.rpm, read),
    atRest: () => readRest(host.rpm.root),
    atWork: () => {
      const [holder] = rpmLockHolders(host.rpm);
      return holder === undefined ? null : workOf(holder);
    },
    readInventory: async (platform) =>
      readDnfInventory(await read(host.rpm), await dnfHost().catch(() => null), platform),
    inventoryMark: () => dnfInventoryMark(host.rpm),
    readCore: async () => readReleaseCore(await dnfHost()),
    refresh: async (options) => refresh(await dnfHost(), options),
    upgrade: async (request) => upgrade(await dnfHost(), request),
    resume: async (id) => {
      const dnf = await dnfHost().catch(() => null);
      return dnf === null ? resumeUpgrade(host, id, dnfEndReader(host.rpm)) : resume(dnf, id);
    },
  };
};
