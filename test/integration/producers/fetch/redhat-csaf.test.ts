import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchRedhatCsaf } from '../../../../src/producers/advisories/redhat-csaf/fetch.ts';
import { redhatCsaf } from '../../../../src/producers/advisories/redhat-csaf/source.ts';
import { fixtures } from '../../../producers/advisories/stored-files.ts';
import { tar } from '../../../producers/advisories/tar.ts';
import type { FeedServer } from './feed-server.ts';
import { startFeedServer } from './feed-server.ts';
import type { Rig } from './rig.ts';
import { createRig } from './rig.ts';

const document = (number: number, title: string): string =>
  JSON.stringify({
    document: {
      title,
      tracking: {
        ...{ id: `RHSA-2026:${number}`, status: 'final' },
        ...{
          initial_release_date: '2026-01-01T00:00:00Z',
          current_release_date: '2026-01-01T00:00:00Z',
        },
      },
    },
    product_tree: {},
    vulnerabilities: [],
  });
const pathOf = (number: number): string => `2026/rhsa-2026_${number}.json`;
const line = (number: number, day: number): string =>
  `"${pathOf(number)}","2026-03-${String(day).padStart(2, '0')}T11:45:05+00:00"\n`;

let server: FeedServer;
let rig: Rig;
let changes: [number: number, day: number][];
beforeEach(async () => {
  server = await startFeedServer();
  rig = await createRig();
  changes = [1, 2, 3].map((number) => [number, number]);
  server.publish('/csaf/archive_latest.txt', 'csaf_advisories_2026-03-10.tar.gz\n');
  server.publish(
    '/csaf/csaf_advisories_2026-03-10.tar.gz',
    gzipSync(
      tar([1, 2, 3].map((number) => ({ name: pathOf(number), content: document(number, 'old') }))),
    ),
  );
  publish();
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

const publish = (): void =>
  server.publish(
    '/csaf/changes.csv',
    [...changes]
      .sort((a, b) => b[1] - a[1])
      .map(([number, day]) => line(number, day))
      .join(''),
  );
const change = (number: number, day: number, title: string): void => {
  changes = [...changes.filter(([one]) => one !== number), [number, day]];
  publish();
  server.publish(`/csaf/${pathOf(number)}`, document(number, title));
};
const fetch = async (path = '/csaf/') =>
  rig.fetch(fetchRedhatCsaf, { url: `${server.url}${path}` });
const titles = async (): Promise<string[]> => {
  const { advisories, problems } = await rig.parse(redhatCsaf);
  expect(problems).toEqual([]);
  return advisories.map(({ id, title, withdrawn }) => `${id} ${withdrawn ? 'withdrawn' : title}`);
};

describe("Red Hat's documents", () => {
  test('come in one archive, and then each by itself when it has changed', async () => {
    let fetched = await fetch();
    expect(server.asked).toEqual([
      'GET /csaf/changes.csv 200',
      'GET /csaf/archive_latest.txt 200',
      'GET /csaf/csaf_advisories_2026-03-10.tar.gz 200',
      'GET /csaf/deletions.csv 404',
    ]);
    expect(fetched).toMatchObject({ since: null, changed: 'all', complete: true, problems: [] });
    expect(await titles()).toEqual(['RHSA-2026:1 old', 'RHSA-2026:2 old', 'RHSA-2026:3 old']);

    change(2, 20, 'new');
    change(4, 21, 'new');
    const asked = await server.during(async () => {
      fetched = await fetch();
    });
    expect(asked).toEqual([
      `GET /csaf/${pathOf(2)} 200`,
      `GET /csaf/${pathOf(4)} 200`,
      'GET /csaf/changes.csv 200',
      'GET /csaf/deletions.csv 404',
    ]);
    expect(fetched.changed).toEqual([`${pathOf(2)}.gz`, `${pathOf(4)}.gz`]);
    expect(await titles()).toEqual([
      ...['RHSA-2026:1 old', 'RHSA-2026:2 new', 'RHSA-2026:3 old', 'RHSA-2026:4 new'],
    ]);
    server.publish('/csaf/deletions.csv', line(3, 22));
    expect((await fetch()).changed).toEqual(['deletions.csv']);
    expect(await server.during(fetch)).toEqual([
      'GET /csaf/changes.csv 304',
      'GET /csaf/deletions.csv 304',
    ]);
  });

  test('are taken back by deletions, but not those that came again since', async () => {
    server.publish('/csaf/deletions.csv', `${line(1, 12)}${line(2, 12)}`);
    await fetch();
    expect(await titles()).toEqual([
      ...['RHSA-2026:1 old', 'RHSA-2026:2 old', 'RHSA-2026:3 old'],
      ...['RHSA-2026:1 withdrawn', 'RHSA-2026:2 withdrawn'],
    ]);
    change(2, 14, 'again');
    expect((await fetch()).changed).toEqual([`${pathOf(2)}.gz`, 'deletions.csv'].sort());
    expect(await titles()).toEqual([
      ...['RHSA-2026:1 old', 'RHSA-2026:2 again', 'RHSA-2026:3 old', 'RHSA-2026:1 withdrawn'],
    ]);
  });

  test('that were changed on the day of the archive may not be in it, and come', async () => {
    change(3, 10, 'new');
    await fetch('/csaf/changes.csv');
    expect(await titles()).toContain('RHSA-2026:3 new');
  });

  test('come one by one from a server without an archive', async () => {
    server.unpublish('/csaf/archive_latest.txt');
    for (const number of [1, 2, 3]) change(number, number, 'single');
    await fetch();
    expect(await titles()).toHaveLength(3);
  });

  test.each([
    ['../../etc/passwd', 'it names no archive: "../../etc/passwd"'],
    ['http://evil/x.tar.zst', 'it names no archive'],
    ['', 'it names no archive: ""'],
  ])('come from no archive called %p', async (name, reason) => {
    server.publish('/csaf/archive_latest.txt', name);
    await expect(fetch()).rejects.toMatchObject({
      reason: expect.stringContaining(reason) as unknown,
    });
  });

  test('are none where a path leads out, in the lists and in the archive', async () => {
    const content = document(9, 'evil');
    server.publish(
      '/csaf/csaf_advisories_2026-03-10.tar.gz',
      gzipSync(
        tar([
          { name: '../../2026/../../x.json', content },
          { name: '/etc/2026/.hidden.json', content },
          { name: '../../../2026/rhsa-2026_9.json', content },
        ]),
      ),
    );
    server.publish(
      '/csaf/changes.csv',
      `${line(1, 1)}${line(2, 2)}${line(3, 3)}"../2026/x.json","2026-03-01T00:00:00Z"\n"/2026/y.json","2026-03-01T00:00:00Z"\n`,
    );
    for (const number of [1, 2, 3])
      server.publish(`/csaf/${pathOf(number)}`, document(number, 'x'));
    const { problems } = await fetch();
    expect(problems.map(({ reason }) => reason)).toEqual(['2 lines name no record']);
    expect(Object.keys(await rig.files())).toEqual(
      [9, 1, 2, 3].map((n) => `${pathOf(n)}.gz`).sort(),
    );
    expect(server.asked.filter((asked) => /[xy]\.json/.test(asked))).toEqual([]);
  });

  test('that are damaged are told of, and old lists are not taken', async () => {
    await fetch();
    change(4, 12, 'new');
    server.publish(`/csaf/${pathOf(4)}`, document(4, 'new').slice(0, 50));
    expect((await fetch()).problems).toMatchObject([
      { file: `${pathOf(4)}.gz`, reason: expect.stringContaining('JSON') as unknown },
    ]);
    changes = [[1, 1]];
    publish();
    expect((await fetch()).problems).toMatchObject([
      {
        file: 'changes.csv',
        reason: expect.stringContaining('the mirror offers an older state') as unknown,
      },
    ]);
    expect(await titles()).toHaveLength(3);
  });

  test('can be one archive alone', async () => {
    const archive = readFileSync(`${fixtures}/archives/csaf_advisories.tar.zst`);
    server.publish('/a/csaf_advisories.tar.zst', archive);
    expect(await fetch('/a/csaf_advisories.tar.zst')).toMatchObject({ complete: true });
    expect((await rig.parse(redhatCsaf)).advisories.length).toBeGreaterThan(0);
    server.publish('/a/csaf_advisories.tar.zst', archive.subarray(0, archive.length / 2));
    expect((await fetch('/a/csaf_advisories.tar.zst')).problems).toHaveLength(1);
  });
});
