import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fc } from '@fast-check/jest';
import { afterAll, expect, test } from '@jest/globals';
import { readSpool, removeSpoolFiles } from '../../src/producers/packages/read-spool.ts';
import { isLong, mutatedBytes } from './mutations.ts';

/** What may lie in the spool, made at random: always the same few, or many others (`npm run test:unit:long`). */
const runs = isLong ? { numRuns: 10_000 } : { numRuns: 80, seed: 4 };

const directory = mkdtempSync(join(tmpdir(), 'gs-fuzz-spool-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const me = process.getuid?.() ?? 0;
const isRoot = me === 0;

/** As the hook writes it, of a real transaction. */
const written = Buffer.concat([
  Buffer.from('groundswell-hook 1 pre-install-pkgs \n'),
  readFileSync(new URL('../fixtures/apt/pre-install-pkgs-v3.txt', import.meta.url)).subarray(
    0,
    4_000,
  ),
]);
const header =
  /^groundswell-hook 1 (?:pre-install-pkgs|post-invoke|dpkg-post-invoke|post-transaction) \S*\n/;

const content = fc.oneof(
  fc.constant(written),
  fc
    .constantFrom('', 'groundswell-hook', 'groundswell-hook 1 post-invoke install\n')
    .map((text) => Buffer.from(text)),
  mutatedBytes(written),
);
const name = fc
  .oneof(
    fc.constantFrom(
      ...['pre-install-pkgs.812.4711.08', '.post-invoke.1.2', '.x', '...', '-rf', ' ', 'a\nb', '*'],
      ...['\u001b[2J', 'é', '__proto__', 'a'.repeat(255), 'x.json', '.refused.1', '~', '$(true)'],
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
  )
  .filter((text) => !/[/\0]/.test(text) && !['.', '..', '.refused'].includes(text))
  // What cannot be a name on disk, and what is written otherwise than it is read.
  .filter((text) => Buffer.from(text).length <= 255);

type Make = (path: string, bytes: Buffer) => void;
const kinds: Record<string, Make> = {
  file: (path, bytes) => {
    writeFileSync(path, bytes);
  },
  old: (path, bytes) => {
    writeFileSync(path, bytes);
    utimesSync(path, 1, 1);
  },
  huge: (path, bytes) => {
    writeFileSync(path, bytes);
    // Without blocks: it only says so.
    truncateSync(path, 1 << 40);
  },
  unreadable: (path, bytes) => {
    writeFileSync(path, bytes);
    chmodSync(path, 0);
  },
  foreign: (path, bytes) => {
    writeFileSync(path, bytes);
    if (isRoot) chownSync(path, 12_345, 12_345);
  },
  link: (path) => {
    symlinkSync(join(directory, 'outside'), path);
  },
  loop: (path) => {
    symlinkSync(path, path);
  },
  pipe: (path) => {
    execFileSync('mkfifo', ['--', path]);
  },
  directory: (path, bytes) => {
    mkdirSync(path);
    writeFileSync(join(path, 'in it'), bytes);
  },
};

const entry = fc.record({ name, kind: fc.constantFrom(...Object.keys(kinds)), bytes: content });

test('whatever lies in the spool, what is the hook’s is found, the rest is put aside, and nothing else is touched', async () => {
  const outside = join(directory, 'outside');
  writeFileSync(outside, written);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, { maxLength: 8, selector: (one) => one.name }),
      async (entries) => {
        const spool = mkdtempSync(join(directory, 's-'));
        for (const { name: called, kind, bytes } of entries)
          kinds[kind]?.(join(spool, called), bytes);
        const there = readdirSync(spool).length;
        const found = await readSpool({ directory: spool, owner: me });
        for (const { path } of found.files) {
          const stats = lstatSync(path);
          expect([stats.isFile(), stats.uid, stats.size < 1 << 24]).toEqual([true, me, true]);
          expect(readFileSync(path, 'latin1')).toMatch(header);
        }
        for (const { reason } of found.refused) expect(reason).toMatch(/^it |^EACCES/);
        const named = [...found.files, ...found.refused].map(({ path }) => path);
        expect(new Set(named).size).toBe(named.length);
        expect(named.length).toBeLessThanOrEqual(there);
        // What was refused is refused once; who is not root may not open what is closed to him.
        const again = await readSpool({ directory: spool, owner: me });
        expect(again.files).toEqual(found.files);
        if (isRoot) expect(again.refused).toEqual([]);
        await removeSpoolFiles(again.files);
        expect((await readSpool({ directory: spool, owner: me })).files).toEqual([]);
        expect(readFileSync(outside)).toEqual(written);
        rmSync(spool, { recursive: true });
      },
    ),
    runs,
  );
  expect(existsSync(outside)).toBe(true);
});
