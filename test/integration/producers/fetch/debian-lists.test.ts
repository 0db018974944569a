import { rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchDebianLists } from '../../../../src/producers/advisories/debian-lists/fetch.ts';
import { debianLists } from '../../../../src/producers/advisories/debian-lists/source.ts';
import type { FeedServer } from './feed-server.ts';
import { startFeedServer } from './feed-server.ts';
import type { Rig } from './rig.ts';
import { createRig } from './rig.ts';

const entry = (kind: string, number: number, day: string): string =>
  `[${day} 2023] ${kind}-${number}-1 foo - security update\n\t{CVE-2023-${1000 + number}}\n\t[bookworm] - foo 1.${number}-1\n`;
const dsa = (newest: number): string =>
  Array.from({ length: newest }, (_, at) => entry('DSA', newest - at, `${newest - at} Mar`)).join(
    '',
  );

let server: FeedServer;
let rig: Rig;
beforeEach(async () => {
  server = await startFeedServer();
  rig = await createRig();
  server.publish('/data/DSA/list', dsa(24));
  server.publish('/data/DLA/list', entry('DLA', 3, '1 Apr'));
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

const fetchLists = async () => rig.fetch(fetchDebianLists, { url: `${server.url}/data` });
const ids = async (): Promise<string[]> =>
  (await rig.parse(debianLists)).advisories.map(({ id }) => id);

describe("Debian's lists", () => {
  test('come the first time as a whole, and then only what is another', async () => {
    const first = await fetchLists();
    expect(first).toMatchObject({
      ...{ since: null, changed: 'all', complete: true, problems: [], stopped: null },
    });
    expect(await ids()).toHaveLength(25);

    let second = first;
    expect(
      await server.during(async () => {
        second = await fetchLists();
      }),
    ).toEqual(['GET /data/DLA/list 304', 'GET /data/DSA/list 304']);
    expect(second).toMatchObject({ version: first.version, since: first.version, changed: [] });

    server.publish('/data/DSA/list', dsa(25));
    const third = await fetchLists();
    expect(third).toMatchObject({ since: first.version, changed: 'all', problems: [] });
    expect(third.version).not.toBe(first.version);
    expect(await ids()).toContain('DSA-25-1');
  });

  test('can be one list alone, named by its address', async () => {
    await rig.fetch(fetchDebianLists, { url: `${server.url}/data/DLA/list` });
    expect(await ids()).toEqual(['DLA-3-1']);
  });

  test.each([
    ['', 'there is no record in it'],
    ['<html>502 Bad Gateway</html>', 'there is no record in it'],
    [dsa(11), 'the mirror offers an older state'],
    [dsa(24).slice(0, 300), 'it has only 4 of 24 records any more, and is held back'],
  ])('that were spoilt are refused, and those that are here stay', async (content, reason) => {
    const { version } = await fetchLists();
    server.publish('/data/DSA/list', content);
    const spoilt = await fetchLists();
    expect(spoilt).toMatchObject({
      ...{ version, changed: [] },
      problems: [{ file: 'DSA/list', reason: expect.stringContaining(reason) as unknown }],
    });
    expect(await ids()).toHaveLength(25);
  });

  test('are not gone back in, whatever stands in them', async () => {
    const at = (day: number) => ({ lastModified: new Date(Date.UTC(2023, 3, day)).toUTCString() });
    server.publish('/data/DSA/list', dsa(24), at(2));
    await fetchLists();
    server.publish('/data/DSA/list', dsa(26), at(1));
    expect((await fetchLists()).problems).toEqual([
      {
        ...{ file: 'DSA/list', record: '', field: '' },
        reason:
          'the mirror offers an older state (Sat, 01 Apr 2023 00:00:00 GMT) than the one that is here (Sun, 02 Apr 2023 00:00:00 GMT)',
      },
    ]);
    expect(await ids()).toHaveLength(25);
  });

  test('that are emptied the first time are an error', async () => {
    server.publish('/data/DSA/list', '');
    await expect(fetchLists()).rejects.toMatchObject({
      ...{ name: 'FetchError', url: `${server.url}/data/DSA/list` },
      reason: 'there is no record in it',
    });
  });

  test('tell of one that does not come beside one that did', async () => {
    const { version } = await fetchLists();
    server.publish('/data/DSA/list', dsa(25));
    server.unpublish('/data/DLA/list');
    expect(await fetchLists()).toMatchObject({
      ...{ since: version, changed: 'all' },
      stopped: { url: `${server.url}/data/DLA/list`, status: 404 },
    });
    await expect(fetchLists()).rejects.toMatchObject({ status: 404 });
  });

  test('are fetched anew where the directory or what is known of it was lost', async () => {
    await fetchLists();
    await rm(`${rig.directory}/DSA/list`);
    expect((await fetchLists()).changed).toBe('all');
    await writeFile(`${rig.directory}/.fetched.json`, '{"form');
    await writeFile(`${rig.directory}/other.json`, 'of another address');
    expect(await fetchLists()).toMatchObject({ since: null, changed: 'all' });
    expect(Object.keys(await rig.files())).toEqual(['DLA/list', 'DSA/list']);
  });
});
