import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fc, test as property } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import { errorText } from '../../../../src/core/error-text.ts';
import { decompress } from '../../../../src/producers/advisories/unpack/decompress.ts';
import type { Compression } from '../../../../src/producers/advisories/unpack/sniff.ts';
import { compressionOf } from '../../../../src/producers/advisories/unpack/sniff.ts';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../../fixtures/feeds/archives/${name}`, import.meta.url));

// eslint-disable-next-line @typescript-eslint/require-await
const pieces = async function* (content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
};

const unpack = async (content: Uint8Array, size = 4099): Promise<Buffer> => {
  const compression = compressionOf(content);
  if (compression === null) throw new Error('not compressed');
  const unpacked: Uint8Array[] = [];
  for await (const piece of decompress(compression, pieces(content, size))) unpacked.push(piece);
  return Buffer.concat(unpacked);
};

const digest = (content: Uint8Array): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 16);

/** What the programs `zstd`, `xz` and `bzip2` make of the same files. */
const known: [Compression, string, number, string][] = [
  ['zstd', 'csaf_advisories.tar.zst', 1_873_920, 'c8c3184424dc3980'],
  ['zstd', 'updateinfo.xml.zst', 2_638, 'a219829621bf253c'],
  ['xz', 'osv-all.tar.xz', 92_160, 'a541f131400ffb48'],
  ['xz', 'updateinfo.xml.xz', 1_419, '479766bf0b3e1a70'],
  ['bzip2', 'usn-database.json.bz2', 104_392, 'ff0a30fd5c3b2d6e'],
];

describe('what a stream was compressed with', () => {
  test.each(known)('%s: %s is unpacked to %i bytes', async (compression, name, size, sum) => {
    const content = fixture(name);
    expect(compressionOf(content)).toBe(compression);
    for (const pieceSize of [7, 65_536]) {
      const unpacked = await unpack(content, pieceSize);
      expect([unpacked.length, digest(unpacked)]).toEqual([size, sum]);
    }
  });

  test('a text that begins like bzip2 is not', () => {
    expect(compressionOf(Buffer.from('BZh9, said the bee'))).toBeNull();
  });

  test.each(known.map(([, name]) => name))(
    '%s twice, one after the other, is its content twice',
    async (name) => {
      const content = fixture(name);
      const once = await unpack(content);
      expect(
        (await unpack(Buffer.concat([content, content]))).equals(Buffer.concat([once, once])),
      ).toBe(true);
    },
  );

  test.each(known.map(([compression, name]) => [compression, name]))(
    '%s: %s that is cut off anywhere is an error that says so',
    async (compression, name) => {
      const content = fixture(name);
      const step = Math.ceil(content.length / 60);
      for (let length = 12; length < content.length; length += step) {
        const error = await unpack(content.subarray(0, length)).then(
          () => 'no error',
          (thrown: unknown) => errorText(thrown),
        );
        expect(error).toBe(`${compression}: its data ends too early`);
      }
    },
  );

  test.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'what goes wrong before is not hidden (%i pieces)',
    async (many) => {
      const broken = async function* (content: Buffer): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < many; at += 1) yield content.subarray(at * 50, at * 50 + 50);
        await Promise.reject(new Error('the disk is gone'));
      };
      for (const [compression, name] of known) {
        const reading = async (): Promise<void> => {
          for await (const piece of decompress(compression, broken(fixture(name))))
            expect(piece.length).toBeGreaterThan(0);
        };
        await expect(reading()).rejects.toThrow('the disk is gone');
      }
    },
  );

  property.prop(
    [
      fc.constantFrom(...known),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
    ],
    { numRuns: 120 },
  )('damage is an error, never other content', async ([, name], changes) => {
    const content = Buffer.from(fixture(name));
    const whole = await unpack(content);
    for (const [at, byte] of changes) content[at % content.length] = byte;
    const found = await unpack(content).catch(() => whole);
    expect(found.equals(whole)).toBe(true);
  });

  test('300 MB out of 242 bytes do not stand in memory', async () => {
    const content = fixture('300-million-zeros.bz2');
    const before = process.memoryUsage().rss;
    let size = 0;
    let most = 0;
    for await (const piece of decompress('bzip2', pieces(content, 65_536))) {
      size += piece.length;
      if (size % 64 === 0) most = Math.max(most, process.memoryUsage().rss - before);
    }
    expect(size).toBe(300_000_000);
    expect(most).toBeLessThan(150_000_000);
  });

  test('xz: who stops in the middle does not keep others from reading', async () => {
    const content = gunzipSync(fixture('300-million-zeros.xz.gz'));
    for (let round = 0; round < 3; round += 1)
      for await (const piece of decompress('xz', pieces(content, 100))) if (piece.length > 0) break;
    expect(digest(await unpack(fixture('updateinfo.xml.xz')))).toBe(known[3]?.[3]);
  });
});
