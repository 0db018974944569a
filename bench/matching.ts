import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { formatTable } from '../src/cli/print.ts';
import type { Advisory } from '../src/core/advisories/advisory.ts';
import { createFleet } from '../src/core/advisories/fleet.ts';
import type { Inventory, InventoryPackage } from '../src/core/advisories/inventory.ts';
import { compareDebVersions } from '../src/core/versions/compare-deb-versions.ts';
import { defaultFleetSettings, emptyFleet, newHost } from '../src/core/coordinator/fleet.ts';
import { fleetStep } from '../src/core/coordinator/step.ts';
import type { FleetEvent } from '../src/core/coordinator/step.ts';
import { debianLists } from '../src/producers/advisories/debian-lists/source.ts';
import type { FeedFile } from '../src/producers/advisories/feed-file.ts';
import { advisoryHash } from '../src/producers/take-feed.ts';
import { keepAdvisories } from '../src/store/advisories.ts';
import { saveFleet } from '../src/store/fleet-rows.ts';
import { inventoryDocument, saveInventory } from '../src/store/inventories.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/open-store.ts';
import { pendingAdvisories } from '../src/workers/control/advisory-views.ts';
import { Image, inventoriesIn } from '../src/workers/control/inventories-in.ts';
import type { ReportedInventory } from '../src/workers/control/inventories-in.ts';
import { startMatcher } from '../src/workers/control/matcher.ts';
import { digits, median } from './figures.ts';
import { projectDirectory } from './project-directory.ts';

const hosts = 10_000;
const images = 200;
const packagesEach = 500;
const release = '10';

/** Of the same seed the same numbers, from 0 to below 1 (mulberry32). */
const randomFrom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const listFiles = async function* (): AsyncGenerator<FeedFile> {
  for (const name of ['DSA-list.txt.gz', 'DLA-list.txt.gz']) {
    const content = gunzipSync(
      readFileSync(join(projectDirectory(), 'test/fixtures/feeds/debian', name)),
    );
    // eslint-disable-next-line @typescript-eslint/require-await
    const read = async function* (): AsyncGenerator<Uint8Array> {
      yield content;
    };
    yield await Promise.resolve({ name, read, readRaw: read });
  }
};

const advisories: Advisory[] = [];
for await (const record of debianLists.parse(listFiles()))
  if (record.kind === 'advisory') advisories.push(record.advisory);

/** Packages that the advisories name, in versions that they name, and as many that none does. */
const versions = new Map<string, string[]>();
for (const { affected } of advisories)
  for (const { release: of, name, fixed } of affected)
    if (of === release && fixed !== null)
      versions.set(name, [...(versions.get(name) ?? []), fixed]);
const named = [...versions];
const newestOf = new Map(
  named.map(([name, fixes]) => [name, fixes.toSorted(compareDebVersions).at(-1)]),
);

const imageOf = (number: number): Inventory => {
  const random = randomFrom(number);
  const packages = Array.from({ length: packagesEach }, (_, index) => {
    const [source = '', fixes = []] =
      index % 2 === 0 ? (named[Math.floor(random() * named.length)] ?? []) : [];
    const version = fixes[Math.floor(random() * fixes.length)] ?? `1.${index}-1`;
    const name = source === '' ? `package-${index}` : `lib${source}-${index % 5}`;
    return {
      name,
      arch: 'amd64',
      version,
      source: source === '' ? name : source,
      sourceVersion: version,
    };
  });
  return { platform: `debian-${release}`, packages };
};

const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1_048_576;
};

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/**
 * How long nothing else had its turn, from one call to the next: as the clock has it, and in time of the processor, which a machine
 * that is busy with other work does not lengthen.
 */
const holds = () => {
  let [last, lastCpu] = [performance.now(), cpuMs()];
  let longest = [0, 0];
  const timer = setInterval(() => {
    const [now, nowCpu] = [performance.now(), cpuMs()];
    const [wall = 0, processor = 0] = longest;
    longest = [Math.max(wall, now - last - 5), Math.max(processor, nowCpu - lastCpu)];
    [last, lastCpu] = [now, nowCpu];
  }, 5);
  return {
    take: async (): Promise<string> => {
      await setTimeout(20);
      const [wall = 0, processor = 0] = longest;
      longest = [0, 0];
      return `${digits(wall, 0)} ms, ${digits(processor, 0)} of the processor`;
    },
    stop: () => {
      clearInterval(timer);
    },
  };
};

const directory = await mkdtemp(join(tmpdir(), 'gs-bench-matching-'));
const store = await openStore(join(directory, 'store.sqlite'));
const clock = holds();
const results: string[][] = [];
const ms = (since: number): string => `${digits(performance.now() - since, 0)} ms`;

const hashed = advisories.map((advisory) => ({ advisory, hash: advisoryHash(advisory) }));
for (let from = 0; from < hashed.length; from += 200)
  await keepAdvisories(store.db, 'debian-lists', hashed.slice(from, from + 200), 1);

/** As a host reports what it has: what the lists name is offered in its newest version. */
const report = (host: string, image: number, more: InventoryPackage[] = []): ReportedInventory => {
  const has = imageOf(image);
  const inventory = { ...has, packages: [...has.packages, ...more] };
  const offers = has.packages.flatMap((one) => {
    const newest = newestOf.get(one.source ?? '');
    return newest === undefined ? [] : [{ ...one, version: newest, sourceVersion: newest }];
  });
  const message = { kind: 'host-inventory' as const, transaction: 1, inventory, offers };
  const rest = { refreshedAt: null, refreshProblem: null, securitySuites: [] };
  const [one] = inventoriesIn(
    [
      {
        host,
        incarnation: 'a',
        seq: 1,
        acked: 0,
        echo: [1, 1, 1],
        report: { ...message, ...rest },
      },
    ],
    1,
  );
  if (one === undefined) throw new Error('no inventory');
  return one;
};
const byImage = Array.from({ length: images }, (_, image) => report('', image));
await store.db.transaction().execute(async (transaction) => {
  for (let host = 0; host < hosts; host++) {
    const one = byImage[host % images];
    if (one === undefined) continue;
    const row = { ...one.row, hostId: `host-${host}` };
    await saveInventory(transaction, row, one.doc, one.names);
  }
});
byImage.length = 0;

/** A coordinator's memory of these hosts, with a person to approve what policy does not say. */
const coordinated = emptyFleet(defaultFleetSettings, 1, 1);
for (let number = 0; number < hosts; number++) {
  const host = newHost(`host-${number}`, '', null);
  Object.assign(host, { platform: `debian-${release}`, incarnation: 'a', known: true, heardAt: 1 });
  coordinated.hosts.set(host.id, host);
}
let ids = 0;
/** As the coordinator does it: decided, and written in one transaction. */
const step = async (event: FleetEvent): Promise<void> => {
  const { dirty } = fleetStep(coordinated, event, {
    ...{ now: 1, wall: { ms: 1, minuteOfDay: 0 }, newId: () => `id-${++ids}` },
  });
  await store.db
    .transaction()
    .execute((transaction: Store['db']) => saveFleet(transaction, coordinated, dirty));
  await setImmediate();
};

/** What is told to the coordinator, and how many hosts that were. */
let told = 0;
let whenTold: (() => void) | null = null;
const toldOf = async (count: number): Promise<void> => {
  while (told < count)
    await new Promise<void>((resolve) => {
      whenTold = resolve;
    });
};

const emptyMb = heap();
await clock.take();
let began = performance.now();
const matcher = await startMatcher({
  ...{ store, wallNow: () => 1, exploitedFeeds: new Set<string>() },
  trackerFeeds: new Set<string>(),
  kinds: new Set(['security'] as const),
  tell: async (all) => {
    await step({ kind: 'needs', told: all });
    for (const one of all) told += one.hosts.length;
    whenTold?.();
  },
  onError: (error) => {
    throw error;
  },
});
await matcher.ready;
const start = ms(began);
const startHold = await clock.take();
const fleetMb = heap() - emptyMb;

/** The same fleet as the matcher has it, without the store: the time of matching alone. */
const fleet = createFleet(new Set(['security'] as const));
for (let host = 0; host < hosts; host++) {
  if (host < images) {
    const doc = await inventoryDocument(store.db, report('', host).row.hash);
    fleet.add(`image-${host}`, Image.parse(JSON.parse(doc ?? '')));
  }
  fleet.put(`host-${host}`, `image-${host % images}`);
}
/** By the clock, and in time of the processor. */
type Spent = [wall: number, processor: number];
const spent = (work: () => void): Spent => {
  const [begin, beginCpu] = [performance.now(), cpuMs()];
  work();
  return [performance.now() - begin, cpuMs() - beginCpu];
};
const medians = (all: readonly Spent[]): Spent => [
  median(all.map(([wall]) => wall)),
  median(all.map(([, processor]) => processor)),
];
const rounds = Array.from({ length: 5 });
const whole = rounds.map(() =>
  spent(() => {
    for (const one of advisories) fleet.match(one);
  }),
);
/** Of so many, the one that was interrupted most looks slowest: the first twenty are asked again. */
const often = Array.from({ length: 51 });
const [slowest = [0, 0]] = advisories
  .map((one) => ({ one, took: medians(rounds.map(() => spent(() => fleet.match(one)))) }))
  .sort((a, b) => b.took[1] - a.took[1])
  .slice(0, 20)
  .map(({ one }) => medians(often.map(() => spent(() => fleet.match(one)))))
  .sort(([, a], [, b]) => b - a);
const text = ([wall, processor]: Spent): string =>
  `${digits(wall)} ms, ${digits(processor)} of the processor`;
let findings = 0;
for (const { hosts: having, installed } of fleet.images())
  for (const { found } of installed)
    for (const each of found.values()) findings += each.length * having.size;

results.push(
  ['the whole list against all of them, median of 5', text(medians(whole)), '1000 ms'],
  ['the slowest of all advisories, median of 51', text(slowest), '5 ms'],
  [
    `the matcher with its fleet${globalThis.gc === undefined ? ' (run node with --expose-gc)' : ''}`,
    `${digits(fleetMb, 0)} MB`,
    '300 MB',
  ],
  ['its start: inventories, advisories, what all of them need, and a wave of it', start, ''],
  ['... longest hold of the thread', startHold, '100 ms'],
);

/** One advisory for a package that most images have: through the matcher, from the store to the coordinator. */
const [common] = named
  .map(
    ([name]) =>
      [
        name,
        advisories.filter(({ affected }) => affected.some((row) => row.name === name)).length,
      ] as const,
  )
  .reduce((most, one) => (one[1] > most[1] ? one : most));
const newest: Advisory = {
  ...(advisories[0] as Advisory),
  ...{ feed: 'debian-lists', id: 'DSA-99999-1', withdrawn: false },
  affected: [
    {
      ...{ distro: 'debian', release, channel: null, names: 'source', name: common, arch: null },
      ...{ module: null, status: 'fixed', fixed: '999:1', note: null, scheme: 'deb' },
    },
  ],
};
const contentHash = advisoryHash(newest);
await keepAdvisories(store.db, 'debian-lists', [{ advisory: newest, hash: contentHash }], 1);
const concerned = [...fleet.match(newest)].reduce((sum, image) => sum + image.hosts.size, 0);
await clock.take();
told = 0;
began = performance.now();
await matcher.take({ feed: 'debian-lists', advisoryId: newest.id, contentHash });
const takenIn = ms(began);
await toldOf(concerned);
results.push(
  [`one more, for ${concerned} hosts: taken from the store and marked there`, takenIn, ''],
  ['... until all of them are told (200 ms of it are waited)', ms(began), ''],
  ['... longest hold of the thread', await clock.take(), '100 ms'],
);

/** One host has upgraded a package to a version that no other has. */
const upgraded = report('host-0', 0, [
  { name: `lib${common}-9`, arch: 'amd64', version: '998:1', source: common },
]);
await saveInventory(store.db, upgraded.row, upgraded.doc, upgraded.names);
told = 0;
began = performance.now();
matcher.inventoriesChanged(['host-0']);
await toldOf(1);
results.push(
  ['one host reports what no other has, until it is told', ms(began), ''],
  ['... longest hold of the thread', await clock.take(), '100 ms'],
);

const sources = { store, matcher, fleet: coordinated, wallMs: 1 };
// The first one gives every host its first control record.
await step({ kind: 'tick' });
await clock.take();
began = performance.now();
await step({ kind: 'tick' });
results.push(
  [`a tick of the coordinator, ${coordinated.waves.size} waves of all hosts`, ms(began), ''],
  ['... longest hold of the thread', await clock.take(), '100 ms'],
);
began = performance.now();
const lines = (await pendingAdvisories(sources)).length;
results.push(
  [`the list of advisories that some host lacks: ${lines}`, ms(began), ''],
  ['... longest hold of the thread', await clock.take(), '100 ms'],
);
clock.stop();
await matcher.stop();
await store.close();
await rm(directory, { recursive: true });
process.stdout.write(
  `${hosts} hosts with ${packagesEach} packages each in ${images} images, ${advisories.length} advisories, ${findings} findings.\n${formatTable(
    ['what', 'measured', 'goal'],
    results,
  )}\nLoad of the machine: ${digits(loadavg()[0] ?? 0)}.\n`,
);
