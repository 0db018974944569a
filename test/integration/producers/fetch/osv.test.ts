import { readdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchOsv } from '../../../../src/producers/advisories/osv/fetch.ts';
import { osv } from '../../../../src/producers/advisories/osv/source.ts';
import { tar } from '../../../producers/advisories/tar.ts';
import { zip } from '../../../producers/advisories/zip.ts';
import type { FeedServer } from './feed-server.ts';
import { startFeedServer } from './feed-server.ts';
import type { FetchMore, Rig } from './rig.ts';
import { createRig } from './rig.ts';

interface Made {
  id: string;
  day: number;
  fixed: string;
}
const time = (day: number): string => `2026-03-${String(day).padStart(2, '0')}T00:00:00.123456Z`;
const record = ({ id, day, fixed }: Made): string =>
  JSON.stringify({
    ...{ id, modified: time(day), published: time(1) },
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'foo' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      },
    ],
  });

let server: FeedServer;
let rig: Rig;
let records: Made[];
beforeEach(async () => {
  server = await startFeedServer();
  rig = await createRig();
  records = [1, 2, 3].map((number) => ({ id: `DSA-${number}-1`, day: number, fixed: '1.1' }));
  publish();
  publishArchive();
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

const index = (): string =>
  [...records]
    .sort((a, b) => b.day - a.day)
    .map(({ id, day }) => `${time(day)},${id}\n`)
    .join('');
const publish = (): void => {
  for (const one of records) server.publish(`/Debian/${one.id}.json`, record(one));
  server.publish('/Debian/modified_id.csv', index());
};
const publishArchive = (): void =>
  server.publish(
    '/Debian/all.zip',
    zip(Object.fromEntries(records.map((one) => [`all/${one.id}.json`, record(one)]))),
  );
const change = (id: string, day: number, fixed: string): void => {
  records = [...records.filter((one) => one.id !== id), { id, day, fixed }];
  publish();
};

const fetch = async (more: FetchMore = {}, url = `${server.url}/Debian/all.zip`) =>
  rig.fetch(fetchOsv, { url }, more);
const fixes = async (): Promise<string[]> => {
  const { advisories, problems } = await rig.parse(osv);
  expect(problems).toEqual([]);
  return advisories.map(({ id, affected }) => `${id} ${affected.map(({ fixed }) => fixed).join()}`);
};

describe('the records of an ecosystem', () => {
  test('come in one archive, and then each by itself when it has changed', async () => {
    let first = await fetch();
    expect(server.asked.sort()).toEqual([
      'GET /Debian/all.zip 200',
      'GET /Debian/modified_id.csv 200',
    ]);
    expect(first).toMatchObject({ since: null, changed: 'all', complete: true, problems: [] });
    expect(await fixes()).toEqual(['DSA-1-1 1.1', 'DSA-2-1 1.1', 'DSA-3-1 1.1']);
    expect(await server.during(fetch)).toEqual(['GET /Debian/modified_id.csv 304']);

    change('DSA-2-1', 20, '1.2');
    change('DSA-4-1', 21, '1.0');
    const asked = await server.during(async () => {
      first = await fetch();
    });
    expect(asked).toEqual([
      'GET /Debian/DSA-2-1.json 200',
      'GET /Debian/DSA-4-1.json 200',
      'GET /Debian/modified_id.csv 200',
    ]);
    expect(first.changed).toEqual(['records/DSA-2-1.json.gz', 'records/DSA-4-1.json.gz']);
    expect(await fixes()).toEqual(['DSA-1-1 1.1', 'DSA-2-1 1.2', 'DSA-3-1 1.1', 'DSA-4-1 1.0']);
    expect(await readdir(rig.directory)).toEqual(['.fetched.json', 'records']);
  });

  test('that were changed while the archive was made come too', async () => {
    change('DSA-3-1', 9, '1.3');
    await fetch();
    expect(await fixes()).toContain('DSA-3-1 1.3');
  });

  test('go on where they were stopped, and tell how long to wait', async () => {
    await fetch();
    for (let number = 4; number < 20; number += 1) change(`DSA-${number}-1`, number, '1.0');
    let allowed = 3;
    server.instead = (request, response) => {
      if (request.url?.endsWith('.csv') === true || (allowed -= 1) >= 0) return false;
      return Boolean(response.writeHead(429, { 'retry-after': '60' }).end());
    };
    const stopped = await fetch();
    expect(stopped).toMatchObject({
      complete: true,
      stopped: { status: 429, retryAfterMs: 60_000 },
    });
    expect(stopped.changed).toHaveLength(3);
    await expect(fetch()).rejects.toMatchObject({ status: 429 });
    server.instead = null;
    const asked = await server.during(fetch);
    expect(asked).toHaveLength(16 - 3 + 1);
    expect(await fixes()).toHaveLength(19);
    expect(await server.during(fetch)).toEqual(['GET /Debian/modified_id.csv 304']);
  });

  test('go on where the process was killed in the middle', async () => {
    const first = await fetch();
    for (let number = 4; number < 12; number += 1) change(`DSA-${number}-1`, number, '1.0');
    const ending = new AbortController();
    server.instead = ({ url }) => {
      if (url === '/Debian/DSA-9-1.json') ending.abort(new Error('killed'));
      return false;
    };
    await expect(fetch({ signal: ending.signal })).rejects.toThrow('killed');
    server.instead = null;
    // What came before was told to nobody.
    expect(await fetch()).toMatchObject({ since: first.version, changed: 'all', complete: true });
    expect(await fixes()).toHaveLength(11);
  });

  test('do not go back in time, neither all of them nor one of them', async () => {
    change('DSA-3-1', 9, '1.3');
    await fetch();
    const newest = records;
    records = records.map((one) => ({ ...one, day: Math.min(one.day, 3), fixed: '0.1' }));
    publish();
    const old = await fetch();
    expect(old).toMatchObject({
      changed: [],
      problems: [
        {
          file: 'modified_id.csv',
          reason:
            'the mirror offers an older state (2026-03-03T00:00:00) than the one that is here (2026-03-09T00:00:00)',
        },
      ],
    });
    // The index is new, and a cache has still the old record.
    records = newest.map((one) => (one.id === 'DSA-3-1' ? { ...one, day: 22 } : one));
    server.publish('/Debian/modified_id.csv', index());
    server.publish('/Debian/DSA-3-1.json', record({ id: 'DSA-3-1', day: 3, fixed: '0.1' }));
    await fetch({ now: new Date('2026-03-22T01:00:00Z') });
    expect(await fixes()).toContain('DSA-3-1 1.3');
    change('DSA-3-1', 22, '1.4');
    change('DSA-1-1', 23, '1.4');
    await fetch();
    expect(await fixes()).toEqual(['DSA-1-1 1.4', 'DSA-2-1 1.1', 'DSA-3-1 1.4']);
  });

  test('are held back where most of them vanished from the index', async () => {
    for (let number = 4; number < 28; number += 1) change(`DSA-${number}-1`, number, '1.0');
    await fetch();
    records = records.filter(({ day }) => day > 20);
    publish();
    expect(await fetch()).toMatchObject({
      changed: [],
      problems: [{ reason: 'it has only 7 of 27 records any more, and is held back' }],
    });
    server.publish('/Debian/modified_id.csv', '');
    expect((await fetch()).problems).toMatchObject([{ reason: 'there is no record in it' }]);
    server.publish('/Debian/modified_id.csv', '<html>\n<body>\n');
    expect((await fetch()).problems).toMatchObject([
      { reason: 'what came is damaged: it names no record in line 1' },
    ]);
    expect(await fixes()).toHaveLength(27);
  });

  test('are gone when neither the index has them nor the server', async () => {
    await fetch();
    records = records.filter(({ id }) => id !== 'DSA-1-1' && id !== 'DSA-2-1');
    publish();
    change('DSA-5-1', 5, '1.0');
    server.unpublish('/Debian/DSA-1-1.json');
    expect(await fetch()).toMatchObject({ changed: 'all', complete: true });
    expect(await fixes()).toEqual(['DSA-2-1 1.1', 'DSA-3-1 1.1', 'DSA-5-1 1.0']);
    change('DSA-5-1', 6, '1.0');
    expect(await server.during(fetch)).toEqual([
      'GET /Debian/DSA-5-1.json 200',
      'GET /Debian/modified_id.csv 200',
    ]);
  });

  test('that cannot be used are told of, and the others come', async () => {
    await fetch();
    for (const number of [4, 5, 6, 7]) change(`DSA-${number}-1`, number, '1.0');
    server.publish('/Debian/DSA-4-1.json', '{"id": "DSA-4-1", ');
    server.publish('/Debian/DSA-5-1.json', record({ id: 'DSA-1-1', day: 5, fixed: '9' }));
    server.unpublish('/Debian/DSA-6-1.json');
    server.publish(
      '/Debian/modified_id.csv',
      `${index()}${time(7)},../../etc/x\n${time(7)},.DSA-9-1\n2026,DSA-9-1\nx`,
    );
    const { changed, problems } = await fetch();
    expect(changed).toEqual(['records/DSA-7-1.json.gz']);
    expect(
      problems.map(({ file, record: at, reason }) => `${file} ${at} ${reason}`).sort(),
    ).toEqual([
      'modified_id.csv line 8 4 lines name no record',
      expect.stringMatching(/^(records\/DSA-4-1.json.gz) \1 .*JSON/),
      'records/DSA-5-1.json.gz records/DSA-5-1.json.gz it is "DSA-1-1"',
      'records/DSA-6-1.json.gz records/DSA-6-1.json.gz it is not there (404)',
    ]);
    expect(server.asked.some((line) => line.includes('etc'))).toBe(false);
  });

  test('of a damaged archive are fetched again, as are those that were lost here', async () => {
    const whole = zip(Object.fromEntries(records.map((one) => [`${one.id}.json`, record(one)])));
    server.publish('/Debian/all.zip', whole.subarray(0, -40));
    await expect(fetch()).rejects.toMatchObject({
      url: `${server.url}/Debian/all.zip`,
      reason: expect.stringContaining('what came is damaged: .archive.zip: zip:') as unknown,
    });
    expect(await readdir(rig.directory)).toEqual(['.fetched.json']);
    publishArchive();
    await fetch();
    expect(await fixes()).toHaveLength(3);
    await rm(`${rig.directory}/records`, { recursive: true });
    expect(await fetch()).toMatchObject({ changed: 'all', complete: true });
    expect(await fixes()).toHaveLength(3);
  });

  test('of an archive with paths out of it stay where they belong', async () => {
    const evil = { id: 'DSA-8-1', day: 8, fixed: '1' };
    server.publish(
      '/Debian/all.zip',
      zip({
        '../../../../tmp/DSA-8-1.json': record(evil),
        'all/.hidden.json': record(evil),
        'all/..json': '{}',
        'all/read me.txt': '',
      }),
    );
    server.publish('/Debian/DSA-8-1.json', record(evil));
    await fetch();
    expect(Object.keys(await rig.files())).toEqual(
      ['1', '2', '3', '8'].map((number) => `records/DSA-${number}-1.json.gz`),
    );
  });
});

describe('the records of all ecosystems', () => {
  const all = `/osv/modified_id.csv`;
  const publishAll = (made: readonly (Made & { of: string })[]): void => {
    for (const one of made) server.publish(`/osv/${one.of}/${one.id}.json`, record(one));
    const lines = made.map(({ of, id, day }) => `${time(day)},${of}/${id}\n`);
    server.publish(all, `${time(30)},npm/GHSA-1\n${lines.join('')}`);
    for (const of of new Set(made.map((one) => one.of))) {
      const files = made
        .filter((one) => one.of === of)
        .map((one) => [`${one.id}.json`, record(one)]);
      server.publish(
        `/osv/${of}/all.zip`,
        zip(Object.fromEntries(files) as Record<string, string>),
      );
    }
  };
  const made = (of: string, id: string, day: number, fixed = '1.1') => ({ of, id, day, fixed });
  const rocky = made('Rocky Linux', 'RLSA-2026:1', 4);
  const debian = [1, 2, 3].map((number) => made('Debian', `DSA-${number}-1`, number));

  test.each(['/osv/modified_id.csv', '/osv/', '/osv/all.zip'])(
    'at %s: those of hosts that we know come, by the index of all of them',
    async (path) => {
      const url = `${server.url}${path}`;
      publishAll([...debian, rocky]);
      expect(await server.during(async () => fetch({}, url))).toEqual([
        'GET /osv/Debian/all.zip 200',
        'GET /osv/Rocky%20Linux/RLSA-2026%3A1.json 200',
        'GET /osv/modified_id.csv 200',
      ]);
      const before = ['DSA-1-1 1.1', 'DSA-2-1 1.1', 'DSA-3-1 1.1', 'RLSA-2026:1 1.1'];
      expect(await fixes()).toEqual(before);
      publishAll(
        [debian[0], made('Debian', 'DSA-2-1', 9, '1.2'), rocky].flatMap((one) => one ?? []),
      );
      server.unpublish('/osv/Debian/DSA-3-1.json');
      expect(await server.during(async () => fetch({}, url))).toEqual([
        'GET /osv/Debian/DSA-2-1.json 200',
        'GET /osv/Debian/DSA-3-1.json 404',
        'GET /osv/modified_id.csv 200',
      ]);
      expect(await fixes()).toEqual(['DSA-1-1 1.1', 'DSA-2-1 1.2', 'RLSA-2026:1 1.1']);
    },
  );

  test('that are too many come by the archive of each', async () => {
    const many = (of: string, name: string) =>
      Array.from({ length: 2_001 }, (_, number) => made(of, `${name}-${number}-1`, 3));
    publishAll([...many('Debian', 'DSA'), ...many('Ubuntu', 'USN'), rocky]);
    expect(await server.during(async () => fetch({}, `${server.url}${all}`))).toEqual([
      'GET /osv/Debian/all.zip 200',
      'GET /osv/Rocky%20Linux/RLSA-2026%3A1.json 200',
      'GET /osv/Ubuntu/all.zip 200',
      'GET /osv/modified_id.csv 200',
    ]);
    expect(Object.keys(await rig.files())).toHaveLength(4_003);
  }, 300_000);

  test('fetched just once are what the archive above them has', async () => {
    server.publish('/osv/all.zip', zip({ 'DSA-1-1.json': record(made('', 'DSA-1-1', 1)) }));
    await fetch({ once: true }, `${server.url}${all}`);
    expect(await fixes()).toEqual(['DSA-1-1 1.1']);
  });
});

describe('records at any other address', () => {
  test('are one archive that is fetched whenever it has changed', async () => {
    const content = (fixed: string): Buffer =>
      tar(
        records.map((one) => ({ name: `osv/${one.id}.json`, content: record({ ...one, fixed }) })),
      );
    server.publish('/osv-all.tar', content('1'));
    const url = `${server.url}/osv-all.tar`;
    expect(await fetch({}, url)).toMatchObject({ changed: 'all', complete: true });
    expect(await server.during(async () => fetch({}, url))).toEqual(['GET /osv-all.tar 304']);
    server.publish('/osv-all.tar', content('2'));
    expect((await fetch({}, url)).changed).toBe('all');
    server.publish('/osv-all.tar', content('3').subarray(0, 700));
    expect((await fetch({}, url)).problems).toMatchObject([
      { file: 'osv-all.tar', reason: expect.stringContaining('damaged') as unknown },
    ]);
    expect(await fixes()).toEqual(['DSA-1-1 2', 'DSA-2-1 2', 'DSA-3-1 2']);
  });

  test('are also those of an ecosystem without an index, and what is fetched just once', async () => {
    server.unpublish('/Debian/modified_id.csv');
    await fetch();
    expect(Object.keys(await rig.files())).toEqual(['all.zip']);
    expect(await fixes()).toHaveLength(3);
    await rig.close();
    server.asked = [];
    await fetch({ once: true }, `${server.url}/Debian`);
    expect(server.asked).toEqual(['GET /Debian/all.zip 200']);
    expect(await fixes()).toHaveLength(3);
  });
});
