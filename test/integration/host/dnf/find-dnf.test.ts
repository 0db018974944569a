import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findDnf } from '../../../../src/host/dnf/find-dnf.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-find-dnf-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** A program that says which version it is. */
const install = (name: string, version: string): Promise<void> =>
  writeFile(join(directory, name), `#!/bin/sh\nprintf '${version}\\n'\n`, { mode: 0o755 });

/** Nothing but what was installed is found. */
const find = (): ReturnType<typeof findDnf> => findDnf({ PATH: directory });

test.each([
  ['yum alone, which is dnf 4', { yum: '4.14.0' }, { program: 'yum', generation: 4 }],
  [
    'dnf before others that are there too',
    { yum: '4.14.0', dnf5: 'dnf5 version 5.4.6.0', dnf: '4.14.0' },
    { program: 'dnf', generation: 4 },
  ],
  ['dnf5 alone', { dnf5: 'dnf5 version 5.4.6.0' }, { program: 'dnf5', generation: 5 }],
  [
    'what is no dnf passed over',
    { dnf: 'another program', yum: '4.7.0' },
    { program: 'yum', generation: 4 },
  ],
])('%s', async (_, programs, found) => {
  for (const [name, version] of Object.entries(programs)) await install(name, version);
  expect(await find()).toEqual(found);
});

test('yum 3, or nothing at all, is said to be none', async () => {
  await expect(find()).rejects.toThrow('there is no dnf 4 or 5, nor a yum that is one');
  await install('yum', '3.4.3');
  await expect(find()).rejects.toThrow('there is no dnf 4 or 5, nor a yum that is one');
});
