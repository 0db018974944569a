import { createFleet } from '../../core/advisories/fleet.ts';
import type { FleetImage, Unit } from '../../core/advisories/fleet-units.ts';
import type { Advisory } from '../../core/advisories/advisory.ts';
import { mayBeDenied } from '../../core/advisories/denials.ts';
import type { Finding } from '../../core/advisories/match.ts';
import type { Need } from '../../core/advisories/needs.ts';
import { errorText } from '../../core/error-text.ts';
import type { AdvisoryPublished } from '../../jobs/advisory-published.ts';
import {
  advisoryInForm,
  markMatched,
  presentAdvisories,
  unmatchedAdvisories,
} from '../../store/advisories.ts';
import {
  forgetInventory,
  forgetUnusedInventories,
  hostInventories,
  inventoryDocument,
} from '../../store/inventories.ts';
import type { HostInventoryRow } from '../../store/inventories.ts';
import type { Store } from '../../store/open-store.ts';
import { imageNeeds } from '../../core/advisories/image-needs.ts';
import { createGathering } from './gather-images.ts';
import { Image } from './inventories-in.ts';
import { matchNew, matchTracker } from './match-stored.ts';
import { readOffersSeen } from './offers-seen.ts';
import { createPace } from './pace.ts';

export interface MatcherOptions {
  store: Store;
  wallNow: () => number;
  /** Feeds of which each advisory says that its CVEs are exploited. */
  exploitedFeeds: ReadonlySet<string>;
  /** Feeds that are Debian's tracker, by their names. */
  trackerFeeds: ReadonlySet<string>;
  /** Kinds of advisories that some policy asks for. */
  kinds: ReadonlySet<Advisory['kind']>;
  /** What hosts need now; told for all of them at the start, then on each change. Rejects where it is not taken. */
  tell: (told: readonly HostNeeds[]) => Promise<void>;
  onError: (error: unknown, what: string) => void;
}

/** So many hosts are told of in one transaction. */
const hostsAtOnce = 250;
/** What could not be matched is tried again after this time. */
const againMs = 5_000;

/** Hosts that need the same, of each up to which of its package transactions that is known, and why its repositories are not. */
export interface HostNeeds {
  hosts: readonly { id: string; transaction: number; unread: string | null }[];
  needs: readonly Need[];
}

export interface Matcher {
  /** What every host needs was told once; rejects where that could not be. Whatever is asked before waits for it. */
  ready: Promise<void>;
  /** Match an advisory against the fleet; what it means is told soon after. */
  take: (published: AdvisoryPublished) => Promise<void>;
  /** Hosts have reported their packages anew, and that is committed. */
  inventoriesChanged: (hostIds: readonly string[]) => void;
  removeHost: (hostId: string) => Promise<void>;
  /** Tell what every host needs anew. */
  tellAll: () => void;
  /** What the fleet has, image by image, for those who ask. */
  images: () => readonly FleetImage[];
  /** All that an advisory says of them. */
  findings: (advisory: Advisory) => Map<FleetImage, Finding[]>;
  isExploited: (cve: string) => boolean;
  inventoryOf: (hostId: string) => HostInventoryRow | null;
  /** Finish what was begun, and take no more. */
  stop: () => Promise<void>;
}

/**
 * Keeps what is missing of each distinct package of the fleet; a new advisory and a new inventory each change that, and
 * what it means for hosts is told. All of it can be computed again from the store, and is, at the start.
 */
export const startMatcher = async (options: MatcherOptions): Promise<Matcher> => {
  const { store, wallNow } = options;
  const rows = new Map<string, HostInventoryRow>();
  const fleet = createFleet(options.kinds, options.trackerFeeds);
  const exploited = new Map<string, readonly string[]>();
  let exploitedCves = new Set<string>();
  const seen = await readOffersSeen(store);
  /** Image → the needs last told to all of its hosts, as text. */
  const told = new WeakMap<FleetImage, string>();
  /** Raised when all is to be told anew: what is being told in that moment counts for nothing. */
  let generation = 0;
  let stopped = false;

  /** One thing at a time: what a sweep reads must not be overtaken by what a job brings. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const noteExploited = (advisory: Advisory): void => {
    if (advisory.withdrawn) exploited.delete(advisory.id);
    else exploited.set(advisory.id, advisory.cves);
  };
  const countExploited = (): void => {
    exploitedCves = new Set([...exploited.values()].flat());
  };

  /** What an image needs now. */
  const needsNow = async (image: FleetImage): Promise<Need[]> => {
    const { platform } = image;
    const now = wallNow();
    await seen.note(image, now);
    return imageNeeds(image, {
      isExploited: (cve) => exploitedCves.has(cve),
      firstSeen: (name, version) => seen.firstSeen({ platform, name, version }),
      now,
    });
  };

  /** Tell what images need, many hosts at once. `anew`: these hosts have just reported, and are told also what is the same. */
  const tellOf = async (
    images: Iterable<FleetImage>,
    anew: ReadonlySet<string> | null,
  ): Promise<void> => {
    const pace = createPace();
    const begunIn = generation;
    let waiting: { image: FleetImage; text: string; told: HostNeeds; isLast: boolean }[] = [];
    let count = 0;
    const flush = async (): Promise<void> => {
      if (waiting.length === 0) return;
      await options.tell(waiting.map((one) => one.told));
      for (const { image, text, isLast } of waiting)
        if (isLast && generation === begunIn) told.set(image, text);
      [waiting, count] = [[], 0];
    };
    for (const image of images) {
      const needs = await needsNow(image);
      const text = JSON.stringify(needs);
      await pace();
      const isSame = told.get(image) === text;
      if (anew === null && isSame) continue;
      const hosts = [...image.hosts].filter((id) => !isSame || (anew?.has(id) ?? true));
      for (let from = 0; from < hosts.length; from += hostsAtOnce) {
        const part = hosts.slice(from, from + hostsAtOnce);
        if (count + part.length > hostsAtOnce) await flush();
        const known = part.map((id) => {
          const row = rows.get(id);
          return { id, transaction: row?.transaction ?? 0, unread: row?.refreshProblem ?? null };
        });
        const isLast = from + hostsAtOnce >= hosts.length;
        waiting.push({ image, text, told: { hosts: known, needs }, isLast });
        count += part.length;
        await pace();
      }
    }
    await flush();
  };

  const gathering = createGathering({
    inTurn,
    isWhole: async () => (await unmatchedAdvisories(store.db, 1)).length === 0,
    tell: async (images) => {
      countExploited();
      await tellOf(
        images.filter(({ hosts }) => hosts.size > 0),
        null,
      );
    },
    onError: (error) => {
      options.onError(error, 'telling what hosts need');
    },
  });
  const tellSoon = gathering.add;

  const load = async (hash: string, host: string): Promise<Unit[]> => {
    if (fleet.image(hash) !== null) return [];
    const doc = await inventoryDocument(store.db, hash);
    if (doc === null) return [];
    try {
      return fleet.add(hash, Image.parse(JSON.parse(doc)));
    } catch (error) {
      options.onError(new Error(errorText(error)), `inventory of ${host}`);
      return [];
    }
  };

  const refreshHosts = async (hostIds: readonly string[] | 'all'): Promise<void> => {
    const pace = createPace();
    const concerned = await hostInventories(store.db, hostIds);
    const fresh = new Set<Unit>();
    const before = new Set(fleet.images());
    for (const { hash, hostId } of concerned) {
      for (const unit of await load(hash, hostId)) fresh.add(unit);
      await pace();
    }
    try {
      await matchNew(store, fleet, options.trackerFeeds, fresh);
    } catch (error) {
      // They are not matched, so they are read again when they are asked for again.
      fleet.forgetUnused();
      throw error;
    }
    for (const row of concerned) {
      rows.set(row.hostId, row);
      if (fleet.image(row.hash) === null) fleet.remove(row.hostId);
      else fleet.put(row.hostId, row.hash);
    }
    fleet.forgetUnused();
    const images = new Set(concerned.flatMap(({ hash }) => fleet.image(hash) ?? []));
    await tellOf(images, new Set(concerned.map(({ hostId }) => hostId)));
    if ([...before].some(({ key }) => fleet.image(key) === null))
      await forgetUnusedInventories(store.db);
  };

  const missed = new Set<string>();
  let looking: NodeJS.Timeout | undefined;
  const lookAgain = (hostIds: readonly string[]): void => {
    if (stopped) return;
    inTurn(() => refreshHosts(hostIds)).catch((error: unknown) => {
      options.onError(error, 'matching inventories');
      for (const id of hostIds) missed.add(id);
      if (stopped) return;
      looking ??= setTimeout(() => {
        looking = undefined;
        const ids = [...missed];
        missed.clear();
        lookAgain(ids);
      }, againMs);
    });
  };

  for (const feed of options.exploitedFeeds)
    for await (const group of presentAdvisories(store.db, feed))
      for (const { advisory } of group) noteExploited(advisory);
  countExploited();
  await forgetUnusedInventories(store.db);
  const ready = inTurn(() => refreshHosts('all'));
  // Whoever asks hears it; nobody need ask.
  ready.catch(() => undefined);

  return {
    ready,
    take: ({ feed, advisoryId: id, contentHash }) =>
      inTurn(async () => {
        if (stopped) throw new Error('the matcher is stopping');
        const stored = await advisoryInForm(store.db, { feed, id }, contentHash);
        // It says something else by now: that is another job.
        if (stored === null) return;
        const { advisory } = stored;
        if (options.exploitedFeeds.has(feed)) {
          noteExploited(advisory);
          tellSoon(fleet.images());
        } else {
          const concerned = fleet.match(advisory);
          tellSoon(concerned);
          if (concerned.size > 0 && mayBeDenied(advisory, options.trackerFeeds))
            tellSoon(await matchTracker(store, fleet, options.trackerFeeds, advisory.cves));
        }
        // What was not told yet when this process ends is computed again by the next.
        await markMatched(store.db, { feed, id }, contentHash);
      }),
    inventoriesChanged: (hostIds) => {
      lookAgain(hostIds);
    },
    tellAll: () => {
      generation += 1;
      for (const image of fleet.images()) told.delete(image);
      tellSoon(fleet.images());
    },
    removeHost: (hostId) =>
      inTurn(async () => {
        rows.delete(hostId);
        fleet.remove(hostId);
        await forgetInventory(store.db, hostId);
        await forgetUnusedInventories(store.db);
      }),
    images: () => [...fleet.images()].filter(({ hosts }) => hosts.size > 0),
    findings: fleet.findings,
    isExploited: (cve) => exploitedCves.has(cve),
    inventoryOf: (hostId) => rows.get(hostId) ?? null,
    stop: async () => {
      stopped = true;
      gathering.stop();
      clearTimeout(looking);
      await last;
    },
  };
};
