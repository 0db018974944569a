import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchAptSecurity } from '../../../src/producers/advisories/apt-security/fetch.ts';
import { unchecked } from '../../../src/producers/advisories/apt-security/signed-text.ts';
import { createAptSecurity } from '../../../src/producers/advisories/apt-security/source.ts';
import type { FeedAddress } from '../../../src/producers/advisories/fetch/fetcher.ts';
import type { FeedServer } from './fetch/feed-server.ts';
import { startFeedServer } from './fetch/feed-server.ts';
import type { Rig } from './fetch/rig.ts';
import { createRig } from './fetch/rig.ts';
import type { SigningKey } from './signing-key.ts';
import { createSigningKey } from './signing-key.ts';
import { packages, publishSuite, sum } from './publish-suite.ts';
import type { MadeSuite } from './publish-suite.ts';

const now = new Date('2026-11-29T12:00:00Z');
const source = createAptSecurity({ verify: unchecked, now: () => now });
const suite = '/debian-security/dists/bookworm-security';

let key: SigningKey;
let server: FeedServer;
let rig: Rig;
beforeAll(() => {
  key = createSigningKey();
});
afterAll(() => key.remove());
beforeEach(async () => {
  server = await startFeedServer();
  rig = await createRig();
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

const publish = (made: MadeSuite = {}): void => {
  publishSuite(server, key, suite, made);
};

const fetch = async (more: Partial<FeedAddress> = {}, at = now) =>
  rig.fetch(
    fetchAptSecurity,
    {
      url: `${server.url}/debian-security`,
      suite: 'bookworm-security',
      keyring: [key.keyring],
      ...more,
    },
    { now: at },
  );
const offered = async (): Promise<string[]> => {
  const { advisories, problems } = await rig.parse(source);
  expect(problems).toEqual([]);
  return advisories.map(({ title }) => title);
};

describe('a suite of security updates', () => {
  test('comes with its lists, and again only when it is another', async () => {
    publish();
    const first = await fetch();
    expect(first).toMatchObject({ since: null, changed: 'all', complete: true, problems: [] });
    expect(await offered()).toEqual(['foo 1.1']);
    expect(await server.during(fetch)).toEqual([`GET ${suite}/InRelease 304`]);

    // Signed anew, as it is each day: the lists are not fetched.
    publish({ fields: { Date: 'Sun, 29 Nov 2026 02:00:00 UTC' } });
    expect(await server.during(fetch)).toEqual([`GET ${suite}/InRelease 200`]);

    publish({
      versions: { 'main/binary-amd64': '1.2' },
      fields: { Date: 'Sun, 29 Nov 2026 03:00:00 UTC' },
    });
    expect(await fetch()).toMatchObject({ changed: 'all', problems: [] });
    expect(await offered()).toEqual(['foo 1.2']);
    expect(await fetch()).toMatchObject({ changed: [] });
  });

  test('has the components and architectures that are asked for, and tells which it has not', async () => {
    const versions = {
      ...{ 'main/binary-amd64': '1', 'main/binary-arm64': '2', 'contrib/binary-amd64': '3' },
      'main/debian-installer/binary-amd64': '4',
    };
    publish({ versions });
    await fetch();
    const files = Object.keys(await rig.files());
    expect(files).toEqual([
      'dists/bookworm-security/InRelease',
      'dists/bookworm-security/contrib/binary-amd64/Packages.gz',
      'dists/bookworm-security/main/binary-amd64/Packages.gz',
      'dists/bookworm-security/main/binary-arm64/Packages.gz',
    ]);
    await fetch({ components: ['main'], architectures: ['amd64'] });
    expect(Object.keys(await rig.files())).toEqual([files[0], files[2]]);
    await expect(fetch({ components: ['main', 'universe'] })).rejects.toMatchObject({
      reason: 'it has no packages of universe',
    });
  });

  test.each([
    ['', undefined],
    ['/', undefined],
    ['/InRelease', undefined],
    ['/InRelease', 'bookworm-security'],
  ])('is found by its own address with "%s" behind it', async (ending, name) => {
    publish();
    await rig.fetch(
      fetchAptSecurity,
      {
        url: `${server.url}${suite}${ending}`,
        keyring: [key.armored],
        ...(name === undefined ? {} : { suite: name }),
      },
      { now },
    );
    expect(await offered()).toEqual(['foo 1.1']);
  });

  test('is fetched by the checksums of its lists, where the mirror has them under those', async () => {
    const content = gzipSync(packages('1.1'));
    publish({ fields: { 'Acquire-By-Hash': 'yes' } });
    const plain = `${suite}/main/binary-amd64`;
    expect(await server.during(fetch)).toEqual([
      `GET ${suite}/InRelease 200`,
      `GET ${plain}/Packages.gz 200`,
      `GET ${plain}/by-hash/SHA256/${sum(content)} 404`,
    ]);
    await rig.close();
    server.publish(`${plain}/by-hash/SHA256/${sum(content)}`, content);
    server.publish(`${plain}/Packages.gz`, 'of tomorrow');
    expect(await server.during(fetch)).toEqual([
      `GET ${suite}/InRelease 200`,
      `GET ${plain}/by-hash/SHA256/${sum(content)} 200`,
    ]);
    expect(await offered()).toEqual(['foo 1.1']);
  });

  const stranger = (text: string): string => {
    const other = createSigningKey();
    const signed = other.sign(text);
    other.remove();
    return signed;
  };
  test.each<[string, MadeSuite, RegExp]>([
    ['signed by somebody else', { sign: stranger }, /^no key of .*archive\.gpg has signed it$/],
    ['not signed', { sign: (text) => text }, /no good signature/],
    [
      'changed after it was signed',
      { sign: (text) => key.sign(text).replace('Origin: Debian', 'Origin: Ubuntu') },
      /BADSIG/,
    ],
    [
      'older',
      { fields: { Date: 'Sat, 28 Nov 2026 01:00:00 UTC' } },
      /^the mirror offers an older state \(2026-11-28T01/,
    ],
    [
      'out of date',
      { fields: { 'Valid-Until': 'Sun, 29 Nov 2026 02:00:00 UTC' } },
      /^it was valid until/,
    ],
    [
      'of the future',
      { fields: { Date: 'Tue, 01 Dec 2026 01:00:00 UTC' } },
      /^it is of the future/,
    ],
    [
      'another one',
      { fields: { Codename: 'bullseye-security' } },
      /^it is the suite bullseye-security, not bookworm-security/,
    ],
    [
      'of other updates',
      { fields: { Codename: 'bookworm', Suite: 'oldstable' } },
      /its Suite is "oldstable"/,
    ],
    ['without packages', { versions: {} }, /^it has no packages$/],
  ])('is not taken when it is %s', async (_, made, reason) => {
    publish();
    const { version } = await fetch();
    const late = { versions: { 'main/binary-amd64': '6.6' }, ...made };
    publish({ ...late, fields: { Date: 'Sun, 29 Nov 2026 02:00:00 UTC', ...made.fields } });
    expect(await fetch()).toMatchObject({
      ...{ version, changed: [] },
      problems: [{ reason: expect.stringMatching(reason) as unknown }],
    });
    expect(await offered()).toEqual(['foo 1.1']);
  });

  test.each<[string, string, string]>([
    ['another checksum', 'GARBAGE', 'its checksum is not the one in InRelease'],
    ['another size', 'no', 'it has 2 bytes; InRelease says'],
  ])('is not taken with a list of %s', async (kind, garbage, reason) => {
    publish();
    await fetch();
    publish({
      versions: { 'main/binary-amd64': '6.6' },
      fields: { Date: 'Sun, 29 Nov 2026 02:00:00 UTC' },
    });
    const length = gzipSync(packages('6.6')).length;
    const content = kind === 'another size' ? garbage : garbage.padEnd(length, '!');
    server.publish(`${suite}/main/binary-amd64/Packages.gz`, content);
    expect((await fetch()).problems).toEqual([
      expect.objectContaining({ reason: expect.stringContaining(reason) as unknown }),
    ]);
    expect(await offered()).toEqual(['foo 1.1']);
  });

  test('is not taken with a list of a size without bounds, nor with one out of the suite', async () => {
    publish({ versions: {}, more: ` ${'a'.repeat(64)} 99999999999 main/binary-amd64/Packages` });
    await expect(fetch()).rejects.toMatchObject({
      reason: 'InRelease says it has 99999999999 bytes: too many',
    });
    publish({ versions: {}, more: ` ${'a'.repeat(64)} 9 ../../../etc/binary-amd64/Packages` });
    await expect(fetch()).rejects.toMatchObject({ reason: 'it has no packages' });
  });

  test('that nobody renews any more is told of', async () => {
    publish();
    await fetch();
    expect((await fetch({}, new Date('2026-12-07T00:00:00Z'))).problems).toMatchObject([
      { reason: 'it was valid until 2026-12-06T01:00:00.000Z: the mirror is old' },
    ]);
  });

  test('wants a suite that is one', async () => {
    for (const name of ['../x', '', 'a//b', 'a/../b'])
      await expect(fetch({ suite: name })).rejects.toMatchObject({
        reason: 'want the suite, as in <archive>/dists/bookworm-security',
      });
    expect(server.asked).toEqual([]);
  });
});
