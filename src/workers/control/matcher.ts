import type { Advisory } from '../../core/advisories/advisory.ts';
import type { Need } from '../../core/advisories/needs.ts';
import { errorText } from '../../core/error-text.ts';
import type { AdvisoryPublished } from '../../jobs/advisory-published.ts';
import { advisoriesFor, advisoryInForm, markMatched } from '../../store/advisories.ts';
import {
  forgetInventory,
  forgetUnusedInventories,
  hostInventories,
  inventoryDocument,
} from '../../store/inventories.ts';
import type { HostInventoryRow } from '../../store/inventories.ts';
import type { Store } from '../../store/open-store.ts';
import { noteUpdates, updateKey, updatesSeen } from '../../store/updates-seen.ts';
import type { Update } from '../../store/updates-seen.ts';
import { computeNeeds, newImageNeeds, noteAdvisory } from './image-needs.ts';
import type { ImageNeeds } from './image-needs.ts';
import { Image } from './inventories-in.ts';

export interface MatcherOptions {
  store: Store;
  wallNow: () => number;
  /** Feeds of which each advisory says that its CVEs are exploited. */
  exploitedFeeds: ReadonlySet<string>;
  /** What hosts need now; told for all of them at the start, then on each change. Rejects where it is not taken. */
  tell: (hosts: readonly NeedyHost[], needs: readonly Need[]) => Promise<void>;
  onError: (error: unknown, what: string) => void;
}

/** What comes within this time is told together. */
const gatherMs = 200;

/** A host, and up to which of its package transactions its needs are known. */
export interface NeedyHost {
  id: string;
  transaction: number;
}

export interface Matcher {
  /** Match an advisory against the fleet; what it means is told soon after. */
  take: (published: AdvisoryPublished) => Promise<void>;
  /** Hosts have reported their packages anew, and that is committed. */
  inventoriesChanged: (hostIds: readonly string[]) => void;
  removeHost: (hostId: string) => Promise<void>;
  /** Tell what every host needs anew. */
  tellAll: () => void;
  /** What the fleet has, image by image, for those who ask. */
  images: () => readonly { needs: ImageNeeds; hosts: readonly string[] }[];
  isExploited: (cve: string) => boolean;
  imageOf: (hostId: string) => { needs: ImageNeeds; row: HostInventoryRow } | null;
  /** Finish what was begun, and take no more. */
  stop: () => Promise<void>;
}

/**
 * Keeps, for each distinct set of packages in the fleet, what is missing of it; a new advisory and a new inventory each change
 * that, and what it means is told. All of it can be computed again from the store, and is, at the start.
 */
export const startMatcher = async (options: MatcherOptions): Promise<Matcher> => {
  const { store, wallNow } = options;
  const rows = new Map<string, HostInventoryRow>();
  const images = new Map<string, ImageNeeds>();
  const exploited = new Map<string, readonly string[]>();
  let exploitedCves = new Set<string>();
  const seen = await updatesSeen(store.db);
  /** Image → the needs last told, as text. */
  const told = new Map<string, string>();
  let stopped = false;

  /** One thing at a time: what a sweep reads must not be overtaken by what a job brings. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const hostsOf = (hash: string): HostInventoryRow[] =>
    [...rows.values()].filter((row) => row.hash === hash);

  const noteExploited = (advisory: Advisory): void => {
    if (advisory.withdrawn) exploited.delete(advisory.id);
    else exploited.set(advisory.id, advisory.cves);
    exploitedCves = new Set([...exploited.values()].flat());
  };

  /** `anew`: these hosts have just reported, and are told also what is the same. */
  const tellOf = async (
    hash: string,
    hosts: readonly HostInventoryRow[],
    { anew }: { anew: boolean },
  ): Promise<void> => {
    const needs = images.get(hash);
    if (needs === undefined || hosts.length === 0) return;
    const { platform } = needs.image.inventory;
    const seenAt = (name: string, version: string): number | null =>
      seen.get(updateKey({ platform, name, version })) ?? null;
    const now = wallNow();
    const computed = computeNeeds(needs, {
      isExploited: (cve) => exploitedCves.has(cve),
      firstSeen: seenAt,
      now,
    });
    const fresh = computed.flatMap(({ name, target }): Update[] =>
      target === null || seenAt(name, target) !== null ? [] : [{ platform, name, version: target }],
    );
    await noteUpdates(store.db, fresh, now);
    for (const update of fresh) seen.set(updateKey(update), now);
    const text = JSON.stringify(computed);
    if (!anew && told.get(hash) === text) return;
    await options.tell(
      hosts.map(({ hostId, transaction }) => ({ id: hostId, transaction })),
      computed,
    );
    told.set(hash, text);
  };

  /** Images whose needs may have changed: a feed brings thousands of advisories at once, and each costs a commit. */
  const dirty = new Set<string>();
  let flushing: NodeJS.Timeout | undefined;
  const flush = async (): Promise<void> => {
    flushing = undefined;
    const hashes = [...dirty];
    dirty.clear();
    for (const hash of hashes) await tellOf(hash, hostsOf(hash), { anew: false });
  };
  const tellSoon = (hashes: Iterable<string>): void => {
    for (const hash of hashes) dirty.add(hash);
    if (dirty.size === 0 || stopped) return;
    flushing ??= setTimeout(() => {
      inTurn(flush).catch((error: unknown) => {
        options.onError(error, 'telling what hosts need');
      });
    }, gatherMs);
  };

  /** Match everything that is known against images that are new. */
  const sweep = async (fresh: readonly ImageNeeds[]): Promise<void> => {
    const distros = new Set(fresh.map(({ index }) => index.distro));
    for (const distro of distros) {
      const concerned = fresh.filter(({ index }) => index.distro === distro);
      for await (const group of advisoriesFor(store.db, distro))
        for (const { advisory } of group)
          for (const needs of concerned) noteAdvisory(needs, advisory);
    }
  };

  const load = async (hash: string): Promise<ImageNeeds | null> => {
    const known = images.get(hash);
    if (known !== undefined) return null;
    const doc = await inventoryDocument(store.db, hash);
    if (doc === null) return null;
    try {
      const needs = newImageNeeds(Image.parse(JSON.parse(doc)));
      images.set(hash, needs);
      return needs;
    } catch (error) {
      const [host] = hostsOf(hash);
      options.onError(new Error(errorText(error)), `inventory of ${host?.hostId ?? hash}`);
      return null;
    }
  };

  const loadAll = async (hashes: Iterable<string>): Promise<void> => {
    const fresh: ImageNeeds[] = [];
    for (const hash of new Set(hashes)) {
      const needs = await load(hash);
      if (needs !== null) fresh.push(needs);
    }
    if (fresh.length > 0) await sweep(fresh);
  };

  const forgetUnused = async (): Promise<void> => {
    const used = new Set([...rows.values()].map(({ hash }) => hash));
    for (const hash of images.keys())
      if (!used.has(hash)) {
        images.delete(hash);
        told.delete(hash);
      }
    await forgetUnusedInventories(store.db);
  };

  const refreshHosts = async (hostIds: readonly string[] | 'all'): Promise<void> => {
    const now = await hostInventories(store.db);
    const concerned = now.filter(({ hostId }) => hostIds === 'all' || hostIds.includes(hostId));
    for (const row of concerned) rows.set(row.hostId, row);
    await loadAll(concerned.map(({ hash }) => hash));
    for (const hash of new Set(concerned.map((row) => row.hash)))
      await tellOf(
        hash,
        concerned.filter((row) => row.hash === hash),
        { anew: true },
      );
    await forgetUnused();
  };

  for (const feed of options.exploitedFeeds)
    for await (const group of advisoriesFor(store.db, ''))
      for (const { advisory } of group) if (advisory.feed === feed) noteExploited(advisory);
  await inTurn(() => refreshHosts('all'));

  return {
    take: ({ feed, advisoryId: id, contentHash }) =>
      inTurn(async () => {
        if (stopped) throw new Error('the matcher is stopping');
        const stored = await advisoryInForm(store.db, { feed, id }, contentHash);
        // It says something else by now: that is another job.
        if (stored === null) return;
        const { advisory } = stored;
        if (options.exploitedFeeds.has(feed)) {
          noteExploited(advisory);
          tellSoon(images.keys());
        } else
          tellSoon(
            [...images].filter(([, needs]) => noteAdvisory(needs, advisory)).map(([hash]) => hash),
          );
        // What was not told yet when this process ends is computed again by the next.
        await markMatched(store.db, { feed, id }, contentHash);
      }),
    inventoriesChanged: (hostIds) => {
      if (stopped) return;
      inTurn(() => refreshHosts(hostIds)).catch((error: unknown) => {
        options.onError(error, 'matching inventories');
      });
    },
    tellAll: () => {
      told.clear();
      tellSoon(images.keys());
    },
    removeHost: (hostId) =>
      inTurn(async () => {
        rows.delete(hostId);
        await forgetInventory(store.db, hostId);
        await forgetUnused();
      }),
    images: () =>
      [...images].map(([hash, needs]) => ({
        needs,
        hosts: hostsOf(hash).map(({ hostId }) => hostId),
      })),
    isExploited: (cve) => exploitedCves.has(cve),
    imageOf: (hostId) => {
      const row = rows.get(hostId);
      const needs = row === undefined ? undefined : images.get(row.hash);
      return row === undefined || needs === undefined ? null : { needs, row };
    },
    stop: async () => {
      stopped = true;
      clearTimeout(flushing);
      await last;
    },
  };
};
