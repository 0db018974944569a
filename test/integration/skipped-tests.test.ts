import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSkipped } from '../../scripts/read-skipped.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-skipped-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('Jest names what it skipped where npm test asks for it', async () => {
  const path = join(directory, 'skipped');
  expect(await readSkipped(path)).toEqual([]);
  await mkdir(join(directory, 'test'));
  await writeFile(join(directory, 'package.json'), '{}');
  await writeFile(
    join(directory, 'test/some.test.js'),
    `test('runs', () => undefined);
     test.skip('alone', () => undefined);
     test.todo('later');
     describe.skip('a group', () => { test('of one', () => undefined); });`,
  );
  const config = JSON.stringify({
    rootDir: directory,
    transform: {},
    reporters: [join(process.cwd(), 'scripts/name-skipped.js')],
  });
  const jest = join(process.cwd(), 'node_modules/jest/bin/jest.js');
  // Not the variable that `npm test` itself may have set: these tests are none of its own.
  const run = (env: Record<string, string>) =>
    execa(process.execPath, [jest, '--config', config], { extendEnv: false, env });
  await run({});
  expect(await readSkipped(path)).toEqual([]);
  await run({ GROUNDSWELL_SKIPPED: path });
  const file = 'test/some.test.js';
  expect(await readSkipped(path)).toEqual([
    { file, name: 'alone' },
    { file, name: 'later' },
    { file, name: 'a group of one' },
  ]);
});
