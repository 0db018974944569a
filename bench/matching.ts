import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { gunzipSync } from 'node:zlib';
import { formatTable } from '../src/cli/print.ts';
import type { Advisory } from '../src/core/advisories/advisory.ts';
import { createFleet } from '../src/core/advisories/fleet.ts';
import type { Inventory } from '../src/core/advisories/inventory.ts';
import { debianLists } from '../src/producers/advisories/debian-lists/source.ts';
import type { FeedFile } from '../src/producers/advisories/feed-file.ts';
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

const emptyMb = heap();
const fleet = createFleet();
const began = performance.now();
for (let host = 0; host < hosts; host++) fleet.put(`host-${host}`, imageOf(host % images));
const builtMs = performance.now() - began;
const fleetMb = heap() - emptyMb;

const whole: number[] = [];
let findings = 0;
for (let round = 0; round < 5; round++) {
  const begin = performance.now();
  findings = 0;
  for (const one of advisories)
    for (const found of fleet.match(one)) findings += found.findings.length * found.hosts.size;
  whole.push(performance.now() - begin);
}
const timeOf = (one: Advisory): number => {
  const begin = performance.now();
  fleet.match(one);
  return performance.now() - begin;
};
const single = advisories.map((one) => median(Array.from({ length: 5 }, () => timeOf(one))));
process.stdout.write(
  `${hosts} hosts with ${packagesEach} packages each in ${images} images, ${advisories.length} advisories, ${findings} findings.\n${formatTable(
    ['what', 'measured', 'goal'],
    [
      [
        'the whole list against all of them, median of 5',
        `${digits(median(whole), 0)} ms`,
        '1000 ms',
      ],
      [
        'the slowest of all advisories, median of 5',
        `${digits(Math.max(...single), 2)} ms`,
        '5 ms',
      ],
      [
        `the fleet in memory${globalThis.gc === undefined ? ' (run node with --expose-gc)' : ''}`,
        `${digits(fleetMb, 0)} MB`,
        '300 MB',
      ],
      ['taking in the inventories', `${digits(builtMs, 0)} ms`, ''],
    ],
  )}\nLoad of the machine: ${digits(loadavg()[0] ?? 0)}.\n`,
);
