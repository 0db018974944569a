import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Advisory } from '../../src/core/advisories/advisory.ts';
import { keepAdvisories } from '../../src/store/advisories.ts';
import { saveInventory } from '../../src/store/inventories.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { inventoriesIn } from '../../src/workers/control/inventories-in.ts';
import { startMatcher } from '../../src/workers/control/matcher.ts';
import type { HostNeeds, Matcher } from '../../src/workers/control/matcher.ts';

const hosts = 600;
const fix: Advisory = {
  ...{ feed: 'main', id: 'DSA-1-1', kind: 'security', title: '', cves: [], published: null },
  ...{ modified: null, withdrawn: false, severity: 'high', vendorSeverity: null },
  affected: [
    {
      ...{ distro: 'debian', release: '12', channel: null, names: 'source', name: 'openssl' },
      ...{ arch: null, module: null, status: 'fixed', fixed: '2', note: null, scheme: 'deb' },
    },
  ],
};

let directory: string;
let store: Store;
let matcher: Matcher | undefined;
/** What a coordinator has in memory: by host, how much it needs. */
let known: Map<string, number>;
let parts: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'groundswell-'));
  store = await openStore(join(directory, 'store.db'));
  known = new Map();
  parts = 0;
  const libssl = { name: 'libssl3', arch: 'amd64', source: 'openssl' };
  for (let n = 0; n < hosts; n += 1) {
    const [saved] = inventoriesIn(
      [
        {
          ...{ host: `h${n}`, incarnation: 'a', seq: 1, acked: 0, echo: [1, 1, 1] },
          report: {
            ...{ kind: 'host-inventory', transaction: 1, refreshedAt: null, refreshProblem: null },
            inventory: { platform: 'debian-12', packages: [{ ...libssl, version: '1' }] },
            ...{ offers: [{ ...libssl, version: '3' }], securitySuites: [] },
          },
        },
      ],
      1,
    );
    if (saved !== undefined) await saveInventory(store.db, saved.row, saved.doc, saved.names);
  }
});
afterEach(async () => {
  await matcher?.stop();
  await store.close();
  await rm(directory, { recursive: true });
});

/** Loses all that it knows before it has taken this part, as after a commit that failed; answers once all are told again. */
const start = async (losesAt: number): Promise<() => Promise<void>> => {
  let allKnown: (() => void) | undefined;
  const check = (): void => {
    if ([...known.values()].filter((n) => n > 0).length === hosts) allKnown?.();
  };
  matcher = await startMatcher({
    ...{ store, wallNow: () => 1, exploitedFeeds: new Set<string>() },
    trackerFeeds: new Set(['debian-tracker']),
    kinds: new Set(['security'] as const),
    tell: async (told: readonly HostNeeds[]) => {
      parts += 1;
      if (parts === losesAt) {
        known.clear();
        matcher?.tellAll();
      }
      await Promise.resolve();
      for (const one of told) for (const { id } of one.hosts) known.set(id, one.needs.length);
      check();
    },
    onError: (error) => {
      throw error;
    },
  });
  return () =>
    new Promise((resolve) => {
      allKnown = resolve;
      check();
    });
};

test('a coordinator that loses what hosts need between two parts of an image is told all of it again', async () => {
  const wholly = await start(5);
  await matcher?.ready;
  await keepAdvisories(store.db, 'main', [{ advisory: fix, hash: 'x' }], 1);
  await matcher?.take({ feed: 'main', advisoryId: fix.id, contentHash: 'x' });
  await wholly();
  expect(parts).toBeGreaterThan(6);
});

test('what waits to be matched is told with what was matched before it, not after it', async () => {
  const wholly = await start(Infinity);
  await matcher?.ready;
  const before = parts;
  const all = [fix, { ...fix, id: 'DSA-2-1' }];
  const take = async ({ id }: Advisory): Promise<void> =>
    matcher?.take({ feed: 'main', advisoryId: id, contentHash: id });
  const hashed = all.map((advisory) => ({ advisory, hash: advisory.id }));
  await keepAdvisories(store.db, 'main', hashed, 1);
  for (const one of all) {
    expect(parts).toBe(before);
    await take(one);
    // Longer than what comes together is gathered for.
    if (one === fix) await sleep(600);
  }
  await wholly();
  expect(parts).toBeGreaterThan(before);
});

test('one that loses it while all hosts are told for the first time is told all of it again', async () => {
  await keepAdvisories(store.db, 'main', [{ advisory: fix, hash: 'x' }], 1);
  const wholly = await start(2);
  await wholly();
  expect(parts).toBeGreaterThan(3);
});
