import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { packageSystemOf } from '../../../../src/host/packages/package-system.ts';

let root: string;
const put = async (path: string, text = ''): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-system-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test.each([
  ['ID=debian\n', 'dpkg'],
  ['ID=ubuntu\nID_LIKE=debian\n', 'dpkg'],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'dpkg'],
  ['ID="almalinux"\nID_LIKE="rhel centos fedora"\n', 'rpm'],
  ['ID="rhel"\nID_LIKE="fedora"\n', 'rpm'],
  ['ID=fedora\n', 'rpm'],
  ['ID="ol"\nID_LIKE="fedora"\n', 'rpm'],
  ['ID="amzn"\nID_LIKE="fedora"\n', 'rpm'],
])('%j: %s, whatever else is installed', async (text, system) => {
  await put('etc/os-release', text);
  await put('usr/bin/rpm');
  await put('var/lib/dpkg/status');
  expect(packageSystemOf(root)).toBe(system);
});

test('one that names no family is told by what is there', async () => {
  await put('usr/lib/os-release', 'ID=void\n');
  expect(packageSystemOf(root)).toBe('dpkg');
  await put('usr/bin/rpm');
  expect(packageSystemOf(root)).toBe('rpm');
  await put('var/lib/dpkg/status');
  expect(packageSystemOf(root)).toBe('dpkg');
});
