import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Advisory } from '../../src/core/advisories/advisory.ts';
import { advisoryHash } from '../../src/producers/take-feed.ts';
import { keepAdvisories } from '../../src/store/advisories.ts';
import { saveInventory } from '../../src/store/inventories.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import {
  advisoryDetails,
  hostInventoryView,
  pendingAdvisories,
} from '../../src/workers/control/advisory-views.ts';
import type { ViewSources } from '../../src/workers/control/advisory-views.ts';
import { inventoriesIn } from '../../src/workers/control/inventories-in.ts';
import { startMatcher } from '../../src/workers/control/matcher.ts';
import { observed, scene, view } from '../core/coordinator/fleet-scene.ts';
import type { Scene } from '../core/coordinator/fleet-scene.ts';

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-views-'));
  unread = null;
  store = await openStore(join(directory, 'store.sqlite'));
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const fix = (feed: string, id: string, more: Partial<Advisory> = {}): Advisory => ({
  ...{ feed, id, kind: 'security', title: `${id} of ${feed}`, cves: ['CVE-2026-1'] },
  ...{ published: null, modified: null, withdrawn: false, severity: 'high', vendorSeverity: null },
  affected: [
    {
      ...{ distro: 'debian', release: '12', channel: null, names: 'source', name: 'openssl' },
      ...{ arch: null, module: null, status: 'fixed', fixed: '3.0.2', note: null, scheme: 'deb' },
    },
  ],
  ...more,
});

const libssl = { name: 'libssl3', arch: 'amd64', source: 'openssl' };

/** Hosts, each with a version of libssl3 and the one that it is offered. */
const hosts: [host: string, has: string, offered: string | null][] = [
  ['h1', '3.0.1', '3.0.2'],
  ['h2', '3.0.1', '3.0.2'],
  ['h3', '3.0.1', null],
  ['h4', '3.0.2', null],
];

/** Why the repositories of those that are offered nothing cannot be read; null: they can. */
let unread: string | null;

/** A server's memory of these hosts and advisories, and what it can say of them. */
const begin = async (...advisories: Advisory[]): Promise<{ here: Scene; sources: ViewSources }> => {
  const here = scene(
    [],
    {},
    hosts.map(([id]) => ({ id })),
  );
  for (const one of advisories)
    await keepAdvisories(store.db, one.feed, [{ advisory: one, hash: advisoryHash(one) }], 1);
  for (const [host, version, offered] of hosts) {
    here.report(host, observed([]));
    const [reported] = inventoriesIn(
      [
        {
          ...{ host, incarnation: 'a', seq: 1, acked: 0, echo: [1, 1, 1] },
          report: {
            ...{ kind: 'host-inventory', transaction: 1, refreshedAt: null },
            refreshProblem: offered === null ? unread : null,
            inventory: { platform: 'debian-12', packages: [{ ...libssl, version }] },
            offers: offered === null ? [] : [{ ...libssl, version: offered }],
            securitySuites: [],
          },
        },
      ],
      1,
    );
    if (reported !== undefined)
      await saveInventory(store.db, reported.row, reported.doc, reported.names);
  }
  const matcher = await startMatcher({
    ...{ store, wallNow: () => 1, exploitedFeeds: new Set<string>() },
    trackerFeeds: new Set(['debian-tracker']),
    kinds: new Set(['security'] as const),
    tell: (told) => {
      here.step({ kind: 'needs', told });
      return Promise.resolve();
    },
    onError: (error) => {
      throw error;
    },
  });
  await matcher.ready;
  return { here, sources: { store, matcher, fleet: here.fleet, wallMs: here.wall.ms } };
};

test('an advisory is one line, however many feeds have it, with what is decided about its hosts', async () => {
  const { here, sources } = await begin(
    fix('debian-lists', 'DSA-1-1'),
    fix('osv', 'DSA-1-1'),
    fix('debian-tracker', 'CVE-2026-1'),
  );
  const [wave] = here.fleet.waves.keys();
  const waits = 'published, not in the mirror of this host yet';
  expect(await pendingAdvisories(sources)).toMatchObject([
    {
      ...{ feed: 'debian-lists', id: 'DSA-1-1', packages: ['libssl3'], hosts: 3, notInMirror: 1 },
      decisions: [`in wave ${wave}`, waits],
    },
  ]);
  const [first, ...others] = await advisoryDetails(sources, 'CVE-2026-1');
  expect(others).toEqual([]);
  expect(
    first?.affected.map(({ host, state, target, wave: of, why }) => [host, state, target, of, why]),
  ).toEqual([
    ['h1', 'pending', '3.0.2', wave, `in wave ${wave}`],
    ['h2', 'pending', '3.0.2', wave, `in wave ${wave}`],
    ['h3', 'pending', null, null, waits],
    ['h4', 'applied', null, null, '3.0.2 (of source openssl) has the fix of 3.0.2'],
  ]);
});

test('hosts that are alike but for what was decided about them are told apart', async () => {
  const { here, sources } = await begin(fix('debian-lists', 'DSA-1-1'));
  const host = here.fleet.hosts.get('h2');
  const [wave] = here.fleet.waves.values();
  here.act({ action: 'decline', waveId: wave?.id ?? '' });
  if (host !== undefined) host.tried = [];
  const [line] = await pendingAdvisories(sources);
  expect(line?.decisions).toEqual([
    'a wave begins',
    'a wave for 3.0.2 is over without it: groundswell upgrade h1 libssl3',
    'published, not in the mirror of this host yet',
  ]);
});

test('that a mirror cannot be read is said where its lack of a fix is', async () => {
  unread = 'no key';
  const { sources } = await begin(fix('debian-lists', 'DSA-1-1'));
  const [line] = await pendingAdvisories(sources);
  expect(line?.decisions[1]).toBe(
    'published, not in the mirror of this host yet; its repositories cannot be read: no key',
  );
});

test('a host that takes no part is told apart from those that are alike', async () => {
  const { here, sources } = await begin(fix('debian-lists', 'DSA-1-1'));
  here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'x' });
  const [wave] = here.fleet.waves.keys();
  const [line] = await pendingAdvisories(sources);
  expect(line?.decisions).toEqual([
    'excluded: groundswell host add h2',
    `in wave ${wave}`,
    'published, not in the mirror of this host yet',
  ]);
});

test('what a host last reported is shown, and of no other', async () => {
  const { sources } = await begin();
  expect(await hostInventoryView(sources, 'h1')).toMatchObject({
    ...{ host: 'h1', inventory: { platform: 'debian-12', packages: [{ version: '3.0.1' }] } },
    offers: [{ version: '3.0.2' }],
  });
  expect(await hostInventoryView(sources, 'h9')).toBeNull();
});

test('containers of hosts that it concerns are counted, and those that run old code named', async () => {
  const { here, sources } = await begin(fix('debian-lists', 'DSA-1-1'));
  const [fresh, foreign] = [view('db', { stale: [] }), view('own-root', { onHostRoot: false })];
  here.report('h1', observed([view('web-2'), view('web-1'), fresh, foreign]));
  const [detail] = await advisoryDetails(sources, 'DSA-1-1');
  expect(detail?.containers).toEqual([
    { host: 'h1', count: 3, stale: ['web-1', 'web-2'] },
    ...['h2', 'h3', 'h4'].map((host) => ({ host, count: 0, stale: [] })),
  ]);
});
