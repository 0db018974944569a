import { access, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { fetchOnce } from '../../../../src/producers/advisories/fetch/fetch-once.ts';
import { httpDefaults } from '../../../../src/producers/advisories/fetch/http-options.ts';
import { fetchers } from '../../../../src/producers/advisories/fetchers.ts';
import type { FeedServer } from './feed-server.ts';
import { startFeedServer } from './feed-server.ts';

let server: FeedServer;
beforeEach(async () => {
  server = await startFeedServer();
  server.publish(
    '/DSA/list',
    '[01 Mar 2026] DSA-1-1 foo - security update\n\t[bookworm] - foo 1\n',
  );
});
afterEach(async () => server.close());

const fetch = async () => {
  const fetcher = fetchers.get('debian-lists');
  if (fetcher === undefined) throw new Error('there is no such fetcher');
  return fetchOnce(fetcher, { url: server.url }, httpDefaults, new AbortController().signal);
};
const left = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('groundswell-feed-'));

test('a feed that is fetched just once lies in a directory until that is taken away', async () => {
  server.publish('/DLA/list', '[01 Mar 2026] DLA-1-1 foo - security update\n\t[buster] - foo 1\n');
  const { directory, problems, remove } = await fetch();
  expect(problems).toEqual([]);
  await access(`${directory}/DLA/list`);
  await remove();
  await expect(access(directory)).rejects.toThrow('ENOENT');
});

test('one that does not come as a whole is an error, and leaves nothing behind', async () => {
  const before = await left();
  await expect(fetch()).rejects.toThrow(`${server.url}/DLA/list: it is not there (404)`);
  expect(await left()).toEqual(before);
});
