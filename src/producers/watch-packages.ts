import { setTimeout as sleep } from 'node:timers/promises';
import { packageChanges, withChanges } from '../core/package-changes.ts';
import type { InstalledPackage, PackageChange } from '../core/packages.ts';
import type { PackageDatabase } from '../host/packages/package-manager.ts';
import { idleSince } from './packages/idle-time.ts';
import type { IdleTime } from './packages/idle-time.ts';
import { readSpool, removeSpoolFiles } from './packages/read-spool.ts';
import type { Spool } from './packages/read-spool.ts';
import { watchDirectory } from './packages/watch-directory.ts';

/** A package transaction that somebody else ran, after it was over. */
export interface OutsideTransaction {
  changes: PackageChange[];
  /** Of its first sign, where hooks told of it; wall clock. */
  startedAtMs: number | undefined;
  /** Of its last sign; wall clock. */
  endedAtMs: number;
  origin: 'outside';
}

export interface PackageWatchOptions {
  database: PackageDatabase;
  spoolDirectory: string;
  /** User id that hooks run as: 0. */
  spoolOwner: number;
  /** The inventory that was last told of, kept over restarts. */
  store: {
    load: () => Promise<InstalledPackage[] | null>;
    save: (inventory: InstalledPackage[]) => Promise<void>;
  };
  clocks: { monotonicMs: () => number; wallMs: () => number };
  /** R30: how long the manager must have been idle. */
  idleMs: number;
  /** How often spool and database are looked at when nothing tells of a change. */
  pollMs: number;
  /** How often they are looked at while a transaction is under way. */
  openPollMs: number;
  /** How often the whole inventory is compared, whatever the signs say. */
  compareMs: number;
  /** Begin suspended: an upgrade of our own is to be found again first. */
  suspended: boolean;
  /**
   * Told once per transaction that changed packages. It is told again if it throws, or if the
   * inventory could not be saved after it.
   */
  onTransaction: (transaction: OutsideTransaction) => Promise<void>;
  /** A transaction may be under way; told again whenever the reason is another one. */
  onOpen: (reason: string) => void;
  /** What looked like a transaction, perhaps to a former process, is over and has changed nothing. */
  onQuiet: () => void;
  onRefused: (refused: { path: string; reason: string }) => void;
  onError: (error: unknown) => void;
}

export interface PackageWatcher {
  /** From now on changes are our own upgrade's. */
  suspend: () => Promise<void>;
  /** The upgrade is over: what it changed is known, everything else is somebody else's. */
  resume: (ownChanges: readonly PackageChange[]) => Promise<void>;
  stop: () => Promise<void>;
}

/**
 * Tells of package transactions that others run on this host: apt, unattended-upgrades, `dpkg -i`, dnf, `rpm -U`.
 * Hooks only wake it; the comparison of the package database with the saved inventory decides
 * (a dry run fires every hook and changes nothing). R30: a transaction is over when the manager has
 * been idle and the database clean; however many steps it had, it is told once. What happened while
 * nobody watched is found at the start. Spool files go when the result has been saved.
 */
export const watchPackages = async (options: PackageWatchOptions): Promise<PackageWatcher> => {
  const { database, store, clocks } = options;
  let baseline = await store.load();
  let compared: { signature: string; atMs: number } | null = null;
  let idle: IdleTime | null = null;
  let openReason: string | null = null;
  let startedAtMs: number | undefined;
  let { suspended } = options;
  let wakeUp = new AbortController();
  const stopping = new AbortController();
  const directory = watchDirectory(options.spoolDirectory, () => {
    wakeUp.abort();
  });

  const readAll = async (): Promise<{ spool: Spool; signature: string }> => {
    const { spoolDirectory, spoolOwner } = options;
    const spool = await readSpool({ directory: spoolDirectory, owner: spoolOwner });
    for (const refused of spool.refused) options.onRefused(refused);
    return { spool, signature: database.signature() };
  };

  const open = (reason: string): void => {
    if (reason === openReason) return;
    openReason = reason;
    options.onOpen(reason);
  };

  /** Compares and tells; false: the database was written meanwhile. */
  const conclude = async (spool: Spool, signature: string, endedAtMs: number): Promise<boolean> => {
    const inventory = await database.inventory();
    if (database.signature() !== signature) return false;
    const changes = baseline === null ? [] : packageChanges(baseline, inventory);
    if (changes.length > 0)
      await options.onTransaction({ changes, startedAtMs, endedAtMs, origin: 'outside' });
    if (changes.length > 0 || baseline === null) await store.save(inventory);
    baseline = inventory;
    await removeSpoolFiles(spool.files);
    // A former process may have seen one begin that nobody has seen end.
    const mayHaveBeenOpen = openReason !== null || compared === null;
    compared = { signature, atMs: clocks.monotonicMs() };
    if (changes.length === 0 && mayHaveBeenOpen) options.onQuiet();
    openReason = null;
    idle = null;
    startedAtMs = undefined;
    return true;
  };

  /** One look; answers after how long the next one is due. */
  const look = async (): Promise<number> => {
    await directory.renew();
    if (suspended) return options.pollMs;
    const { spool, signature } = await readAll();
    const now = clocks.monotonicMs();
    const signs = spool.files.length > 0 || signature !== compared?.signature;
    if (!signs && compared !== null && now - compared.atMs < options.compareMs)
      return options.pollMs;
    const times = spool.files.map(({ mtimeMs }) => mtimeMs);
    const activityAtMs = Math.max(...times, await database.writtenAtMs());
    const rest = await database.atRest();
    const activity = [signature, ...spool.files.map(({ path }) => path)].join('\n');
    const known = { monotonicMs: now, wallMs: clocks.wallMs() };
    idle = idleSince(idle, { activity, activityAtMs, atRest: rest.atRest }, known);
    if (times.length > 0) startedAtMs = Math.min(...times, startedAtMs ?? Infinity);
    const remainingMs = options.idleMs - (now - idle.sinceMs);
    if (rest.atRest && remainingMs <= 0 && (await conclude(spool, signature, activityAtMs)))
      // It may have taken long, and the next one have begun meanwhile.
      return database.signature() === signature ? options.pollMs : 1;
    open(rest.atRest ? 'a package transaction has just ended' : rest.reason);
    return rest.atRest
      ? Math.max(1, Math.min(options.openPollMs, remainingMs))
      : options.openPollMs;
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      wakeUp = new AbortController();
      const waitMs = await looking(look);
      const signal = AbortSignal.any([wakeUp.signal, stopping.signal]);
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  };

  /** Looks, suspending and resuming take turns. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const looking = (work: () => Promise<number>): Promise<number> =>
    inTurn(work).catch((error: unknown) => {
      options.onError(error);
      return options.pollMs;
    });

  const running = loop();
  return {
    suspend: () =>
      inTurn(() => {
        suspended = true;
        return Promise.resolve();
      }),
    resume: (ownChanges) =>
      inTurn(async () => {
        const { spool, signature } = await readAll();
        const inventory = await database.inventory();
        if (baseline !== null) {
          baseline = withChanges(baseline, ownChanges, inventory);
          await store.save(baseline);
        }
        suspended = false;
        idle = null;
        // Nothing else happened: the hooks that our own apt called need not be waited for.
        const rest = packageChanges(baseline ?? [], inventory);
        if (baseline !== null && rest.length === 0 && (await database.atRest()).atRest)
          await conclude(spool, signature, clocks.wallMs());
        wakeUp.abort();
      }),
    stop: async () => {
      stopping.abort();
      await running;
      await turn;
      directory.close();
    },
  };
};
