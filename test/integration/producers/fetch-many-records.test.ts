import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { fetchOsv } from '../../../src/producers/advisories/osv/fetch.ts';
import type { FeedServer } from './fetch/feed-server.ts';
import { startFeedServer } from './fetch/feed-server.ts';
import type { Rig } from './fetch/rig.ts';
import { createRig } from './fetch/rig.ts';
import { zip } from '../../producers/advisories/zip.ts';

let server: FeedServer;
let rig: Rig;
beforeEach(async () => {
  server = await startFeedServer();
  rig = await createRig();
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

const publish = (count: number): void => {
  const ids = Array.from({ length: count }, (_, number) => `DSA-${number}-1`);
  const modified = '2026-03-01T00:00:00Z';
  const record = (id: string): string => JSON.stringify({ id, modified, affected: [] });
  server.publish('/Debian/modified_id.csv', ids.map((id) => `${modified},${id}\n`).join(''));
  server.publish(
    '/Debian/all.zip',
    zip(Object.fromEntries(ids.map((id) => [`${id}.json`, record(id)]))),
  );
};
const fetch = async () => rig.fetch(fetchOsv, { url: `${server.url}/Debian/all.zip` });

test('records that are too many for single requests come by a new archive', async () => {
  publish(3);
  await fetch();
  publish(2004);
  expect(await server.during(fetch)).toEqual([
    'GET /Debian/all.zip 200',
    'GET /Debian/modified_id.csv 200',
  ]);
  expect(await readdir(`${rig.directory}/records`)).toHaveLength(2004);
}, 120_000);

test('an archive that is here already is not downloaded again after the process was killed', async () => {
  publish(1000);
  const ending = new AbortController();
  const watching = setInterval(() => {
    void readdir(`${rig.directory}/records`).then(
      () => ending.abort(new Error('killed')),
      () => undefined,
    );
  }, 1);
  const { signal } = ending;
  try {
    const killed = rig.fetch(fetchOsv, { url: `${server.url}/Debian/all.zip` }, { signal });
    await expect(killed).rejects.toThrow('killed');
  } finally {
    clearInterval(watching);
  }
  expect(await readdir(rig.directory)).toContain('.archive.zip');
  expect(await server.during(fetch)).toEqual(['GET /Debian/modified_id.csv 200']);
  expect(await readdir(`${rig.directory}/records`)).toHaveLength(1000);
  expect(await readdir(rig.directory)).not.toContain('.archive.zip');
}, 120_000);
