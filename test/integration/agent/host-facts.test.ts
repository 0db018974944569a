import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { platformOf, readRebootRequired } from '../../../src/workers/agent/ports/host-facts.ts';

let run: string;

beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), 'gs-run-'));
});
afterEach(async () => {
  await rm(run, { recursive: true });
});

test('which packages ask for a reboot, and that one is asked for where none is named', async () => {
  const names = 'linux-image-6.1.0-1-amd64\nlibc6\n\nlibc6\n';
  await writeFile(join(run, 'reboot-required.pkgs'), names);
  expect(await readRebootRequired(run)).toEqual([]);
  await writeFile(join(run, 'reboot-required'), '*** System restart required ***\n');
  expect(await readRebootRequired(run)).toEqual(['libc6', 'linux-image-6.1.0-1-amd64']);
  await rm(join(run, 'reboot-required.pkgs'));
  expect(await readRebootRequired(run)).toEqual(['unknown packages']);
});

test('the platform, with and without a version', () => {
  expect(platformOf('ID=debian\nVERSION_ID="12"\n')).toBe('debian-12');
  expect(platformOf('ID=debian\n')).toBe('debian');
  expect(platformOf('')).toBe('unknown');
});
