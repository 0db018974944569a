import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listContainers } from '../../../src/host/lxc/list-containers.ts';
import { diskFiles } from '../../../src/host/lxc/read-config.ts';

let lxcPath: string;
beforeEach(() => {
  lxcPath = mkdtempSync(join(tmpdir(), 'gs-identity-'));
});
afterEach(() => {
  rmSync(lxcPath, { recursive: true });
});

const make = (): void => {
  mkdirSync(join(lxcPath, 'web-1'));
  writeFileSync(join(lxcPath, 'web-1', 'config'), 'lxc.rootfs.path = dir:/srv/web-1\n');
};
const identity = async (): Promise<string | undefined> => {
  const options = { lxcPath, procRoot: '/proc', lowerRoot: '/', files: diskFiles() };
  return (await listContainers(options))[0]?.identity;
};

test('a container is the same until its directory is made anew', async () => {
  make();
  const first = await identity();
  expect(first).toMatch(/^\d+$/);
  writeFileSync(join(lxcPath, 'web-1', 'config'), 'lxc.rootfs.path = dir:/srv/web-2\n');
  writeFileSync(join(lxcPath, 'web-1', 'log'), '');
  utimesSync(join(lxcPath, 'web-1'), 1, 1);
  expect(await identity()).toBe(first);
  rmSync(join(lxcPath, 'web-1'), { recursive: true });
  make();
  expect(await identity()).not.toBe(first);
});
