import { readAbilities } from '../../../host/gate/host-gate.ts';
import type { PackageFailure } from '../../../host/packages/failure.ts';
import { readRoom } from '../../../host/packages/room.ts';
import type { PackageManager, UpgradeResult } from '../../../host/packages/package-manager.ts';
import { errorText } from '../../../core/error-text.ts';
import type { HostUpgrade } from '../../../core/messages.ts';
import type { PackagesPort, UpgradeAnswer } from '../agent-host.ts';
import { readPlatform } from './host-facts.ts';

/** Mirrors can be slow; an upgrade that waits longer goes by the indexes that are there. */
const refreshTimeoutMs = 120_000;

/** What people are told of how it went. */
const reasonsOf = (result: UpgradeResult): string[] => {
  const { ok, healed, held } = result;
  return [
    ...(ok ? [] : [result.reason.message]),
    ...(healed === undefined
      ? []
      : [`the package manager was interrupted${ok ? ' and healed' : ' before'}: ${healed}`]),
    ...(ok && held.length > 0 ? [`held back: ${held.join(', ')}`] : []),
  ];
};

const answerOf = (result: UpgradeResult): UpgradeAnswer => ({
  ok: result.ok,
  reason: reasonsOf(result).join('; '),
  remedy: result.ok ? '' : result.reason.remedy,
  ...(result.ok ? {} : { code: result.reason.kind }),
  ...(result.ok || result.reason.missing === undefined
    ? {}
    : { missing: [...result.reason.missing] }),
  changes: result.changes,
  transcript: result.transcript ?? '',
});

/** An upgrade that was not begun, since the indexes could not be fetched; one that takes too long is a mirror that is away. */
const notRefreshed = ({ kind, message, remedy }: PackageFailure): UpgradeAnswer => ({
  ...{ ok: false, reason: message, remedy },
  code: kind === 'timeout' ? 'repository-unreachable' : kind,
  ...{ changes: [], transcript: '' },
});

/** Packages of this host, and what the host gate asks of it after a transaction (R29). */
export const createPackagesPort = (manager: PackageManager): PackagesPort => {
  /** Before the manager is started nothing on disk tells of one that a former life in this process began. */
  const atWork = new Map<string, Promise<UpgradeAnswer | null>>();

  const run = async (
    { mode, packages, proved, allowRemove }: HostUpgrade,
    jobId: string,
  ): Promise<UpgradeAnswer> => {
    const refreshed = await manager.refresh({ timeoutMs: refreshTimeoutMs });
    if (!refreshed.ok) return notRefreshed(refreshed.reason);
    return answerOf(
      await manager.upgrade(
        mode === 'security'
          ? { id: jobId, allowRemove, mode }
          : { id: jobId, allowRemove, mode, packages, ...(proved === undefined ? {} : { proved }) },
      ),
    );
  };

  return {
    atRest: async () => {
      try {
        const rest = await manager.atRest();
        return rest.atRest ? { ok: true, reason: '' } : { ok: false, reason: rest.reason };
      } catch (error) {
        return { ok: false, reason: `the package database cannot be read: ${errorText(error)}` };
      }
    },
    atWork: () => {
      try {
        return manager.atWork();
      } catch {
        return null;
      }
    },
    upgrade: (order, jobId) => {
      const done = run(order, jobId).finally(() => atWork.delete(jobId));
      atWork.set(jobId, done);
      return done;
    },
    findUpgrade: async (jobId) => {
      const found = atWork.get(jobId);
      if (found !== undefined) return found;
      // It may go on with what was interrupted: one at a time.
      const resuming = manager
        .resume(jobId)
        .then((resumed) => (resumed === null ? null : answerOf(resumed)))
        .finally(() => atWork.delete(jobId));
      atWork.set(jobId, resuming);
      return resuming;
    },
    room: () => readRoom(),
    abilities: readAbilities,
    inventoryMark: () => manager.inventoryMark(),
    inventory: async () => manager.readInventory(await readPlatform()),
    refresh: async () => {
      const refreshed = await manager.refresh({ timeoutMs: refreshTimeoutMs });
      return refreshed.ok ? null : refreshed.reason.message;
    },
  };
};
