import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAppArmor } from '../../../../src/host/lxc/apparmor.ts';
import { runBounded } from '../../../../src/host/run-bounded.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-apparmor-'));
});
afterEach(() => rm(root, { recursive: true }));

/** What stands in PATH besides nothing. */
const look = (): ReturnType<typeof readAppArmor> =>
  readAppArmor(root, (argv, options) =>
    runBounded(argv, { ...options, env: { ...options.env, PATH: join(root, 'bin') } }),
  );

test('whether the kernel uses it, and whether its parser can be run', async () => {
  expect(await look()).toBe('off');
  await mkdir(join(root, 'module/apparmor/parameters'), { recursive: true });
  await writeFile(join(root, 'module/apparmor/parameters/enabled'), 'N\n');
  expect(await look()).toBe('off');
  await writeFile(join(root, 'module/apparmor/parameters/enabled'), 'Y\n');
  expect(await look()).toBe('without parser');
  await mkdir(join(root, 'bin'));
  const parser = join(root, 'bin/apparmor_parser');
  await writeFile(parser, '#!/bin/sh\ntest "$1" = --version\n');
  await chmod(parser, 0o755);
  expect(await look()).toBe('complete');
});
