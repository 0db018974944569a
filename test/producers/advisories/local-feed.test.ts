import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchLocalVersion } from '../../../src/producers/advisories/local-feed.ts';

let directory: string;
let now: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-local-'));
  now = 0;
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const watch = () => watchLocalVersion(directory, () => now);

/** As if that had been done an hour ago. */
const settle = async (...paths: string[]): Promise<void> => {
  const before = new Date(Date.now() - 3_600_000);
  for (const path of [directory, ...paths]) await utimes(path, before, before);
};

const fill = async (count: number): Promise<string> => {
  const below = join(directory, 'below');
  await mkdir(below);
  await Promise.all(
    Array.from({ length: count }, (_, index) => writeFile(join(below, `${index}.json`), '{}')),
  );
  await settle(below);
  return below;
};

describe('the version of a feed that lies here', () => {
  test('of a few files is another one whenever one of them was written', async () => {
    const below = await fill(3);
    const version = watch();
    const first = await version();
    expect(await version()).toBe(first);
    await writeFile(join(below, '1.json'), '{"more": 1}');
    expect(await version()).not.toBe(first);
  });

  test('of many files tells at once what came, went or was put in the place of another', async () => {
    const below = await fill(1_001);
    const version = watch();
    let known = await version();
    const isAnother = async (): Promise<boolean> => {
      const before = known;
      known = await version();
      return known !== before;
    };
    expect(await isAnother()).toBe(false);
    await writeFile(join(below, 'new.json'), '{}');
    expect(await isAnother()).toBe(true);
    // At the same moment, by the clock of the file system.
    await rm(join(below, '7.json'));
    expect(await isAnother()).toBe(true);
    await settle(below);
    await isAnother();
    await writeFile(join(directory, 'aside'), '{"changed": 1}');
    await rename(join(directory, 'aside'), join(below, '8.json'));
    await settle();
    expect(await isAnother()).toBe(true);
  });

  test('of many files tells within a quarter of an hour what was written over where it lay', async () => {
    const below = await fill(1_001);
    const version = watch();
    const first = await version();
    await writeFile(join(below, '5.json'), '{"more": 1}');
    expect(await version()).toBe(first);
    now = 15 * 60_000;
    expect(await version()).not.toBe(first);
  });
});
