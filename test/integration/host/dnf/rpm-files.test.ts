import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pidFileHolders } from '../../../../src/host/dnf/locks.ts';
import { dnfInventoryMark } from '../../../../src/host/dnf/read-inventory.ts';
import { findRpmPlace, rpmSignature, rpmWrittenAtMs } from '../../../../src/host/dnf/rpm-place.ts';
import type { RpmPlace } from '../../../../src/host/dnf/rpm-place.ts';

let root: string;
let place: RpmPlace;
const put = async (path: string, text = ''): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};
const setTime = (path: string, ms: number): Promise<void> =>
  utimes(join(root, path), ms / 1000, ms / 1000);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-rpm-'));
  place = { root, dbPath: '/var/lib/rpm' };
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("rpm's database", () => {
  test('lies where its distribution has it, in any of its forms', async () => {
    expect(findRpmPlace(root)).toBeNull();
    expect(() => rpmSignature(place)).toThrow('there is no rpm database');
    await put('var/lib/rpm/Packages');
    expect(findRpmPlace(root)?.dbPath).toBe('/var/lib/rpm');
    await put('usr/lib/sysimage/rpm/rpmdb.sqlite');
    expect(findRpmPlace(root)?.dbPath).toBe('/usr/lib/sysimage/rpm');
  });

  test('what is still in its log counts as written; an empty log, which a reader leaves, does not', async () => {
    await put('var/lib/rpm/rpmdb.sqlite', 'data');
    await setTime('var/lib/rpm/rpmdb.sqlite', 1_000_000);
    const before = rpmSignature(place);
    await put('var/lib/rpm/rpmdb.sqlite-wal');
    expect(rpmSignature(place)).toBe(before);
    expect(rpmWrittenAtMs(place)).toBe(1_000_000);
    await put('var/lib/rpm/rpmdb.sqlite-wal', 'pending');
    await setTime('var/lib/rpm/rpmdb.sqlite-wal', 2_000_000);
    expect(rpmSignature(place)).not.toBe(before);
    expect(rpmWrittenAtMs(place)).toBe(2_000_000);
  });

  test('the mark of the inventory moves with it, with what was fetched, and with locks', async () => {
    await put('var/lib/rpm/rpmdb.sqlite', 'data');
    const marks = [await dnfInventoryMark(place)];
    for (const path of [
      'var/cache/dnf/baseos-1/repodata/repomd.xml',
      'var/cache/libdnf5/baseos-2/repodata/repomd.xml',
      'etc/dnf/plugins/versionlock.list',
      'var/lib/rpm/rpmdb.sqlite',
    ]) {
      await put(path, 'more data');
      marks.push(await dnfInventoryMark(place));
    }
    expect(new Set(marks).size).toBe(5);
    // A refresh that brings nothing new writes the index all the same.
    await setTime('var/cache/dnf/baseos-1/repodata/repomd.xml', 1_000_000);
    await put('var/cache/dnf/baseos.solv');
    expect(await dnfInventoryMark(place)).toBe(marks.at(-1));
  });

  test.each([
    'etc/yum.repos.d/bed.repo',
    'etc/dnf/dnf.conf',
    'etc/dnf/vars/releasever',
    'etc/dnf/modules.d/nodejs.module',
    'etc/dnf/plugins/versionlock.list',
    'etc/dnf/versionlock.toml',
  ])('the mark moves with %s, written in place', async (path) => {
    await put('var/lib/rpm/rpmdb.sqlite', 'data');
    await put(path, 'enabled=0');
    await setTime(path, 1_000_000);
    const before = await dnfInventoryMark(place);
    expect(await dnfInventoryMark(place)).toBe(before);
    await put(path, 'enabled=1');
    expect(await dnfInventoryMark(place)).not.toBe(before);
    // Also by somebody who puts the time back.
    await put(path, 'enabled=0, for now');
    await setTime(path, 1_000_000);
    expect(await dnfInventoryMark(place)).not.toBe(before);
  });
});

describe("dnf 4's lock", () => {
  const path = 'var/lib/dnf/rpmdb_lock.pid';

  test('is held by the process that wrote its pid there, as long as that lives', async () => {
    expect(pidFileHolders(place)).toEqual([]);
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    await put(path, String(child.pid));
    expect(pidFileHolders(place)).toEqual([
      { path: join(root, path), pid: child.pid, command: 'sleep' },
    ]);
    // One that began long after the file was written is somebody else with the same pid.
    await setTime(path, Date.now() - 3_600_000);
    expect(pidFileHolders(place)).toEqual([]);
    await setTime(path, Date.now());
    expect(pidFileHolders(place)).toHaveLength(1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(pidFileHolders(place)).toEqual([]);
  });

  test('what is no pid holds nothing', async () => {
    for (const text of ['', 'x', '0', '-1']) {
      await put(path, text);
      expect(pidFileHolders(place)).toEqual([]);
    }
  });
});
