import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchRockyErrata } from '../../../../src/producers/advisories/rocky-errata/fetch.ts';
import { rockyErrata } from '../../../../src/producers/advisories/rocky-errata/source.ts';
import { fetchUbuntuNotices } from '../../../../src/producers/advisories/ubuntu-notices/fetch.ts';
import { ubuntuNotices } from '../../../../src/producers/advisories/ubuntu-notices/source.ts';
import type { FeedServer } from './feed-server.ts';
import { startFeedServer } from './feed-server.ts';
import type { FetchMore, Rig } from './rig.ts';
import { createRig } from './rig.ts';

let server: FeedServer;
let rig: Rig;
/** Numbers of records, the newest first, with what they are called. */
let records: { number: number; title: string }[];
/** Pages after which the server has had enough. */
let patience: number;
const some = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ number: count - at, title: 'foo' }));
beforeEach(async () => {
  server = await startFeedServer();
  rig = await createRig();
  patience = Infinity;
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

interface Api {
  fetch: (more?: FetchMore) => ReturnType<Rig['fetch']>;
  titles: () => Promise<string[]>;
  size: number;
  /** Of the page that a request was for. */
  page: (asked: string) => number;
}
const day = (number: number): string => new Date(Date.UTC(2026, 0, number)).toISOString();

const serve = (answer: (url: URL) => object): void => {
  server.instead = (request, response) => {
    patience -= 1;
    if (patience < 0) return Boolean(response.writeHead(503, { 'retry-after': '30' }).end());
    const content = JSON.stringify(answer(new URL(request.url ?? '', server.url)));
    return Boolean(response.writeHead(200).end(content));
  };
};

const ubuntu = (): Api => {
  serve(({ searchParams }) => {
    expect(searchParams.get('order')).toBe('newest');
    const [offset, limit] = ['offset', 'limit'].map((name) => Number(searchParams.get(name)));
    const notices = records
      .slice(offset, (offset ?? 0) + (limit ?? 0))
      .map(({ number, title }) => ({
        ...{ id: `USN-${number}-1`, title, published: day(number), cves_ids: [], is_hidden: false },
        release_packages: { jammy: [{ name: 'foo', version: '1', is_source: true }] },
      }));
    return { notices, offset, limit, total_results: records.length };
  });
  return {
    fetch: async (more) =>
      rig.fetch(fetchUbuntuNotices, { url: `${server.url}/security/notices.json` }, more),
    titles: async () => (await rig.parse(ubuntuNotices)).advisories.map(({ title }) => title),
    size: 20,
    page: (asked) => Number(/offset=(\d+)/.exec(asked)?.[1]) / 20,
  };
};

const rocky = (): Api => {
  serve(({ searchParams }) => {
    const page = Number(searchParams.get('page'));
    expect(searchParams.get('size')).toBe('100');
    // As a server may that finds a hundred too many.
    const size = 10;
    const advisories = records.slice((page - 1) * size, page * size).map(({ number, title }) => ({
      ...{ name: `RLSA-2026:${number}`, synopsis: title, published_at: day(number), cves: [] },
      packages: [{ nevra: 'foo-0:1-2.el9.x86_64.rpm', product_name: 'Rocky Linux 9 x86_64' }],
    }));
    const next = page * size < records.length ? `/api/?page=${page + 1}` : null;
    return { advisories, total: records.length, page, size, links: { next } };
  });
  return {
    fetch: async (more) => rig.fetch(fetchRockyErrata, { url: `${server.url}/api/` }, more),
    titles: async () => (await rig.parse(rockyErrata)).advisories.map(({ title }) => title),
    size: 10,
    page: (asked) => Number(/page=(\d+)/.exec(asked)?.[1]) - 1,
  };
};

describe.each([
  ["Ubuntu's notices", ubuntu],
  ["Rocky Linux's errata", rocky],
])('%s', (_, open) => {
  const pagesOf = async (api: Api, more?: FetchMore): Promise<number[]> =>
    (await server.during(async () => api.fetch(more))).map(api.page).sort((a, b) => a - b);

  /** After many passes, of which none saw all. */
  const staysAndTells = async (api: Api): Promise<void> => {
    const told: string[] = [];
    for (let run = 0; run < 8; run += 1) {
      const { changed, problems } = await api.fetch();
      expect(changed).toEqual([]);
      told.push(...problems.map(({ reason }) => reason.replace(/\d+/g, 'N')));
    }
    expect(await api.titles()).toHaveLength(records.length);
    expect([...new Set(told)]).toEqual([
      'all pages together had N of N records: the others do not count as taken back',
    ]);
  };

  test('come page by page, and then the newest until they are known', async () => {
    const api = open();
    records = some(api.size * 3 + 1);
    const first = await api.fetch();
    expect(first).toMatchObject({ since: null, changed: 'all', complete: true, problems: [] });
    expect(server.asked.map(api.page)).toEqual([0, 1, 2, 3]);
    expect(await api.titles()).toHaveLength(records.length);

    // Nothing is new: the newest page, and two of the pass through all of them.
    expect(await pagesOf(api)).toEqual([0, 1, 2]);
    records = some(api.size * 3 + 3);
    const news = await api.fetch();
    expect(news).toMatchObject({ since: first.version, complete: true });
    expect(news.changed).toHaveLength(2);
    expect(await api.titles()).toHaveLength(records.length);
  });

  test('that were changed long after are found by and by', async () => {
    const api = open();
    records = some(api.size * 4);
    await api.fetch();
    records = records.map((one) => (one.number === 1 ? { ...one, title: 'changed' } : one));
    const changed: unknown[] = [];
    for (let poll = 0; poll < 2; poll += 1) changed.push((await api.fetch()).changed);
    expect(changed).toEqual([[], [expect.stringMatching(/^records\/\S+[-:]1(-1)?\.json\.gz$/)]]);
    expect(await api.titles()).toContain('changed');
  });

  test.each([1, 4])(
    'of which one was taken back, of %d pages, are not there any more after two passes',
    async (pages) => {
      const api = open();
      records = some(api.size * pages);
      await api.fetch();
      records = records.filter(({ number }) => number !== 3);
      const runsOfPass = Math.ceil((pages - 1) / 2) || 1;
      for (let run = 1; run < 2 * runsOfPass; run += 1)
        expect(await api.fetch()).toMatchObject({ changed: [], problems: [] });
      expect(await api.fetch()).toMatchObject({ changed: 'all', complete: true, problems: [] });
      expect(await api.titles()).toHaveLength(records.length);
      for (let poll = 0; poll < 2 * pages; poll += 1)
        expect((await api.fetch()).changed).toEqual([]);
    },
  );

  test('that moved up while a pass went on stay', async () => {
    const api = open();
    records = some(api.size * 4);
    await api.fetch();
    await api.fetch();
    // The first one of the page that is next is now the last of the one that was read.
    records = records.filter(({ number }) => number !== records.length - 1);
    for (let run = 0; run < 5; run += 1) {
      await api.fetch();
      expect((await api.titles()).length).toBeGreaterThanOrEqual(records.length);
    }
    expect(await api.titles()).toHaveLength(records.length);
  });

  type Fault = (page: number, all: typeof records) => typeof records;
  test.each<[string, Fault]>([
    ['is cut short', (page, all) => (page === 2 ? all.slice(4) : all)],
    ['is empty', (page, all) => (page === 2 ? [] : all)],
  ])('stay where a page %s, however often, and that is told', async (__, fault) => {
    const api = open();
    records = some(api.size * 4);
    await api.fetch();
    const answer = server.instead;
    server.instead = (request, response) => {
      const end = response.end.bind(response);
      response.end = ((content: string) => {
        const page = JSON.parse(content) as Record<string, typeof records>;
        const list = 'notices' in page ? 'notices' : 'advisories';
        const had = page[list] ?? [];
        return end(JSON.stringify({ ...page, [list]: fault(api.page(request.url ?? ''), had) }));
      }) as never;
      return answer?.(request, response) ?? false;
    };
    await staysAndTells(api);
  });

  test('stay where most pages are of a server that lags behind, however often, and that is told', async () => {
    const api = open();
    records = some(api.size * 4);
    await api.fetch();
    const answer = server.instead;
    server.instead = (request, response) => {
      const all = records;
      if (api.page(request.url ?? '') > 0) records = all.slice(3);
      const done = answer?.(request, response) ?? false;
      records = all;
      return done;
    };
    await staysAndTells(api);
  });

  test('are all gone at once where a person accepts that', async () => {
    const api = open();
    records = some(api.size * 3);
    await api.fetch();
    records = some(api.size * 3).slice(0, api.size + 1);
    expect(await api.fetch()).toMatchObject({
      changed: [],
      problems: [{ lost: { has: api.size + 1 } }],
    });
    expect(await api.fetch({ evenIfMostIsGone: true })).toMatchObject({
      changed: 'all',
      complete: true,
    });
    expect(await api.titles()).toHaveLength(records.length);
    records = [];
    expect(await api.fetch({ evenIfMostIsGone: true })).toMatchObject({
      changed: 'all',
      complete: true,
    });
    expect(await api.titles()).toEqual([]);
  });

  test('go on with the page at which they were stopped', async () => {
    const api = open();
    records = some(api.size * 5);
    patience = 3;
    expect(await api.fetch()).toMatchObject({
      ...{ complete: false, changed: 'all' },
      stopped: { status: 503, retryAfterMs: 30_000 },
    });
    patience = Infinity;
    expect(await pagesOf(api)).toEqual([0, 3, 4]);
    expect(await api.titles()).toHaveLength(records.length);
    expect(await api.fetch()).toMatchObject({ complete: true, changed: [] });
  });

  test('go on after they were killed, and what was not told is told', async () => {
    const api = open();
    records = some(api.size * 3);
    const ending = new AbortController();
    const answer = server.instead;
    server.instead = (request, response) => {
      if (api.page(request.url ?? '') === 2) ending.abort(new Error('killed'));
      return answer?.(request, response) ?? false;
    };
    await expect(api.fetch({ signal: ending.signal })).rejects.toThrow('killed');
    server.instead = answer;
    expect(await api.fetch()).toMatchObject({ changed: 'all', complete: true });
    expect(await api.titles()).toHaveLength(records.length);
  });

  test.each([
    ['an older state', (all: typeof records) => all.slice(5), 'the mirror offers an older state'],
    ['few of them', (all: typeof records) => all.slice(0, 30), 'and is held back'],
    ['none of them', () => [], 'there is no record in it'],
  ])('stay as they are where there is %s', async (__, now, reason) => {
    const api = open();
    records = some(61);
    const { version } = await api.fetch();
    records = now(records);
    expect(await api.fetch()).toMatchObject({
      ...{ version, changed: [] },
      problems: [{ reason: expect.stringContaining(reason) as unknown }],
    });
    expect(await api.titles()).toHaveLength(61);
  });

  test('tell of an answer that is no page', async () => {
    const api = open();
    records = some(3);
    for (const content of ['', '<html>', '{"notices": 3}', '[]', 'null']) {
      server.instead = (___, response) => Boolean(response.writeHead(200).end(content));
      await expect(api.fetch()).rejects.toMatchObject({
        reason: expect.stringMatching(/^what came is no page of it: /) as unknown,
      });
    }
  });

  test('keep the good records beside ones without an id, and no path comes out of one', async () => {
    const api = open();
    records = [{ number: 7, title: 'foo' }];
    const answer = server.instead;
    server.instead = (request, response) => {
      const end = response.end.bind(response);
      response.end = ((content: string) =>
        end(content.replace(/(\[\{)("(?:id|name)":")/, '[3,{$2../../../evil"},{$2'))) as never;
      return answer?.(request, response) ?? false;
    };
    const { problems } = await api.fetch();
    expect(problems.map(({ reason }) => reason)).toEqual(['it has no id', 'it has no id']);
    expect(Object.keys(await rig.files())).toEqual([
      expect.stringMatching(/^records\/(USN-7-1|RLSA-2026:7)\.json\.gz$/),
    ]);
  });

  test('can be a file that was saved from the API', async () => {
    const api = open();
    records = some(2 * api.size);
    const answer = server.instead;
    server.instead = (request, response) => {
      request.url = '/?offset=0&limit=20&order=newest&page=1&size=100';
      return answer?.(request, response) ?? false;
    };
    await api.fetch();
    expect(await api.titles()).toHaveLength(api.size);
    expect(server.asked.length).toBeLessThanOrEqual(2);
  });
});

test('pages that say that there are more are not followed when they are empty', async () => {
  server.instead = (request, response) => {
    const page = Number(/page=(\d+)/.exec(request.url ?? '')?.[1]);
    const advisories = page === 1 ? [{ name: 'RLSA-2026:1' }] : [];
    const content = { advisories, total: 1e9, page, links: { next: 'x' } };
    return Boolean(response.writeHead(200).end(JSON.stringify(content)));
  };
  await rig.fetch(fetchRockyErrata, { url: server.url });
  expect(server.asked).toHaveLength(2);
});
