import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createBed } from '../bed/bed.ts';
import { cleanAbandonedBeds, TEST_BEDS } from '../bed/clean-abandoned.ts';
import { findLeftovers } from '../bed/clean.ts';
import { startContainers } from '../bed/containers.ts';
import { exists } from '../bed/exists.ts';

const DIRECTORY = join(TEST_BEDS, 'abandoned');
const NUMBER = 101;
const OTHER_NUMBER = 102;
const FROZEN_NUMBER = 103;

const claimPath = (number: number): string => `/run/groundswell-bed/${number}.json`;

/** What a bed leaves whose process was killed: here even its pid is given to another one. */
const claimOfTheDead = async (number: number): Promise<void> => {
  await mkdir('/run/groundswell-bed', { recursive: true });
  const claim = { directory: DIRECTORY, pid: 1, startTime: 'long ago' };
  await writeFile(claimPath(number), JSON.stringify(claim));
};

test('who makes an abandoned bed anew loses nothing to a clean-up at the same time', async () => {
  await claimOfTheDead(NUMBER);
  const old = join(DIRECTORY, 'hosts/old');
  await mkdir(old, { recursive: true });
  const cleaning = cleanAbandonedBeds();
  const bed = await createBed({
    directory: DIRECTORY,
    hostNumbers: [NUMBER],
    projectDirectory: process.cwd(),
  });
  try {
    await cleaning;
    expect(await exists(old)).toBe(false);
    expect(await exists(bed.repository.keyPath)).toBe(true);
    expect(JSON.parse(await readFile(claimPath(NUMBER), 'utf8'))).toMatchObject({
      directory: DIRECTORY,
      pid: process.pid,
    });

    // The earlier bed had a number that this one does not take.
    await claimOfTheDead(OTHER_NUMBER);
    expect(await cleanAbandonedBeds()).not.toContain(DIRECTORY);
    expect(await exists(bed.repository.keyPath)).toBe(true);
  } finally {
    await bed.dispose();
  }
  expect(await cleanAbandonedBeds()).toContain(DIRECTORY);
  expect(await exists(claimPath(OTHER_NUMBER))).toBe(false);
}, 300_000);

test('a frozen container keeps neither its host from being powered off, nor its bed from being cleaned', async () => {
  const directory = join(TEST_BEDS, 'frozen');
  const bed = await createBed({
    ...{ directory, hostNumbers: [FROZEN_NUMBER], projectDirectory: process.cwd() },
  });
  try {
    const host = await bed.createHost({ number: FROZEN_NUMBER });
    const containers = await bed.createContainers(host, { service: 'web', count: 1 });
    const freeze = async (): Promise<void> => {
      await startContainers(containers);
      await host.must(['lxc-freeze', '-n', 'web-01']);
    };
    await freeze();
    await host.powerOff();
    expect(await host.isRunning()).toBe(false);
    await host.start();
    await freeze();
  } finally {
    await bed.dispose();
  }
  expect(await findLeftovers(directory, [FROZEN_NUMBER])).toEqual([]);
}, 300_000);
