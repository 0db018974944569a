import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchAlmaErrata } from '../../../../src/producers/advisories/alma-errata/fetch.ts';
import { almaErrata } from '../../../../src/producers/advisories/alma-errata/source.ts';
import { fetchDebianTracker } from '../../../../src/producers/advisories/debian-tracker/fetch.ts';
import { debianTracker } from '../../../../src/producers/advisories/debian-tracker/source.ts';
import type { FeedServer } from './feed-server.ts';
import { startFeedServer } from './feed-server.ts';
import type { Rig } from './rig.ts';
import { createRig } from './rig.ts';

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

describe("Debian's tracker", () => {
  const issues = (...names: string[]): string =>
    JSON.stringify(
      Object.fromEntries(
        names.map((name) => [
          name,
          {
            'CVE-2026-1000': {
              releases: {
                bookworm: {
                  ...{ status: 'resolved', fixed_version: '1.1-1', urgency: 'high' },
                  repositories: { bookworm: '1.0-1' },
                },
              },
            },
          },
        ]),
      ),
    );
  const fetch = async () =>
    rig.fetch(fetchDebianTracker, { url: `${server.url}/tracker/data/json` });
  const many = Array.from({ length: 30 }, (_, number) => `foo${number}`);
  const count = async (): Promise<number> => (await rig.parse(debianTracker)).advisories.length;

  test('comes as a whole when it has changed, compressed where the server does that', async () => {
    server.instead = (request, response) =>
      request.headers['accept-encoding'] === 'gzip' &&
      request.headers['if-none-match'] === undefined
        ? Boolean(
            response
              .writeHead(200, { 'content-encoding': 'gzip', etag: '"1-gzip"' })
              .end(gzipSync(issues(...many))),
          )
        : false;
    expect(await fetch()).toMatchObject({ since: null, changed: 'all', complete: true });
    expect(await count()).toBe(30);
    server.publish('/tracker/data/json', '', { etag: '"1-gzip"' });
    expect(await server.during(fetch)).toEqual(['GET /tracker/data/json 304']);
    server.publish('/tracker/data/json', issues(...many, 'bar'));
    expect((await fetch()).changed).toBe('all');
    expect(await count()).toBe(31);
  });

  test.each([
    ['', 'what came is damaged: the JSON object ends too early'],
    ['{}', 'there is no record in it'],
    [issues(...many).slice(0, -10), 'what came is damaged: the JSON object ends too early'],
    [issues('foo'), 'it has only 1 of 30 records any more, and is held back'],
    ['<html>', 'what came is damaged: this is no JSON object'],
    [gzipSync(Buffer.alloc(40_000_000, 32)), 'what came is damaged: '],
  ])('is not taken when it is spoilt', async (content, reason) => {
    server.publish('/tracker/data/json', issues(...many));
    const { version } = await fetch();
    server.publish('/tracker/data/json', content);
    expect(await fetch()).toMatchObject({
      ...{ version, changed: [] },
      problems: [{ file: 'tracker.json', reason: expect.stringContaining(reason) as unknown }],
    });
    expect(await count()).toBe(30);
  });
});

describe("AlmaLinux's errata", () => {
  const errata = (updated: number, count = 25): string =>
    JSON.stringify({
      schema_version: '1.0',
      data: Array.from({ length: count }, (_, number) => ({
        ...{ id: `ALSA-2026:${1000 + number}`, title: 'foo', severity: 'Important' },
        ...{ issued_date: 1_770_000_000, updated_date: updated, references: [] },
        packages: [
          {
            name: 'foo',
            epoch: '0',
            version: '1',
            release: '2.el9',
            arch: 'x86_64',
            reboot_suggested: 0,
          },
        ],
      })),
    });
  const fetch = async (path = '') => rig.fetch(fetchAlmaErrata, { url: `${server.url}${path}` });

  test('come for each release, when they have changed', async () => {
    for (const release of [8, 9, 10])
      server.publish(`/${release}/errata.full.json`, errata(1_780_000_000));
    expect(await fetch()).toMatchObject({ changed: 'all', complete: true });
    const { advisories } = await rig.parse(almaErrata);
    expect(
      new Set(advisories.flatMap(({ affected }) => affected.map((row) => row.release))),
    ).toEqual(new Set(['8', '9', '10']));
    server.publish('/9/errata.full.json', errata(1_780_000_001));
    // An id may stand in the files of several releases.
    expect((await fetch()).changed).toBe('all');
    expect((await fetch()).changed).toEqual([]);
    server.publish('/9/errata.full.json', errata(1_779_000_000));
    server.publish('/10/errata.full.json', errata(1_790_000_000, 12));
    server.publish('/8/errata.full.json', errata(1_790_000_000).slice(0, -300));
    expect((await fetch()).problems.map(({ file, reason }) => `${file}: ${reason}`)).toEqual([
      '8/errata.full.json: what came is damaged: it ends before its end',
      '9/errata.full.json: the mirror offers an older state (2026-05-17T06:40:00.000Z) than the one that is here (2026-05-28T20:26:41.000Z)',
      '10/errata.full.json: it has only 12 of 25 records any more, and is held back',
    ]);
    expect((await rig.parse(almaErrata)).problems).toEqual([]);
  });

  test('come for one release, named by the address', async () => {
    server.publish('/9/errata.full.json', errata(1_780_000_000));
    await fetch('/9/errata.full.json');
    expect(Object.keys(await rig.files())).toEqual(['9/errata.full.json']);
  });
});
