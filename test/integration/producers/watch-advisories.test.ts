import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Advisory,
  AffectedRow,
  FeedProblem,
  ParsedRecord,
} from '../../../src/core/advisories/advisory.ts';
import { FeedError } from '../../../src/producers/advisories/feed-error.ts';
import { watchAdvisories } from '../../../src/producers/watch-advisories.ts';
import type {
  AdvisoryWatch,
  FetchedFeed,
  WatchedFeed,
} from '../../../src/producers/watch-advisories.ts';
import {
  advisoriesCalled,
  keepAdvisories,
  markMatched,
  unmatchedAdvisories,
} from '../../../src/store/advisories.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/open-store.ts';

const advisory = (id: string, more: Partial<Advisory> = {}): Advisory => ({
  ...{ feed: 'osv', id, kind: 'security', title: id, cves: [], affected: [] },
  ...{ published: null, modified: null, withdrawn: false, severity: 'low', vendorSeverity: null },
  ...more,
});

const ids = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, index) => `DSA-${from + index}-1`);

/** What a feed has in place of a record that is not as it should be. */
const bad = (record: string): FeedProblem => ({
  ...{ file: 'all.json', record, field: 'severity', reason: 'want a list' },
});

const row = (name: string): AffectedRow => ({
  ...{ distro: 'debian', release: '12', channel: null, names: 'source', name, arch: null },
  ...{ module: null, status: 'fixed', fixed: '1-2', note: null, scheme: 'deb' },
});

type Said = Advisory | FeedProblem | Error;

/** A feed that says what the test says, and whose polls can be awaited. */
const createFeed = () => {
  let settle: () => void = () => undefined;
  const feed = {
    content: [] as Said[],
    version: 'v1',
    complete: true,
    since: null as string | null,
    changed: 'all' as FetchedFeed['changed'],
    problems: [] as FetchedFeed['problems'],
    failure: null as Error | null,
    polls: 0,
    accepted: false,
    read: [] as ('all' | readonly string[])[],
    /** Until the poll after this one has begun, so that this one is over. */
    settled: () =>
      new Promise<void>((resolve) => {
        settle = resolve;
      }),
    watched: (): WatchedFeed => ({
      ...{ name: 'main', source: 'osv', place: '/feed', everyMs: 1, silentAfterMs: 1_000 },
      fetch: (_, evenIfMostIsGone) => {
        feed.polls += 1;
        feed.accepted = evenIfMostIsGone;
        settle();
        if (feed.failure !== null) return Promise.reject(feed.failure);
        const { version, since, changed, complete, problems } = feed;
        return Promise.resolve({ version, since, changed, complete, problems, stopped: null });
      },
      read: async function* (files) {
        await Promise.resolve();
        feed.read.push(files);
        for (const one of feed.content) {
          if (one instanceof Error) throw one;
          const record: ParsedRecord =
            'reason' in one
              ? { kind: 'problem', problem: one }
              : { kind: 'advisory', advisory: one };
          yield record;
        }
      },
    }),
  };
  return feed;
};

let directory: string;
let store: Store;
let watch: AdvisoryWatch | null;
let now: number;
let alerts: string[];
let feed: ReturnType<typeof createFeed>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-feeds-'));
  store = await openStore(join(directory, 'store.sqlite'));
  now = 1_000_000;
  alerts = [];
  feed = createFeed();
  watch = null;
});
afterEach(async () => {
  await watch?.stop();
  await store.close();
  await rm(directory, { recursive: true });
});

const start = async (feeds = [feed.watched()]): Promise<AdvisoryWatch> => {
  watch = await watchAdvisories({
    ...{ store, feeds, directory, wallNow: () => now, random: () => 0 },
    onChange: () => undefined,
    alert: (text) => alerts.push(text),
    onError: (error) => {
      throw error;
    },
  });
  return watch;
};

/** Ask once more, and wait until the answer was dealt with. */
const poll = async (): Promise<void> => {
  for (let times = 0; times < 2; times += 1) {
    const next = feed.settled();
    now += 1;
    watch?.poll('main');
    await next;
  }
};

const published = async (): Promise<string[]> => {
  const waiting = await unmatchedAdvisories(store.db, 1_000);
  for (const one of waiting) await markMatched(store.db, one, one.hash);
  return waiting.map(({ id }) => id).sort();
};

const say = (content: Said[], version: string): void => {
  feed.content = content;
  feed.version = version;
};

describe('a feed', () => {
  test('publishes what is new or changed, and nothing twice, also after a restart', async () => {
    say(
      ids(3).map((id) => advisory(id)),
      'v1',
    );
    const first = await start();
    await poll();
    expect(await published()).toEqual(['DSA-1-1', 'DSA-2-1', 'DSA-3-1']);
    say([advisory('DSA-1-1'), advisory('DSA-2-1', { title: 'more' }), advisory('DSA-3-1')], 'v2');
    await poll();
    expect(await published()).toEqual(['DSA-2-1']);
    await first.stop();
    await start();
    await poll();
    expect(await published()).toEqual([]);
    // The content is what was read before, so it is not even read.
    expect(feed.read).toHaveLength(2);
    expect(watch?.states()).toMatchObject([{ records: 3, changed: 1, withdrawn: 0, error: null }]);
  });

  test('says what it has no more, once, and takes it back when it returns', async () => {
    say(
      ids(3).map((id) => advisory(id)),
      'v1',
    );
    await start();
    await poll();
    await published();
    say(
      ids(2).map((id) => advisory(id)),
      'v2',
    );
    await poll();
    expect(await published()).toEqual(['DSA-3-1']);
    expect(watch?.states()).toMatchObject([{ records: 2, withdrawn: 1 }]);
    say(
      ids(3).map((id) => advisory(id)),
      'v3',
    );
    await poll();
    expect(await published()).toEqual(['DSA-3-1']);
  });

  test('of which a file cannot be read takes nothing back', async () => {
    say(
      ids(3).map((id) => advisory(id)),
      'v1',
    );
    await start();
    await poll();
    await published();
    say([advisory('DSA-1-1'), new FeedError('all.zip', 'it is cut off')], 'v2');
    await poll();
    expect(await published()).toEqual([]);
    expect(watch?.states()).toMatchObject([
      { records: 3, problemCount: 1, problems: [{ file: 'all.zip', reason: 'it is cut off' }] },
    ]);
  });

  test('of which records cannot be read any more does not take those back, and others only where it is sure', async () => {
    const all = ids(5).map((id) => advisory(id));
    say(all, 'v1');
    await start();
    await poll();
    await published();
    say([...all.slice(0, 2), bad('DSA-3-1'), bad('DSA-4-1 (line 7)')], 'v2');
    await poll();
    expect(await published()).toEqual(['DSA-5-1']);
    // Which one this is, nothing tells.
    say([...all.slice(0, 2), bad('advisory 3')], 'v3');
    await poll();
    expect(await published()).toEqual([]);
    expect(watch?.states()).toMatchObject([{ records: 4, problemCount: 1 }]);
  });

  test('of which part of a record cannot be read keeps what that said', async () => {
    const both = [row('curl'), row('openssl')];
    say([advisory('CVE-2026-1', { affected: both }), advisory('CVE-2026-2')], 'v1');
    await start();
    await poll();
    await published();
    const left = advisory('CVE-2026-1', { affected: [row('curl')], title: 'anew' });
    say([left, bad('openssl CVE-2026-1'), advisory('CVE-2026-2')], 'v2');
    await poll();
    expect(await published()).toEqual(['CVE-2026-1']);
    expect((await advisoriesCalled(store.db, 'CVE-2026-1'))[0]?.advisory).toMatchObject({
      ...{ title: 'anew', affected: both },
    });
    say([left, advisory('CVE-2026-2')], 'v3');
    await poll();
    expect((await advisoriesCalled(store.db, 'CVE-2026-1'))[0]?.advisory.affected).toEqual([
      row('curl'),
    ]);
  });

  test('that lost most of its records is held back, told of, and taken when a person says so', async () => {
    say(
      ids(40).map((id) => advisory(id)),
      'v1',
    );
    await start();
    await poll();
    await published();
    say(
      ids(3).map((id) => advisory(id)),
      'v2',
    );
    await poll();
    expect(await published()).toEqual([]);
    expect(watch?.states()).toMatchObject([{ records: 40, held: { had: 40, has: 3 } }]);
    expect(alerts).toEqual([expect.stringContaining('it had 40 advisories, and now has 3')]);
    const read = feed.read.length;
    await poll();
    expect(feed.read).toHaveLength(read);
    expect(await watch?.accept('main')).toBeNull();
    await poll();
    expect(await published()).toHaveLength(37);
    expect(watch?.states()).toMatchObject([{ records: 3, held: null, error: null }]);
    expect(await watch?.accept('main')).toBe('feed main holds nothing back');
  });

  test('that its fetcher does not even bring, since most is gone, is accepted there', async () => {
    say(
      ids(40).map((id) => advisory(id)),
      'v1',
    );
    await start();
    await poll();
    await published();
    const lost = { had: 40, has: 3 };
    const said = { file: 'list', record: '', field: '', reason: 'it has only 3 of 40', lost };
    feed.problems = [said];
    await poll();
    expect(watch?.states()).toMatchObject([{ records: 40, held: lost }]);
    expect(alerts).toEqual([expect.stringContaining('groundswell feeds accept main')]);
    expect(await watch?.accept('main')).toBeNull();
    const next = feed.settled();
    watch?.poll('main');
    await next;
    expect(feed.accepted).toBe(true);
    feed.problems = [];
    say(
      ids(3).map((id) => advisory(id)),
      'v2',
    );
    await poll();
    expect(watch?.states()).toMatchObject([{ records: 3, held: null, error: null }]);
    await poll();
    expect(feed.accepted).toBe(false);
  });

  test('of which one file is held back at its source takes what else came', async () => {
    say([advisory('DSA-1-1')], 'v1');
    await start();
    await poll();
    await published();
    const lost = { had: 40, has: 3 };
    feed.problems = [{ file: 'DLA/list', record: '', field: '', reason: 'it has only 3', lost }];
    say([advisory('DSA-1-1'), advisory('DSA-2-1')], 'v2');
    await poll();
    expect(await published()).toEqual(['DSA-2-1']);
    const [held] = watch?.states() ?? [];
    expect(held).toMatchObject({ records: 2, version: 'v2', held: lost });
    expect(held?.error).toContain('groundswell feeds accept main');
    now += 50;
    await poll();
    expect(watch?.states()[0]?.held?.since).toBe(held?.held?.since);
    expect(alerts).toHaveLength(1);
  });

  test('of which a record does not come is well, and shows that', async () => {
    const one = { file: 'records/a', record: 'records/a', field: '', reason: '404 Not Found' };
    feed.problems = [one];
    say([advisory('DSA-1-1'), bad('DSA-2-1')], 'v1');
    await start();
    for (let times = 0; times < 3; times += 1) {
      now += 600;
      await poll();
    }
    const shown = { problemCount: 2, problems: [bad('DSA-2-1'), { ...one, refused: true }] };
    expect(watch?.states()).toMatchObject([{ error: null, failures: 0, ...shown }]);
    expect(alerts).toEqual([]);
    // Nobody asked for it: the index is as it was.
    feed.problems = [];
    await poll();
    expect(watch?.states()).toMatchObject([shown]);
    say([advisory('DSA-1-1')], 'v2');
    await poll();
    expect(watch?.states()).toMatchObject([{ problemCount: 0, problems: [] }]);
  });

  test('of which some files were read again shows what could not be used of the others', async () => {
    const of = (file: string, record: string): FeedProblem => ({ ...bad(record), file });
    say([of('a.json', 'A-1'), of('a.json', 'A-2'), of('b/all.zip/1.json', 'B-1')], 'v1');
    await start();
    await poll();
    const partly = async (changed: string[], content: Said[], version: string): Promise<void> => {
      Object.assign(feed, { since: feed.version, changed });
      say(content, version);
      await poll();
    };
    await partly(['c.json'], [of('c.json', 'C-1')], 'v2');
    expect(watch?.states()[0]?.problems.map(({ record }) => record)).toEqual([
      ...['C-1', 'A-1', 'A-2', 'B-1'],
    ]);
    await partly(['a.json', 'b/all.zip'], [of('a.json', 'A-2')], 'v3');
    expect(watch?.states()).toMatchObject([
      { problemCount: 2, problems: [{ record: 'A-2' }, { record: 'C-1' }] },
    ]);
    Object.assign(feed, { changed: 'all' });
    say([], 'v4');
    await poll();
    expect(watch?.states()).toMatchObject([{ problemCount: 0, problems: [], problemFiles: {} }]);
  });

  test('whose content comes back is not held any more', async () => {
    const all = ids(40).map((id) => advisory(id));
    say(all, 'v1');
    await start();
    await poll();
    say([], 'v2');
    await poll();
    expect(watch?.states()[0]?.held).toMatchObject({ had: 40, has: 0 });
    say(all, 'v1');
    await poll();
    expect(watch?.states()).toMatchObject([{ records: 40, held: null, error: null }]);
  });

  test('publishes nothing that says the same at another time, and keeps that time', async () => {
    const at = (modified: string): Advisory => advisory('DSA-1-1', { modified });
    say([at('2026-02-01T00:00:00Z')], 'v1');
    await start();
    await poll();
    await published();
    say([at('2026-03-01T00:00:00Z')], 'v2');
    await poll();
    expect(await published()).toEqual([]);
    expect(watch?.states()).toMatchObject([{ changed: 1, older: 0 }]);
    expect((await advisoriesCalled(store.db, 'DSA-1-1'))[0]?.advisory.modified).toBe(
      '2026-03-01T00:00:00Z',
    );
    say([advisory('DSA-1-1', { modified: '2026-02-15T00:00:00Z', title: 'old' })], 'v3');
    await poll();
    expect(watch?.states()).toMatchObject([{ older: 1 }]);
  });

  test('publishes nothing anew because it was hashed otherwise before', async () => {
    const one = advisory('DSA-1-1', { feed: 'main' });
    await keepAdvisories(store.db, 'main', [{ advisory: one, hash: 'f'.repeat(64) }], 1);
    await markMatched(store.db, { feed: 'main', id: 'DSA-1-1' }, 'f'.repeat(64));
    say([one], 'v1');
    await start();
    await poll();
    expect(await published()).toEqual([]);
    say([{ ...one, title: 'more' }], 'v2');
    await poll();
    expect(await published()).toEqual(['DSA-1-1']);
  });

  test('does not go back in time', async () => {
    say([advisory('DSA-1-1', { modified: '2026-02-01T00:00:00Z', title: 'new' })], 'v1');
    await start();
    await poll();
    await published();
    say([advisory('DSA-1-1', { modified: '2026-01-01T00:00:00Z', title: 'old' })], 'v0');
    await poll();
    expect(await published()).toEqual([]);
    expect(watch?.states()).toMatchObject([{ older: 1 }]);
  });

  test('reads only the files that changed, where it knows since when', async () => {
    say([advisory('DSA-1-1')], 'v1');
    await start();
    await poll();
    say([advisory('DSA-2-1')], 'v2');
    feed.since = 'v1';
    feed.changed = ['DSA-2-1.json'];
    await poll();
    expect(feed.read).toEqual(['all', ['DSA-2-1.json']]);
    // The other one is not taken back: it was not looked for.
    expect(watch?.states()).toMatchObject([{ records: 2 }]);
    feed.since = 'v7';
    feed.version = 'v8';
    say([advisory('DSA-1-1'), advisory('DSA-2-1')], 'v8');
    await poll();
    expect(feed.read.at(-1)).toBe('all');
  });

  test('that fails says why, waits longer, and is told of when it stays silent', async () => {
    await start();
    await poll();
    feed.failure = Object.assign(new Error('503 Service Unavailable'), { retryAfterMs: 9_000 });
    await poll();
    expect(watch?.states()[0]).toMatchObject({ error: '503 Service Unavailable' });
    expect(watch?.states()[0]?.failures).toBeGreaterThan(0);
    expect(watch?.states()[0]?.nextPoll).toBeGreaterThanOrEqual(now + 8_000);
    now += 2_000;
    await poll();
    expect(alerts).toEqual([expect.stringMatching(/^feed main has been silent since .*: 503/)]);
  });

  test('with parts of one advisory in several places has them together', async () => {
    const row = (name: string): Advisory['affected'][number] => ({
      ...{ distro: 'debian', release: '12', channel: null, names: 'source', name, arch: null },
      ...{ module: null, status: 'fixed', fixed: '1', note: null, scheme: 'deb' },
    });
    const parts = ['a', 'b'].map((name) => advisory('DSA-1-1', { affected: [row(name)] }));
    say(parts, 'v1');
    await start();
    await poll();
    expect(await published()).toEqual(['DSA-1-1']);
    say(parts.toReversed(), 'v2');
    await poll();
    expect(await published()).toEqual([]);
  });

  test('that is not configured any more has taken back all that it said', async () => {
    say([advisory('DSA-1-1')], 'v1');
    const first = await start();
    await poll();
    await published();
    await first.stop();
    watch = await start([]);
    expect(await published()).toEqual(['DSA-1-1']);
    expect(watch.states()).toEqual([]);
  });

  test('leaves no scratch file behind', async () => {
    say([advisory('DSA-1-1')], 'v1');
    await start();
    await poll();
    expect((await readdir(directory)).filter((name) => name.includes('stage'))).toEqual([]);
  });
});
