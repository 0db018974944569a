import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchUpdateinfo } from '../../../../src/producers/advisories/updateinfo/fetch.ts';
import { updateinfoSource } from '../../../../src/producers/advisories/updateinfo/source.ts';
import type { FeedServer } from './feed-server.ts';
import { startFeedServer } from './feed-server.ts';
import type { Rig } from './rig.ts';
import { createRig } from './rig.ts';

const source = updateinfoSource({ distro: 'almalinux', release: '9', channel: null });
const updates = (...numbers: number[]): string =>
  `<updates>${numbers
    .map(
      (number) => `<update from="x" status="final" type="security" version="1">
  <id>ALSA-2026:${number}</id><title>foo</title><severity>Important</severity>
  <issued date="2026-01-0${number}"/><references/>
  <pkglist><collection><package name="foo" version="1.${number}" release="1.el9" arch="x86_64" epoch="0"><filename>x</filename></package></collection></pkglist>
</update>`,
    )
    .join('')}</updates>`;

interface Entry {
  href?: string;
  sha256?: string;
  size?: number | string;
  time?: number;
}
const repomd = (
  content: Buffer,
  { href, sha256, size, time = 1_800_000_000 }: Entry = {},
): string =>
  `<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="updateinfo">
  <checksum type="sha256">${sha256 ?? createHash('sha256').update(content).digest('hex')}</checksum>
  <location href="${href ?? 'repodata/updateinfo.xml.gz'}"/><timestamp>${time}</timestamp><size>${size ?? content.length}</size>
</data></repomd>`;

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

const publish = (content: Buffer, entry: Entry = {}): void => {
  server.publish(`/os/${entry.href ?? 'repodata/updateinfo.xml.gz'}`, content);
  server.publish('/os/repodata/repomd.xml', repomd(content, entry));
};
const fetch = async (url = `${server.url}/os/`) => rig.fetch(fetchUpdateinfo, { url });
const ids = async (): Promise<string[]> => (await rig.parse(source)).advisories.map(({ id }) => id);

const one = gzipSync(updates(1));
const two = gzipSync(updates(1, 2));

describe('the advisories of a repository', () => {
  test('come by its index, and again only when the index has another', async () => {
    publish(one, { href: 'repodata/1-updateinfo.xml.gz' });
    const first = await fetch();
    expect(first).toMatchObject({ since: null, changed: 'all', complete: true, problems: [] });
    expect(await ids()).toEqual(['ALSA-2026:1']);
    expect(await server.during(fetch)).toEqual(['GET /os/repodata/repomd.xml 304']);

    // The packages are others, the advisories are not.
    server.publish(
      '/os/repodata/repomd.xml',
      repomd(one, { href: 'repodata/1-updateinfo.xml.gz', time: 1_800_000_001 }),
    );
    expect(await server.during(fetch)).toEqual(['GET /os/repodata/repomd.xml 200']);

    publish(two, { href: 'repodata/2-updateinfo.xml.gz', time: 1_800_000_002 });
    expect(await fetch()).toMatchObject({ changed: 'all', problems: [] });
    expect(await ids()).toEqual(['ALSA-2026:1', 'ALSA-2026:2']);
    expect(Object.keys(await rig.files())).toEqual([
      'repodata/2-updateinfo.xml.gz',
      'repodata/repomd.xml',
    ]);
    expect(await fetch()).toMatchObject({ changed: [] });
  });

  test('are found by the address of the index, by a list of mirrors, and alone', async () => {
    publish(one);
    await fetch(`${server.url}/os/repodata/repomd.xml`);
    expect(await ids()).toEqual(['ALSA-2026:1']);
    server.publish('/latest/mirror.list', `${server.url}/os\n`);
    await fetch(`${server.url}/latest/mirror.list`);
    expect(await ids()).toEqual(['ALSA-2026:1']);
    await fetch(`${server.url}/os/repodata/updateinfo.xml.gz`);
    expect(await ids()).toEqual(['ALSA-2026:1']);
    expect(Object.keys(await rig.files())).toEqual(['updateinfo.xml.gz']);
    server.publish('/latest/mirror.list', `ftp://x/os\n`);
    await expect(fetch(`${server.url}/latest/mirror.list`)).rejects.toMatchObject({
      reason: 'it is redirected to no address',
    });
  });

  test.each<[string, Entry, string]>([
    ['another checksum', { sha256: 'a'.repeat(64) }, 'its sha256 is '],
    ['another size', { size: 7 }, 'and repodata/repomd.xml says 7'],
    ['a size without bounds', { size: '999999999999' }, '999999999999 bytes: too many'],
    ['a path out of it', { href: '../../../etc/cron.d/x' }, 'which is no path in it'],
    ['another server', { href: 'http://evil/updateinfo.xml' }, 'which is no path in it'],
    ['a hidden name', { href: 'repodata/.fetched.json' }, 'which is no path in it'],
    ['itself', { href: 'repodata/repomd.xml' }, 'which is no path in it'],
    ['an older state', { time: 1_700_000_000 }, 'the mirror offers an older state (2023-11-14T'],
  ])('stay as they are where the index names %s', async (_, entry, reason) => {
    publish(one);
    const { version } = await fetch();
    publish(two, { time: 1_900_000_000, ...entry });
    const asked = await server.during(async () => {
      expect(await fetch()).toMatchObject({
        ...{ version, changed: [] },
        problems: [{ reason: expect.stringContaining(reason) as unknown }],
      });
    });
    expect(asked.every((line) => line.startsWith('GET /os/repodata/'))).toBe(true);
    expect(await ids()).toEqual(['ALSA-2026:1']);
  });

  test.each([
    ['<repomd/>', 'this repository names no updateinfo'],
    ['<html>not found</html>', 'it is <html>, not <repomd>'],
    ['', 'it holds no XML element'],
    [repomd(one).slice(0, 200), 'nclosed'],
  ])('are an error without an index that is one: %p', async (index, reason) => {
    server.publish('/os/repodata/repomd.xml', index);
    await expect(fetch()).rejects.toMatchObject({
      url: `${server.url}/os/repodata/repomd.xml`,
      reason: expect.stringMatching(reason) as unknown,
    });
  });

  test.each([
    ['emptied', [], 'there is no record in it'],
    ['shrunken', [1, 2], 'it has only 2 of 25 records any more, and is held back'],
  ])(
    'stay as they are where the repository is %s, until a person accepts it',
    async (_, left, reason) => {
      const all = Array.from({ length: 25 }, (_, at) => at + 1);
      // One without any is one that begins.
      publish(gzipSync(updates()), { time: 1_700_000_000 });
      await fetch();
      publish(gzipSync(updates(...all)));
      const { version } = await fetch();
      publish(gzipSync(updates(...left)), { time: 1_900_000_000 });
      const lost = { had: 25, has: left.length };
      for (let times = 0; times < 2; times += 1)
        expect(await fetch()).toMatchObject({
          ...{ version, changed: [], complete: true },
          problems: [{ file: 'repodata/updateinfo.xml.gz', record: '', reason, lost }],
        });
      expect(await ids()).toHaveLength(25);
      const accepted = await rig.fetch(
        async (context) => fetchUpdateinfo({ ...context, evenIfMostIsGone: true }),
        { url: `${server.url}/os/` },
      );
      expect(accepted).toMatchObject({ changed: 'all', complete: true, problems: [] });
      expect(await ids()).toHaveLength(left.length);
    },
  );

  test('are left alone where the mirror has only the index yet', async () => {
    publish(one, { href: 'repodata/1-updateinfo.xml.gz' });
    await fetch();
    publish(two, { href: 'repodata/2-updateinfo.xml.gz' });
    server.unpublish('/os/repodata/2-updateinfo.xml.gz');
    await expect(fetch()).rejects.toMatchObject({ status: 404 });
    expect(await ids()).toEqual(['ALSA-2026:1']);
    server.publish('/os/repodata/2-updateinfo.xml.gz', two);
    await fetch();
    expect(await ids()).toEqual(['ALSA-2026:1', 'ALSA-2026:2']);
  });
});
