import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustBeThere } from '../../../src/cli/local/lxc-path.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-lxc-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('what a person named must be a directory', async () => {
  await mustBeThere(directory);
  await expect(mustBeThere(join(directory, 'lcx'))).rejects.toThrow(
    `there is no directory ${join(directory, 'lcx')}: name the one where LXC keeps its containers`,
  );
  await writeFile(join(directory, 'file'), '');
  await expect(mustBeThere(join(directory, 'file'))).rejects.toThrow(/file is no directory/);
});
