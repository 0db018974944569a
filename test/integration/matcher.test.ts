import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import type { Advisory } from '../../src/core/advisories/advisory.ts';
import type { Need } from '../../src/core/advisories/needs.ts';
import type { FleetEvent } from '../../src/core/coordinator/step.ts';
import { connectSender } from '../../src/jobs/connections.ts';
import { newSigningKey } from '../../src/jobs/signing-key.ts';
import { createQueueCache } from '../../src/jobs/queue-cache.ts';
import type { QueueCache } from '../../src/jobs/queue-cache.ts';
import { advisoriesQueue, queuePrefix } from '../../src/jobs/queue-names.ts';
import { advisoryHash } from '../../src/producers/take-feed.ts';
import { keepAdvisories, unmatchedAdvisories } from '../../src/store/advisories.ts';
import { saveInventory } from '../../src/store/inventories.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { followAdvisories } from '../../src/workers/control/follow-advisories.ts';
import type { FollowedAdvisories } from '../../src/workers/control/follow-advisories.ts';
import { inventoriesIn } from '../../src/workers/control/inventories-in.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

const advisory = (id: string, fixed: string, more: Partial<Advisory> = {}): Advisory => ({
  ...{ feed: 'main', id, kind: 'security', title: '', cves: [`CVE-2026-${id.slice(4, 8)}`] },
  ...{ published: null, modified: null, withdrawn: false, severity: 'high', vendorSeverity: null },
  affected: [
    {
      ...{ distro: 'debian', release: '12', channel: null, names: 'source', name: 'openssl' },
      ...{ arch: null, module: null, status: 'fixed', fixed, note: null, scheme: 'deb' },
    },
  ],
  ...more,
});

let directory: string;
let redis: TestRedis;
let sender: ReturnType<typeof connectSender>;
let queues: QueueCache;
let store: Store;
let following: FollowedAdvisories | null;
let told: { hosts: string[]; needs: readonly Need[] }[];
let refused: string[];
let wallMs: number;
const key = newSigningKey();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-matcher-'));
  redis = await startTestRedis({ own: true });
  store = await openStore(join(directory, 'store.sqlite'));
  const onError = (error: Error): void => {
    throw error;
  };
  // A connection that breaks while it is made is made again.
  sender = connectSender(redis.address, () => undefined);
  queues = createQueueCache(sender, { capacity: 5, onError });
  following = null;
  told = [];
  refused = [];
  wallMs = 1_000;
});
afterEach(async () => {
  await following?.stop();
  await queues.close();
  sender.disconnect();
  await store.close();
  await redis.stop();
  await rm(directory, { recursive: true });
});

const follow = async (
  kinds: ReadonlySet<Advisory['kind']> = new Set(['security']),
): Promise<FollowedAdvisories> => {
  following = await followAdvisories({
    ...{ store, address: redis.address, redis: sender, queues },
    keys: { active: key, other: null },
    coordinator: {
      submit: (event: FleetEvent) => {
        if (event.kind === 'needs')
          for (const { hosts, needs } of event.told)
            told.push({ hosts: hosts.map(({ id }) => id), needs });
        return Promise.resolve(null);
      },
    },
    exploitedFeeds: new Set(['kev']),
    trackerFeeds: new Set<string>(),
    kinds,
    ...{ serverNow: () => 1, wallNow: () => wallMs, monotonicMs: () => performance.now() },
    onRefused: (_, reason) => refused.push(reason),
    onError: (error) => {
      throw error;
    },
  });
  await following.matcher.ready;
  return following;
};

const keep = async (feed: string, ...advisories: Advisory[]): Promise<void> => {
  const hashed = advisories.map((one) => ({ advisory: { ...one, feed }, hash: advisoryHash(one) }));
  await keepAdvisories(store.db, feed, hashed, 1_000);
  following?.wake();
};

/** A host reports that it has a version of libssl3, and is offered another. */
const report = async (host: string, version: string, offered: string | null): Promise<void> => {
  const libssl = { name: 'libssl3', arch: 'amd64', source: 'openssl' };
  const [saved] = inventoriesIn(
    [
      {
        ...{ host, incarnation: 'a', seq: 1, acked: 0, echo: [1, 1, 1] },
        report: {
          ...{ kind: 'host-inventory', transaction: 1, refreshedAt: null, refreshProblem: null },
          inventory: { platform: 'debian-12', packages: [{ ...libssl, version }] },
          securitySuites: [],
          offers: offered === null ? [] : [{ ...libssl, version: offered }],
        },
      },
    ],
    1_000,
  );
  if (saved !== undefined) await saveInventory(store.db, saved.row, saved.doc, saved.names);
  following?.matcher.inventoriesChanged([host]);
};

const toldLast = (what: string, is: (last: (typeof told)[number]) => boolean) =>
  waitUntil(
    what,
    () => {
      const last = told.at(-1);
      return Promise.resolve(last !== undefined && is(last) ? last : null);
    },
    { deadlineMs: 10_000, everyMs: 20 },
  );

const day = 86_400_000;

/** What a host was last told to need. */
const toldOf = (id: string): Need | undefined =>
  told.findLast(({ hosts }) => hosts.includes(id))?.needs[0];

test('an advisory reaches the hosts that need it through the queue, and is taken once', async () => {
  await report('h1', '3.0.1', '3.0.2');
  await report('h2', '3.0.1', '3.0.2');
  await report('h3', '3.0.2', null);
  await follow();
  await keep('main', advisory('DSA-1001', '3.0.2'));
  const last = await toldLast('both are told', ({ needs }) => needs.length > 0);
  expect(last).toMatchObject({
    hosts: ['h1', 'h2'],
    needs: [{ name: 'libssl3', target: '3.0.2', offered: [{ feed: 'main', id: 'DSA-1001' }] }],
  });
  await waitUntil(
    'it is taken',
    async () => (await unmatchedAdvisories(store.db, 10)).length === 0,
    { deadlineMs: 10_000, everyMs: 20 },
  );
});

test('one that was taken back, and a fix that was installed, leave nothing to be needed', async () => {
  await report('h1', '3.0.1', '3.0.2');
  await follow();
  await keep('main', advisory('DSA-1001', '3.0.2'), advisory('DSA-1002', '3.0.2'));
  await toldLast('it needs it', ({ needs }) => needs[0]?.offered.length === 2);
  await keep('main', advisory('DSA-1002', '3.0.2', { withdrawn: true }));
  await toldLast('one less', ({ needs }) => needs[0]?.offered.length === 1);
  await report('h1', '3.0.2', null);
  await toldLast('nothing', ({ needs }) => needs.length === 0);
});

test('what was seen keeps its first day, over restarts and whatever hosts report after that', async () => {
  await report('h1', '3.0.1', '3.0.2');
  const first = await follow();
  await keep('main', advisory('DSA-1001', '3.0.2'));
  await toldLast('it needs it', ({ needs }) => needs.length > 0);
  await first.stop();
  told = [];
  wallMs += day;
  await follow();
  expect(told).toMatchObject([{ hosts: ['h1'], needs: [{ firstSeen: 1_000 }] }]);
  wallMs += day;
  await report('h1', '3.0.0', '3.0.2');
  await report('h2', '3.0.0', '3.0.3');
  await waitUntil(
    'both are told what they need by now',
    () => ['h1', 'h2'].every((id) => toldOf(id)?.installed === '3.0.0'),
    { deadlineMs: 10_000, everyMs: 20 },
  );
  expect(toldOf('h1')).toMatchObject({ target: '3.0.2', firstSeen: 1_000 });
  // Another version begins anew.
  expect(toldOf('h2')).toMatchObject({ target: '3.0.3', firstSeen: wallMs });
});

test('its day is the first on which a host was offered it, not that of the advisory which asks for it', async () => {
  await report('h1', '3.0.1', '3.0.2');
  const first = await follow();
  await first.stop();
  wallMs += day;
  await follow();
  await keep('main', advisory('DSA-1001', '3.0.2'));
  await toldLast('it needs it', ({ needs }) => needs.length > 0);
  expect(toldOf('h1')).toMatchObject({ target: '3.0.2', firstSeen: 1_000 });
});

test('a vulnerability that is exploited makes its advisory urgent, whichever comes first', async () => {
  await report('h1', '3.0.1', '3.0.2');
  await follow();
  await keep('main', advisory('DSA-1001', '3.0.2'));
  await toldLast('it needs it', ({ needs }) => needs[0]?.exploited === false);
  const entry = advisory('CVE-2026-1001', '1', { cves: ['CVE-2026-1001'], affected: [] });
  await keep('kev', entry);
  await toldLast('it is urgent', ({ needs }) => needs[0]?.exploited === true);
  await following?.stop();
  told = [];
  await follow();
  expect(told[0]?.needs[0]?.exploited).toBe(true);
});

test('a bug fix is needed only where some policy asks for those', async () => {
  await report('h1', '3.0.1', '3.0.2');
  const without = await follow();
  await keep('main', advisory('FIX-2001', '3.0.2', { kind: 'bugfix' }));
  await keep('main', advisory('DSA-1001', '3.0.2'));
  const last = await toldLast('the other one', ({ needs }) => needs.length > 0);
  expect(last.needs).toMatchObject([{ kind: 'security', offered: [{ id: 'DSA-1001' }] }]);
  await without.stop();
  await follow(new Set(['security', 'bugfix']));
  expect(told.at(-1)?.needs).toMatchObject([
    { kind: 'security', offered: [{ id: 'DSA-1001' }, { id: 'FIX-2001' }] },
  ]);
});

test('what one host of several that have the same tells anew reaches all of them', async () => {
  await report('h1', '3.0.1', '3.0.2');
  const { matcher } = await follow();
  const one = advisory('DSA-1001', '3.0.2');
  await keepAdvisories(store.db, 'main', [{ advisory: one, hash: advisoryHash(one) }], 1_000);
  // Before what it means is told, another host reports.
  const taken = matcher.take({
    ...{ feed: 'main', advisoryId: 'DSA-1001', contentHash: advisoryHash(one) },
  });
  await Promise.all([taken, report('h2', '3.0.1', '3.0.2')]);
  const last = await toldLast('both', ({ hosts }) => hosts.includes('h2'));
  expect(last).toMatchObject({ hosts: ['h1', 'h2'], needs: [{ name: 'libssl3' }] });
});

test('jobs that Redis lost are put in again; what nobody of ours signed is refused', async () => {
  await report('h1', '3.0.1', '3.0.2');
  await follow();
  const queue = new Queue(advisoriesQueue, {
    connection: sender,
    prefix: queuePrefix(advisoriesQueue),
  });
  try {
    await queue.add('advisory-published', {
      ...{ feed: 'main', advisoryId: 'DSA-1001', contentHash: 'a'.repeat(64) },
    });
    await waitUntil('it is refused', () => Promise.resolve(refused.length > 0), {
      deadlineMs: 10_000,
      everyMs: 20,
    });
    await queue.pause();
    await keep('main', advisory('DSA-1001', '3.0.2'));
    await waitUntil('its job waits', async () => (await queue.getWaitingCount()) > 0, {
      deadlineMs: 10_000,
      everyMs: 20,
    });
    await sender.flushall();
    await toldLast('it needs it', ({ needs }) => needs.length > 0);
  } finally {
    await queue.close();
  }
});
