import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configReader, diskFiles } from '../../../../src/host/lxc/read-config.ts';

let directory: string;
const path = (name: string): string => join(directory, name);
const write = (name: string, text: string): void => {
  writeFileSync(path(name), text);
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'groundswell-config-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Until a change moves the times of this file, as far as the file system can tell them apart. */
const settle = async (name: string): Promise<void> => {
  while (Date.now() - statSync(path(name)).ctimeMs < 150)
    await new Promise((resolve) => setTimeout(resolve, 10));
};

describe('configurations on disk', () => {
  const groups = (read: ReturnType<typeof configReader>): string[] =>
    read(path('config')).map(({ value }) => value);

  test('are the same object while nothing changes, and read again after any change', async () => {
    write('config', 'lxc.group = a\n');
    const files = diskFiles();
    await settle('config');
    const first = files.readEntries(path('config'));
    expect(files.readEntries(path('config'))).toBe(first);
    write('config', 'lxc.group = b\n');
    expect(groups(configReader(files))).toEqual(['b']);
  });

  test('a write that keeps size and modification time is seen too', async () => {
    write('config', 'lxc.group = a\n');
    const before = statSync(path('config'));
    const files = diskFiles();
    await settle('config');
    expect(groups(configReader(files))).toEqual(['a']);
    write('config', 'lxc.group = b\n');
    utimesSync(path('config'), before.atime, before.mtime);
    expect(groups(configReader(files))).toEqual(['b']);
  });

  test('two writes in one moment: the second one counts', () => {
    const files = diskFiles();
    for (const group of ['a', 'b', 'c', 'd']) {
      write('config', `lxc.group = ${group}\n`);
      expect(groups(configReader(files))).toEqual([group]);
    }
  });

  test('included files and directories are looked at each time', async () => {
    write('config', `lxc.include = ${path('more.conf')}\n`);
    write('more.conf', 'lxc.group = a\n');
    const files = diskFiles();
    await settle('more.conf');
    expect(groups(configReader(files))).toEqual(['a']);
    rmSync(path('more.conf'));
    expect(() => configReader(files)(path('config'))).toThrow(/ENOENT.*more\.conf/);
  });

  test('a pipe in the place of one, or of what it includes, is refused and not waited for', () => {
    execFileSync('mkfifo', [path('pipe')]);
    const reader = configReader(diskFiles());
    expect(() => reader(path('pipe'))).toThrow(/pipe is a pipe, and no configuration$/);
    write('config', `lxc.include = ${path('pipe')}\n`);
    expect(() => reader(path('config'))).toThrow(/is a pipe/);
  });
});
