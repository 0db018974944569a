import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { feedsText } from '../../../src/cli/feeds.ts';
import { Configuration } from '../../../src/config/schema.ts';
import type { FeedView } from '../../../src/core/advisories/advisory-views.ts';
import type { SecuritySuite } from '../../../src/core/advisories/security-suite.ts';
import { openFeeds } from '../../../src/main/feeds.ts';
import type { ConfiguredFeeds } from '../../../src/main/feeds.ts';
import { watchFeeds } from '../../../src/main/watch-feeds.ts';
import type { FeedsWatch } from '../../../src/main/watch-feeds.ts';
import { forgetInventory, saveInventory } from '../../../src/store/inventories.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/open-store.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { startFeedServer } from './fetch/feed-server.ts';
import type { FeedServer } from './fetch/feed-server.ts';
import { publishSuite } from './publish-suite.ts';
import { createSigningKey } from './signing-key.ts';
import type { SigningKey } from './signing-key.ts';

/** Still valid whenever this runs. */
const dates = () => ({
  Date: new Date(Date.now() - 60_000).toUTCString(),
  'Valid-Until': new Date(Date.now() + 86_400_000).toUTCString(),
});

let key: SigningKey;
let server: FeedServer;
let directory: string;
let store: Store;
let configured: ConfiguredFeeds | null;
let watch: FeedsWatch | null;
let alerts: string[];

beforeAll(() => {
  key = createSigningKey();
});
afterAll(() => key.remove());
beforeEach(async () => {
  server = await startFeedServer();
  directory = await mkdtemp(join(tmpdir(), 'gs-named-'));
  store = await openStore(join(directory, 'store.sqlite'));
  alerts = [];
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

const archive = (): string => `${server.url}/debian-security`;
const publish = (fields: Record<string, string> = {}): void => {
  const at = '/debian-security/dists/bookworm-security';
  publishSuite(server, key, at, { fields: { ...dates(), ...fields } });
};

const start = async (more: Record<string, unknown> = {}): Promise<FeedsWatch> => {
  const config = Configuration.parse({
    feeds: [
      { source: 'apt-security', keyrings: [key.keyring], mirrors: [`${server.url}/`], ...more },
    ],
  });
  configured = await openFeeds(config, join(directory, 'feeds'));
  watch = await watchFeeds({
    ...{ store, configured, directory: join(directory, 'feeds') },
    onChange: () => undefined,
    alert: (text) => alerts.push(text),
    onError: (error) => {
      throw error;
    },
  });
  return watch;
};

const suite = (more: Partial<SecuritySuite> = {}): SecuritySuite => ({
  ...{ url: archive(), suite: 'bookworm-security' },
  ...{ components: ['main'], architectures: ['amd64'], ...more },
});

/** A host reports, as the server keeps it. */
const names = async (
  hostId: string,
  suites: readonly SecuritySuite[],
  platform = 'debian-12',
): Promise<void> => {
  const row = { hostId, hash: 'x', transaction: 1, refreshedAt: null, refreshProblem: null };
  await saveInventory(store.db, { ...row, reportedAt: 1 }, '{}', { platform, suites });
  watch?.hostsChanged();
};

const feed = (views: readonly FeedView[], url: string): FeedView | undefined =>
  views.find(({ place }) => place.startsWith(url));
const hasFailed = (views: readonly FeedView[], url: string): boolean =>
  typeof feed(views, url)?.error === 'string';
const when = (what: string, is: (views: readonly FeedView[]) => boolean): Promise<FeedView[]> =>
  waitUntil(
    what,
    () => {
      const views = watch?.views() ?? [];
      return Promise.resolve(is(views) ? views : null);
    },
    { deadlineMs: 10_000, everyMs: 20 },
  );
const advisories = async (): Promise<string[]> => {
  const rows = await store.db
    .selectFrom('advisories')
    .select('doc')
    .where('withdrawn', '=', 0)
    .orderBy('feed')
    .orderBy('id')
    .execute();
  return rows.map(({ doc }) => (JSON.parse(doc) as { title: string }).title);
};
const text = (views: readonly FeedView[]): string => feedsText(views, true, Date.now());

describe('apt-security without an address', () => {
  test('waits until a host names a suite, then fetches it once for all that do', async () => {
    publish();
    const { views } = await start();
    expect(text(views())).toMatch(/apt-security +not fetched .*no host has named a suite/);
    await names('h1', [suite()]);
    await names('h2', [suite()]);
    const after = await when('it has come', (all) => feed(all, archive())?.records === 1);
    expect(after).toHaveLength(1);
    expect(after).toMatchObject([{ error: null, namedBy: 'named by h1 and 1 more' }]);
    expect(text(after)).toMatch(/^bookworm-security@127.0.0.1-[0-9a-f]{6} +ok /m);
    expect(await advisories()).toEqual(['foo 1.1']);
    expect(server.asked.filter((line) => line.includes('InRelease'))).toHaveLength(1);
  });

  test('asks no address on the word of a host alone', async () => {
    publish();
    await start({ mirrors: [] });
    await names('h1', [suite()]);
    const views = await when('it is shown', (all) => feed(all, archive()) !== undefined);
    expect(text(views)).toMatch(
      /not fetched .*named by h1; if that is right, add http:\/\/127.0.0.1:\d+\/debian-security to `mirrors`/,
    );
    await waitUntil('operators are told', () => Promise.resolve(alerts.length > 0), {
      ...{ deadlineMs: 10_000, everyMs: 20 },
    });
    expect(alerts).toEqual([
      '1 suite of security updates that hosts name is not fetched; see: groundswell feeds',
    ]);
    expect(server.asked).toEqual([]);
  });

  test('takes nothing from what one host names wrongly, and all from the others', async () => {
    publish();
    await start();
    await names('bad', [
      suite({ url: `${server.url}/nowhere` }),
      // Of the good one what it has not.
      suite({ components: ['junk'], architectures: ['m68k'] }),
    ]);
    await names('h1', [suite()]);
    const views = await when(
      'both have answered',
      (all) => feed(all, archive())?.records === 1 && hasFailed(all, `${server.url}/nowhere`),
    );
    expect(feed(views, archive())).toMatchObject({ error: null });
    expect(text(views)).toMatch(/failed .*it is not there \(404\).*named by bad/);
    expect(await advisories()).toEqual(['foo 1.1']);
  });

  test('believes no key but those of the server', async () => {
    const other = createSigningKey();
    try {
      const at = '/debian-security/dists/bookworm-security';
      publishSuite(server, other, at, { fields: dates() });
      await start();
      await names('h1', [suite()]);
      const views = await when('it has failed', (all) => hasFailed(all, archive()));
      expect(text(views)).toMatch(/no key of .* has signed it/);
      expect(await advisories()).toEqual([]);
    } finally {
      other.remove();
    }
  });

  test('says nothing about a platform of which no host names it', async () => {
    publish();
    await start();
    await names('u1', [suite()], 'ubuntu-22.04');
    const views = await when('it has come', (all) => feed(all, archive())?.problemCount === 1);
    expect(text(views)).toContain('it is for debian-12, and only hosts of ubuntu-22.04 name it');
    expect(await advisories()).toEqual([]);
    await names('h1', [suite()]);
    await when('a host of its own names it', (all) => feed(all, archive())?.records === 1);
    expect(await advisories()).toEqual(['foo 1.1']);
  });

  test('forgets what no host names any more, also what lay here', async () => {
    publish();
    await start();
    await names('h1', [suite()]);
    await when('it has come', (all) => feed(all, archive())?.records === 1);
    await forgetInventory(store.db, 'h1');
    watch?.hostsChanged();
    await when('it is gone', (all) => feed(all, archive()) === undefined);
    await waitUntil(
      'its mirror is gone',
      async () => (await readdir(join(directory, 'feeds'))).length === 0,
      { deadlineMs: 10_000, everyMs: 20 },
    );
    expect(await advisories()).toEqual([]);
  });
});
