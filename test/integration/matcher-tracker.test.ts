import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Advisory, AffectedRow } from '../../src/core/advisories/advisory.ts';
import { advisoryHash } from '../../src/producers/take-feed.ts';
import { Configuration } from '../../src/config/schema.ts';
import { trackerFeedsOf } from '../../src/main/feeds.ts';
import { keepAdvisories } from '../../src/store/advisories.ts';
import { saveInventory } from '../../src/store/inventories.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { inventoriesIn } from '../../src/workers/control/inventories-in.ts';
import { startMatcher } from '../../src/workers/control/matcher.ts';
import type { Matcher } from '../../src/workers/control/matcher.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { advisory, row } from '../core/advisories/rows.ts';

const exploited = 'CVE-2021-30887';
const other = 'CVE-2021-30890';
const source = { release: '11', name: 'webkit2gtk' };
const dsa = advisory([row({ ...source, fixed: '2.34.3-1~deb11u1' })], {
  ...{ feed: 'debian-lists', id: 'DSA-5030-1', cves: [exploited, other] },
});
/** The tracker's word on a CVE. */
const says = (cve: string, more: Partial<AffectedRow>): Advisory =>
  advisory([row({ ...source, fixed: null, status: 'not-affected', ...more })], {
    ...{ feed: 'debian-tracker', id: cve, cves: [cve] },
  });
const never = (cve: string): Advisory => says(cve, {});
const affected = (cve: string): Advisory => says(cve, { status: 'affected' });

let directory: string;
let store: Store;
let matcher: Matcher | null;
/** The feeds, as they are configured. */
let trackers: object[];
/** By host, the CVEs of its one need; null: it needs nothing. */
let needed: Map<string, readonly string[] | null>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-tracker-'));
  store = await openStore(join(directory, 'store.sqlite'));
  matcher = null;
  trackers = [{ source: 'debian-tracker' }];
  needed = new Map();
});
afterEach(async () => {
  await matcher?.stop();
  await store.close();
  await rm(directory, { recursive: true });
});

const begin = async (): Promise<void> => {
  await matcher?.stop();
  needed.clear();
  matcher = await startMatcher({
    ...{ store, wallNow: () => 1, exploitedFeeds: new Set<string>() },
    trackerFeeds: trackerFeedsOf(Configuration.parse({ feeds: trackers })),
    kinds: new Set(['security'] as const),
    tell: (told) => {
      for (const { hosts, needs } of told)
        for (const { id } of hosts) needed.set(id, needs[0]?.cves ?? null);
      return Promise.resolve();
    },
    onError: (error) => {
      throw error;
    },
  });
  await matcher.ready;
};

const publish = async (...all: Advisory[]): Promise<void> => {
  for (const one of all) {
    const contentHash = advisoryHash(one);
    await keepAdvisories(store.db, one.feed, [{ advisory: one, hash: contentHash }], 1);
    await matcher?.take({ feed: one.feed, advisoryId: one.id, contentHash });
  }
};

const report = async (host: string, version = '2.32.0-1'): Promise<void> => {
  const webkit = { name: 'libwebkit2gtk-4.0-37', arch: 'amd64', source: 'webkit2gtk' };
  const [saved] = inventoriesIn(
    [
      {
        ...{ host, incarnation: 'a', seq: 1, acked: 0, echo: [1, 1, 1] },
        report: {
          ...{ kind: 'host-inventory', transaction: 1, refreshedAt: null, refreshProblem: null },
          inventory: { platform: 'debian-11', packages: [{ ...webkit, version }] },
          ...{ offers: [{ ...webkit, version: '2.34.3-1~deb11u1' }], securitySuites: [] },
        },
      },
    ],
    1,
  );
  if (saved !== undefined) await saveInventory(store.db, saved.row, saved.doc, saved.names);
  matcher?.inventoriesChanged([host]);
};

const needs = (host: string, cves: readonly string[] | null): Promise<boolean> =>
  waitUntil(
    `${host} needs ${cves?.join(' ') ?? 'nothing'}`,
    () =>
      Promise.resolve(
        needed.has(host) && JSON.stringify(needed.get(host)) === JSON.stringify(cves),
      ),
    { deadlineMs: 10_000, everyMs: 20 },
  );

test.each([
  ['the list', [dsa, never(exploited)]],
  ['the tracker', [never(exploited), dsa]],
])(
  'a CVE that never affected the release is none of its needs, where %s comes first',
  async (_, all) => {
    await report('h1');
    await begin();
    await publish(...all);
    await needs('h1', [other]);
    await publish(never(other));
    await needs('h1', null);
  },
);

test('a tracker that the configuration gives another name is known by it', async () => {
  trackers = [{ source: 'debian-tracker', name: 'security-tracker' }];
  await report('h1');
  await begin();
  await publish({ ...never(exploited), feed: 'security-tracker' }, dsa);
  await needs('h1', [other]);
  await publish({ ...never(other), feed: 'security-tracker' });
  await needs('h1', null);
});

test('a host is told what stands, not first what is denied', async () => {
  await report('h1');
  await begin();
  await publish(never(exploited), never(other));
  const told: unknown[] = [];
  needed.set = (host, cves) => {
    told.push(cves);
    return Map.prototype.set.call(needed, host, cves) as typeof needed;
  };
  await publish(dsa, { ...dsa, id: 'DSA-5030-2', cves: [other, 'CVE-2021-99999'] });
  await needs('h1', ['CVE-2021-99999']);
  expect(told).toEqual([['CVE-2021-99999']]);
});

test('what is denied is known again after a restart, and to hosts that come later', async () => {
  await begin();
  await publish(never(exploited), dsa);
  await report('h1');
  await needs('h1', [other]);
  await begin();
  await needs('h1', [other]);
  await report('h2', '2.32.0-2');
  await needs('h2', [other]);
});

test('the tracker may think better of it', async () => {
  await report('h1');
  await begin();
  await publish(dsa, never(exploited), never(other));
  await needs('h1', null);
  await publish(affected(exploited));
  await needs('h1', [exploited]);
  await publish({ ...never(other), withdrawn: true });
  await needs('h1', [exploited, other]);
});
