import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { atRestReader, readAtRest } from '../../../../src/host/apt/at-rest.ts';
import { createLockAsker } from '../../../../src/host/packages/lock-asker.ts';
import { presentPackages } from '../../../../src/host/apt/parse-dpkg-status.ts';
import { readDpkgDatabase } from '../../../../src/host/apt/read-dpkg-database.ts';
import { waitUntil } from '../../../bed/wait-until.ts';

let root: string;
const inDpkg = (name: string): string => join(root, 'var/lib/dpkg', name);
const stanza = (name: string, version: string, words = 'install ok installed'): string =>
  `Package: ${name}\nStatus: ${words}\nArchitecture: amd64\nVersion: ${version}\n\n`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-dpkg-'));
  await mkdir(inDpkg('updates'), { recursive: true });
  await writeFile(inDpkg('status'), stanza('a', '1') + stanza('b', '1'));
  await writeFile(inDpkg('lock'), '');
  await writeFile(inDpkg('lock-frontend'), '');
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('the dpkg database', () => {
  test('of this machine: as dpkg-query lists it', async () => {
    const { stdout } = await execa('dpkg-query', [
      ...[
        '-W',
        '-f',
        '${Package}\t${Architecture}\t${Version}\t${source:Package}\t${source:Version}\n',
      ],
    ]);
    const listed = presentPackages((await readDpkgDatabase('/')).packages).map(
      ({ name, arch, version, source, sourceVersion }) =>
        [name, arch, version, source, sourceVersion].join('\t'),
    );
    const expected = stdout.split('\n').filter((line) => line.split('\t')[2] !== '');
    for (const line of listed) expect(expected).toContain(line);
    expect(listed.length).toBeGreaterThan(100);
  });

  test('the journal counts over the status file, in its order', async () => {
    await writeFile(inDpkg('updates/0001'), stanza('b', '2', 'install ok half-configured'));
    await writeFile(inDpkg('updates/0000'), stanza('b', '1', 'install ok half-installed'));
    await writeFile(inDpkg('updates/tmp.i'), 'nonsense');
    await writeFile(inDpkg('status-old'), 'nonsense');
    const { packages, journalEntries } = await readDpkgDatabase(root);
    expect(journalEntries).toBe(2);
    expect(packages).toMatchObject([
      { name: 'a', version: '1', state: 'installed' },
      { name: 'b', version: '2', state: 'half-configured' },
    ]);
  });

  test('no database, and a damaged one', async () => {
    await writeFile(inDpkg('status'), 'Package: a\nStatus: what\n\n');
    await expect(readDpkgDatabase(root)).rejects.toThrow('status of package a: cannot read "what"');
    expect(await readAtRest(root)).toMatchObject({ atRest: false });
    await rm(inDpkg('status'));
    await expect(readDpkgDatabase(root)).rejects.toThrow('ENOENT');
    expect(await readAtRest(root)).toMatchObject({ atRest: false });
  });

  test('while it is rewritten all the time, only whole states are read', async () => {
    const states = ['1', '2'].map((version) => stanza('a', version) + stanza('b', version));
    const writer = { stop: false };
    const rewriting = (async () => {
      for (let n = 0; !writer.stop; n += 1) {
        await writeFile(inDpkg('status-new'), states[n % 2] ?? '');
        await rename(inDpkg('status-new'), inDpkg('status'));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    for (let n = 0; n < 30; n += 1) {
      const { packages } = await readDpkgDatabase(root);
      expect(new Set(packages.map(({ version }) => version)).size).toBe(1);
    }
    writer.stop = true;
    await rewriting;
  });
});

describe('at rest (I7)', () => {
  const hold = (name: string, call: string) => {
    const script = `import fcntl,sys\nf=open(sys.argv[1],"r+")\n${call}\nprint("held",flush=True)\nsys.stdin.read()`;
    return execa('python3', ['-c', script, inDpkg(name)], { buffer: false, reject: false });
  };

  test.each(['lock', 'lock-frontend'])('%s is held, by another process', async (name) => {
    expect(await readAtRest(root)).toEqual({ atRest: true });
    const holder = hold(name, 'fcntl.lockf(f, fcntl.LOCK_EX)');
    const found = await waitUntil(
      'the lock to be seen',
      async () => {
        const rest = await readAtRest(root);
        return rest.atRest ? null : rest;
      },
      { deadlineMs: 10_000 },
    );
    expect(found.reason).toBe(`python3 (pid ${holder.pid ?? 0}) holds ${inDpkg(name)}`);
    holder.stdin.end();
    await holder;
    expect(await readAtRest(root)).toEqual({ atRest: true });
  });

  test.each([
    ['by the kernel itself', undefined],
    ['by /proc/locks, where there is no perl', '/nonexistent/perl'],
    ['by /proc/locks, where it answers nonsense', '/bin/echo'],
  ])('asked over and over: %s', async (_how, program) => {
    const locks = createLockAsker(program);
    const read = atRestReader(locks);
    for (let n = 0; n < 3; n += 1) expect(await read(root)).toEqual({ atRest: true });
    const holder = hold('lock-frontend', 'fcntl.lockf(f, fcntl.LOCK_EX)');
    const found = await waitUntil(
      'the lock to be seen',
      async () => {
        const rest = await read(root);
        return rest.atRest ? null : rest;
      },
      { deadlineMs: 10_000 },
    );
    expect(found.reason).toBe(`python3 (pid ${holder.pid ?? 0}) holds ${inDpkg('lock-frontend')}`);
    expect(await read(root)).toMatchObject({ atRest: false });
    holder.stdin.end();
    await holder;
    expect(await read(root)).toEqual({ atRest: true });
    await rm(inDpkg('lock'));
    expect(await read(root)).toEqual({ atRest: true });
    locks.rest();
  });

  test('locks of other kinds or on other files with the same name are none', async () => {
    const flock = hold('lock', 'fcntl.flock(f, fcntl.LOCK_EX)');
    await writeFile(join(root, 'lock'), '');
    const other = hold('../../../lock', 'fcntl.lockf(f, fcntl.LOCK_EX)');
    const pids = [flock.pid ?? 0, other.pid ?? 0];
    await waitUntil(
      'both locks',
      async () => {
        const locks = await readFile('/proc/locks', 'utf8');
        return pids.every((pid) => locks.includes(` ${pid} `));
      },
      { deadlineMs: 10_000 },
    );
    expect(await readAtRest(root)).toEqual({ atRest: true });
    for (const holder of [flock, other]) holder.stdin.end();
    await Promise.all([flock, other]);
  });

  test('a package in a half state, and a journal that is left', async () => {
    await writeFile(inDpkg('status'), stanza('a', '1', 'install ok half-configured'));
    expect(await readAtRest(root)).toEqual({
      atRest: false,
      reason: 'a:amd64 is half-configured, wanted: install',
    });
    await writeFile(inDpkg('status'), stanza('a', '1'));
    await writeFile(inDpkg('updates/0003'), stanza('a', '1'));
    expect(await readAtRest(root)).toEqual({
      atRest: false,
      reason: 'dpkg was interrupted: its journal is not merged',
    });
  });

  test('one that was at rest is looked at again once it was written', async () => {
    const locks = createLockAsker();
    const read = atRestReader(locks);
    expect(await read(root)).toEqual({ atRest: true });
    await writeFile(inDpkg('status'), stanza('a', '1', 'install ok unpacked'));
    expect(await read(root)).toMatchObject({ atRest: false });
    await writeFile(inDpkg('status'), stanza('a', '1'));
    expect(await read(root)).toEqual({ atRest: true });
    await writeFile(inDpkg('updates/0003'), stanza('a', '1'));
    expect(await read(root)).toMatchObject({ atRest: false });
    locks.rest();
  });
});
