import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Configuration } from '../../../src/config/schema.ts';
import type { FeedState } from '../../../src/core/advisories/feed-state.ts';
import { openFeeds } from '../../../src/main/feeds.ts';
import type { ConfiguredFeeds } from '../../../src/main/feeds.ts';
import { watchAdvisories } from '../../../src/producers/watch-advisories.ts';
import type { AdvisoryWatch } from '../../../src/producers/watch-advisories.ts';
import { advisoriesCalled, presentAdvisories } from '../../../src/store/advisories.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/open-store.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { startFeedServer } from './fetch/feed-server.ts';
import type { FeedServer } from './fetch/feed-server.ts';

let server: FeedServer;
let directory: string;
let store: Store;
let configured: ConfiguredFeeds | null;
let watch: AdvisoryWatch | null;
beforeEach(async () => {
  server = await startFeedServer();
  directory = await mkdtemp(join(tmpdir(), 'gs-fetched-'));
  store = await openStore(join(directory, 'store.sqlite'));
  configured = null;
  watch = null;
});
afterEach(async () => {
  await watch?.stop();
  await configured?.close();
  await store.close();
  await server.close();
  await rm(directory, { recursive: true });
});

let now = 1_000_000;
const state = (): FeedState | undefined => watch?.states()[0];

/** The feed is asked once more, and what it answered is dealt with. */
const poll = async (): Promise<void> => {
  now += 1_000;
  const asked = now;
  watch?.poll('main');
  await waitUntil(
    'the feed was polled',
    () => Promise.resolve((state()?.lastAttempt ?? 0) >= asked),
    { deadlineMs: 20_000, everyMs: 10 },
  );
};

/** A server that polls one feed, as it is configured. */
const start = async (source: string, path: string): Promise<void> => {
  const config = Configuration.parse({
    feeds: [{ source, name: 'main', url: `${server.url}${path}` }],
  });
  configured = await openFeeds(config, join(directory, 'feeds'));
  watch = await watchAdvisories({
    ...{ store, directory, feeds: configured.feedsFor([]).feeds },
    ...{ wallNow: () => now, random: () => 0, onChange: () => undefined, alert: () => undefined },
    onError: (error) => {
      throw error;
    },
  });
  await poll();
};

const present = async (): Promise<string[]> => {
  const ids: string[] = [];
  for await (const group of presentAdvisories(store.db, 'main'))
    ids.push(...group.map(({ advisory }) => advisory.id));
  return ids;
};

describe("Debian's lists", () => {
  const entry = (kind: string, number: number): string =>
    `[${number} Mar 2023] ${kind}-${number}-1 foo - security update\n\t{CVE-2023-${1000 + number}}\n\t[bookworm] - foo 1.${number}-1\n`;
  const publish = (kind: string, ...numbers: number[]): void => {
    server.publish(`/data/${kind}/list`, numbers.map((one) => entry(kind, one)).join(''));
  };

  test('of which both changed between two polls are both read', async () => {
    publish('DSA', 1);
    publish('DLA', 1);
    await start('debian-lists', '/data');
    expect(await present()).toEqual(['DLA-1-1', 'DSA-1-1']);
    publish('DSA', 2, 1);
    publish('DLA', 2, 1);
    await poll();
    expect(await present()).toEqual(['DLA-1-1', 'DLA-2-1', 'DSA-1-1', 'DSA-2-1']);
  });
});

test("a CVE that Debian's tracker has no more, as one that was given a number, is taken back", async () => {
  const publish = (...cves: string[]): void => {
    const issue = { releases: { bookworm: { status: 'open', urgency: 'high', repositories: {} } } };
    const issues = Object.fromEntries(cves.map((cve) => [cve, issue]));
    server.publish('/json', JSON.stringify({ foo: issues }));
  };
  publish('CVE-2026-1000', 'TEMP-1-ABCDEF');
  await start('debian-tracker', '/json');
  expect(await present()).toEqual(['CVE-2026-1000', 'TEMP-1-ABCDEF']);
  publish('CVE-2026-1000', 'CVE-2026-1001');
  await poll();
  expect(await present()).toEqual(['CVE-2026-1000', 'CVE-2026-1001']);
});

test("AlmaLinux's errata of which one release changed keep what the same id says of others", async () => {
  const publish = (release: number, fixed: string): void => {
    const package_ = { name: 'foo', epoch: '0', version: '1', arch: 'x86_64' };
    const erratum = {
      ...{ id: 'ALSA-2024:1818', title: 'foo', severity: 'Important', references: [] },
      ...{ issued_date: 1_770_000_000, updated_date: 1_770_000_000 + Number(fixed) },
      packages: [{ ...package_, release: `${fixed}.el${release}`, reboot_suggested: 0 }],
    };
    server.publish(`/${release}/errata.full.json`, JSON.stringify({ data: [erratum] }));
  };
  for (const release of [8, 9, 10]) publish(release, '1');
  await start('alma-errata', '/');
  publish(9, '2');
  await poll();
  const [kept] = await advisoriesCalled(store.db, 'ALSA-2024:1818');
  expect(kept?.advisory.affected.map(({ release, fixed }) => `${release} ${fixed}`).sort()).toEqual(
    ['10 1-1.el10', '8 1-1.el8', '9 1-2.el9'],
  );
});
