import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { errorText } from '../../../src/core/error-text.ts';
import { openFeedFiles } from '../../../src/producers/advisories/open-feed-files.ts';
import type { FeedLimits } from '../../../src/producers/advisories/unpack/limits.ts';
import { feedLimits } from '../../../src/producers/advisories/unpack/limits.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import type { TarPart } from './tar.ts';
import { tar } from './tar.ts';

const fixtures = new URL('../../fixtures/feeds/archives/', import.meta.url).pathname;
const fixture = (name: string): Buffer => readFileSync(join(fixtures, name));

let feed = '';
beforeEach(async () => {
  feed = await mkdtemp(join(tmpdir(), 'feed-'));
});
afterEach(async () => {
  await rm(feed, { recursive: true, force: true });
});

const put = async (name: string, content: Uint8Array | string): Promise<void> => {
  await mkdir(dirname(join(feed, name)), { recursive: true });
  await writeFile(join(feed, name), content);
};

/** What is in a feed: the text of each document or why it cannot be read, and what was thrown in the end. */
const contents = async (
  path = feed,
  limits: Partial<FeedLimits> = {},
): Promise<{ files: Record<string, string>; thrown: string | null }> => {
  const files: Record<string, string> = {};
  try {
    for await (const file of openFeedFiles(path, { ...feedLimits, ...limits })) {
      const pieces: Uint8Array[] = [];
      try {
        for await (const piece of file.read()) pieces.push(piece);
        files[file.name] = Buffer.concat(pieces).toString('utf8');
      } catch (error) {
        files[file.name] = `error: ${errorText(error)}`;
      }
    }
  } catch (error) {
    return { files, thrown: errorText(error) };
  }
  return { files, thrown: null };
};

const openFiles = async (): Promise<string[]> => readdir('/proc/self/fd');

describe('the documents of a feed', () => {
  test('are those of a directory, in the order of their names, plain or compressed', async () => {
    await put('b.json', '{"b":1}');
    await put('a/x.json.gz', gzipSync('{"x":1}'));
    await put('a/empty.json', '');
    await put('a/Z.txt', 'Z');
    await put('c.xml.zst', fixture('updateinfo.xml.zst'));
    await put('.git/config', 'no document');
    const { files, thrown } = await contents();
    expect(thrown).toBeNull();
    expect(Object.keys(files)).toEqual([
      'a/Z.txt',
      'a/empty.json',
      'a/x.json.gz',
      'b.json',
      'c.xml.zst',
    ]);
    expect(files['a/x.json.gz']).toBe('{"x":1}');
    expect(files['a/empty.json']).toBe('');
    expect(files['c.xml.zst']).toMatch(/^<\?xml.*<\/updates>\n?$/s);
  });

  test('is the file itself, whatever its name, and can be read again', async () => {
    await put('feed', gzipSync('one'));
    for await (const file of openFeedFiles(join(feed, 'feed')))
      for (let time = 0; time < 2; time += 1) {
        const pieces: Uint8Array[] = [];
        for await (const piece of file.read()) pieces.push(piece);
        expect([file.name, Buffer.concat(pieces).toString()]).toEqual(['feed', 'one']);
      }
  });

  test.each([
    [
      'all.zip',
      ['all.zip/all/DLA-0010-1.json', 'all.zip/all/DSA-135.json', 'all.zip/all/DTSA-1-1.json'],
    ],
    [
      'osv-all.tar.xz',
      [
        'osv-all.tar.xz/osv/cve/2024/UBUNTU-CVE-2024-51988.json',
        'osv-all.tar.xz/osv/lsn/LSN-0108-1.json',
        'osv-all.tar.xz/osv/usn/USN-7095-1.json',
      ],
    ],
    [
      'csaf_advisories.tar.zst',
      [7438, 7464, 7434, 7436, 7435].map(
        (number) => `csaf_advisories.tar.zst/2023/rhsa-2023_${number}.json`,
      ),
    ],
  ])('are the files of %s', async (archive, names) => {
    const { files, thrown } = await contents(join(fixtures, archive));
    expect(thrown).toBeNull();
    expect(Object.keys(files)).toEqual(names);
    for (const text of Object.values(files)) expect(JSON.parse(text)).toBeInstanceOf(Object);
  });

  test('of an archive are given whether or not those before them are read', async () => {
    const names: string[] = [];
    for await (const file of openFeedFiles(join(fixtures, 'csaf_advisories.tar.zst'))) {
      names.push(file.name);
      if (names.length === 2) for await (const piece of file.read()) if (piece.length > 0) break;
    }
    expect(names).toHaveLength(5);
  });

  test('of a tar have long names, sizes and kinds as pax and GNU tar write them', async () => {
    const long = `${'d'.repeat(90)}/${'e'.repeat(120)}.json`;
    const parts: TarPart[] = [
      { name: 'dir/', kind: '5', content: '' },
      { name: 'link', kind: '2', content: '' },
      { name: '././@LongLink', kind: 'L', content: `${long}\0` },
      { name: long.slice(0, 99), content: 'gnu' },
      { name: 'PaxHeader', kind: 'x', content: `${long.length + 11} path=${long}x\n` },
      { name: 'short', content: 'pax' },
      { name: 'plain', content: 'p'.repeat(1500) },
    ];
    await put('x.tar', tar(parts));
    await put('y.tar.gz', gzipSync(tar(parts)));
    const { files, thrown } = await contents();
    expect(thrown).toBeNull();
    for (const archive of ['x.tar', 'y.tar.gz']) {
      expect(files[`${archive}/${long}`]).toBe('gnu');
      expect(files[`${archive}/${long}x`]).toBe('pax');
      expect(files[`${archive}/plain`]).toBe('p'.repeat(1500));
    }
    expect(Object.keys(files)).toHaveLength(6);
  });

  test('with names that lead elsewhere are only named so, and nothing is written', async () => {
    const names = ['../../evil', '/etc/evil', '\u001b[31mred'];
    await put('x.tar', tar(names.map((name) => ({ name, content: 'x' }))));
    const { files } = await contents();
    expect(Object.keys(files)).toEqual(['x.tar/../../evil', 'x.tar//etc/evil', 'x.tar/?[31mred']);
    expect(await readdir(feed)).toEqual(['x.tar']);
  });
});

describe('what cannot be read', () => {
  test('of one document is an error of that document, and the others are read', async () => {
    await put('a.gz', gzipSync('a'.repeat(100)).subarray(0, 15));
    await put('b.zst', fixture('updateinfo.xml.zst').subarray(0, 600));
    await put('c.gz', Buffer.from([0x1f, 0x8b, 0x08, 0xff, 0xff]));
    await put('d', 'well');
    const { files, thrown } = await contents();
    expect(thrown).toBeNull();
    expect(files).toEqual({
      'a.gz': 'error: a.gz: gzip: its data ends too early',
      'b.zst': 'error: b.zst: zstd: its data ends too early',
      'c.gz': 'error: c.gz: gzip: its data is damaged (unknown header flags set)',
      d: 'well',
    });
  });

  test.each([
    ['all.zip', fixture('all.zip').subarray(0, 2000), /^all\.zip: zip: /, 0],
    [
      'all.zip',
      Buffer.from('<html>404</html>'),
      /^all\.zip: it is no archive, as its name says$/,
      0,
    ],
    [
      'x.tar.zst',
      fixture('csaf_advisories.tar.zst').subarray(0, 30_000),
      /^x\.tar\.zst: zstd: its data ends/,
      1,
    ],
    [
      'x.tar',
      tar([{ name: 'a', content: 'x'.repeat(600) }]).subarray(0, 1024),
      /^x\.tar: tar: it ends too early$/,
      1,
    ],
    [
      'x.tar',
      tar([{ name: 'a', content: '' }]).fill('!', 512, 600),
      /^x\.tar: tar: it is damaged/,
      1,
    ],
    [
      'x.zip.gz',
      gzipSync(fixture('all.zip')),
      /^x\.zip\.gz: it is a zip archive that is compressed$/,
      0,
    ],
  ])(
    '%s that is broken is told after the other files were read',
    async (name, content, reason, some) => {
      await put(name, content);
      await put('zz.json', '{}');
      const { files, thrown } = await contents();
      expect(thrown).toMatch(reason);
      expect(files['zz.json']).toBe('{}');
      expect(Object.keys(files).length).toBeGreaterThan(some);
    },
  );

  test('one entry of a zip that is damaged is an error of that entry', async () => {
    const content = fixture('all.zip');
    const at = content.indexOf('all/DSA-135.json') + 60;
    content.fill(0xff, at, at + 20);
    await put('all.zip', content);
    const { files, thrown } = await contents();
    expect(thrown).toBeNull();
    expect(files['all.zip/all/DSA-135.json']).toMatch(
      /^error: all\.zip\/all\/DSA-135\.json: zip: /,
    );
    expect(files['all.zip/all/DTSA-1-1.json']).toMatch(/^\{/);
  });

  test('archives within archives, and what is compressed twice, are not opened', async () => {
    const inner = tar([{ name: 'in', content: 'x' }]);
    const parts: TarPart[] = [
      { name: 'in.tar', content: inner },
      { name: 'all.zip', content: fixture('all.zip') },
      { name: 'well.json.gz', content: gzipSync('{}') },
    ];
    await put('a.tar', tar(parts));
    await put('b.tar.gz', gzipSync(tar(parts)));
    await put('c.gz', gzipSync(gzipSync('x')));
    const { files, thrown } = await contents();
    expect(thrown).toBeNull();
    const archive = 'it is an archive within an archive, which is not opened';
    expect(files).toEqual({
      'a.tar/in.tar': `error: a.tar/in.tar: ${archive}`,
      'a.tar/all.zip': `error: a.tar/all.zip: ${archive}`,
      'a.tar/well.json.gz': '{}',
      'b.tar.gz/in.tar': `error: b.tar.gz/in.tar: ${archive}`,
      'b.tar.gz/all.zip': `error: b.tar.gz/all.zip: ${archive}`,
      'b.tar.gz/well.json.gz': 'error: b.tar.gz/well.json.gz: it is compressed twice',
      'c.gz': 'error: c.gz: it is compressed twice',
    });
  });

  test('a feed that is not there, links out of it and pipes in it', async () => {
    expect((await contents(join(feed, 'none'))).thrown).toMatch(/^none: ENOENT/);
    await put('a/real', 'real');
    await symlink('a/real', join(feed, 'inside'));
    await symlink('a', join(feed, 'linked'));
    await symlink('/etc/passwd', join(feed, 'outside'));
    execFileSync('mkfifo', [join(feed, 'pipe')]);
    const { files, thrown } = await contents();
    expect(files).toEqual({ 'a/real': 'real', inside: 'real' });
    expect(thrown).toBe('outside: it is a link out of the feed');
  });
});

describe('limits', () => {
  const bombs: [string, () => Buffer][] = [
    ['bomb.bz2', () => fixture('300-million-zeros.bz2')],
    ['bomb.xz', () => gunzipSync(fixture('300-million-zeros.xz.gz'))],
    ['bomb.gz', () => gzipSync(Buffer.alloc(50_000_000))],
  ];

  test.each(bombs)('%s: what a little is packed to become a lot', async (name, content) => {
    await put(name, content());
    const { files } = await contents(feed, { ratio: 100 });
    expect(files[name]).toMatch(/bytes are packed so that they become more than 1[67]\d{6}$/);
  });

  test('one document, and the next one is read', async () => {
    const parts = [
      { name: 'big', content: 'x'.repeat(1001) },
      { name: 'small', content: 'x' },
    ];
    await put('a.tar', tar(parts));
    await put('big', 'x'.repeat(1001));
    const { files, thrown } = await contents(feed, { documentBytes: 1000 });
    expect(thrown).toBeNull();
    expect(files['a.tar/big']).toBe('error: a.tar/big: it has more than 1000 bytes');
    expect(files['a.tar/small']).toBe('x');
    expect(files['big']).toBe('error: big: it has more than 1000 bytes');
  });

  test('the feed as a whole', async () => {
    await put('a', 'x'.repeat(1000));
    await put('b.tar', tar([{ name: 'b', content: 'x'.repeat(100_000) }]));
    await put('c', 'x');
    const { files, thrown } = await contents(feed, { totalBytes: 50_000 });
    expect(thrown).toMatch(/b.tar: the feed has more than 50000 bytes/);
    expect(Object.keys(files)).not.toContain('c');
    const few = await contents(feed, { entries: 1 });
    expect(few.thrown).toBe('b.tar: the feed has more than 1 documents');
    expect(Object.keys(few.files)).toEqual(['a']);
  });

  test('headers of a tar', async () => {
    await put('x.tar', tar([{ name: 'pax', kind: 'x', content: 'x'.repeat(70_000) }]));
    expect((await contents()).thrown).toBe('x.tar: tar: a header of 70000 bytes');
  });

  test('files that are open: none is left, whatever went wrong', async () => {
    await put('bomb.bz2', fixture('300-million-zeros.bz2'));
    await put('a.gz', gzipSync('a'.repeat(100)).subarray(0, 15));
    await put('a.tar.zst', fixture('csaf_advisories.tar.zst').subarray(0, 30_000));
    await put('all.zip', fixture('all.zip'));
    await contents(feed, { ratio: 100 });
    const before = (await openFiles()).length;
    await contents(feed, { ratio: 100 });
    for await (const file of openFeedFiles(feed)) if (file.name.startsWith('all.zip')) break;
    // What is closed is closed a little later.
    await waitUntil('files are closed', async () => (await openFiles()).length <= before, {
      deadlineMs: 5000,
    });
  });
});
