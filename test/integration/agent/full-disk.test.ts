import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readRoom } from '../../../src/host/packages/room.ts';
import { createFakeHost } from './fake-host.ts';
import {
  batchJob,
  createRecordSource,
  order,
  removeTree,
  settle,
  startLoop,
  until,
  upgradeJob,
} from './loop-rig.ts';
import type { LoopRig } from './loop-rig.ts';
import { needsRoot } from '../needs-root.ts';
import { mountSmallDisk } from '../small-disk.ts';
import type { SmallDisk } from '../small-disk.ts';

const directory = mkdtempSync(join(tmpdir(), 'gs-full-'));
let disk: SmallDisk;
let rig: LoopRig | null = null;

beforeEach(() => {
  disk = mountSmallDisk(directory, 2);
});
afterEach(() => {
  rig?.kill();
  rig = null;
  disk.unmount();
  removeTree(directory);
});

needsRoot(describe)('a full disk under the journal', () => {
  test('begins no restart, says so, and goes on when there is room again', async () => {
    const fake = createFakeHost(['web-1']);
    const source = createRecordSource();
    const path = join(directory, 'agent', 'journal.sqlite');
    rig = startLoop(path, fake, source);
    const incarnation = await settle(rig, source);
    fake.replaceLibrary();
    disk.fill();
    const patient = { ...order(fake, 'web-1', 'grant-1'), beginBefore: 1e12 };
    const taken = rig.loop.journaled(batchJob(incarnation, [patient]));
    // Long enough, twenty times as fast as time, for many tries.
    const { alerts } = rig;
    await until(() => alerts.some((text) => /cannot be written/.test(text)), 'it is alerted');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(fake.events).toEqual([]);
    expect(rig.loop.writable()).toBe(false);
    const filled = rig.loop;
    await until(() => filled.written() === null, 'nothing of what was not written is to be told');

    disk.free();
    await taken;
    const { loop } = rig;
    await until(
      () => loop.agent().journal.grants.get('grant-1')?.end?.outcome === 'done',
      'the grant is done',
    );
    expect(fake.events.filter((event) => event.startsWith('stop'))).toHaveLength(1);
  });

  test('brings back what was being stopped when it filled up', async () => {
    const fake = createFakeHost(['web-1', 'web-2']);
    const source = createRecordSource();
    rig = startLoop(join(directory, 'agent', 'journal.sqlite'), fake, source);
    const incarnation = await settle(rig, source);
    fake.replaceLibrary();
    fake.duringStop = () => {
      disk.fill();
      return Promise.resolve();
    };
    const { loop } = rig;
    loop.dispatch(batchJob(incarnation, [order(fake, 'web-1', 'grant-1')]));
    await until(
      () => loop.agent().journal.grants.get('grant-1')?.end?.outcome === 'done',
      'the grant is done on the reserve',
    );
    expect(fake.container('web-1').instance).not.toBeNull();
    loop.dispatch(batchJob(incarnation, [order(fake, 'web-2', 'grant-2')], 'job-2'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(fake.events.filter((event) => event.endsWith('web-2'))).toEqual([]);
  });
});

needsRoot(describe)('a full disk under all that the host writes', () => {
  test('in the middle of an upgrade: it waits and says so, and what is ordered when there is room again is done', async () => {
    disk.unmount();
    // More than a little has to be freed for another try, and as on any host the journal has room for its log from the start:
    // an agent ticks for as long as it takes, and must be able to write the outcome in the end.
    disk = mountSmallDisk(directory, 192);
    const fake = createFakeHost(['web-1']);
    const source = createRecordSource();
    const { packages } = fake.host;
    const upgradeAsEver = packages.upgrade;
    packages.room = () => readRoom([directory]);
    packages.upgrade = async () => {
      disk.fill();
      await writeFile(join(directory, 'package'), Buffer.alloc(65_536));
      throw new Error('there was room');
    };
    rig = startLoop(join(directory, 'agent', 'journal.sqlite'), fake, source);
    const incarnation = await settle(rig, source);
    const { loop, alerts } = rig;
    const endOf = (jobId: string): string | undefined =>
      loop.agent().journal.upgrades.get(jobId)?.end?.outcome;
    loop.dispatch(upgradeJob(incarnation, 'job-1'));
    await until(
      () => alerts.some((text) => /an upgrade found no room on a disk.*ENOSPC/.test(text)),
      'it is alerted',
    );
    expect(loop.agent().waiting.get('grant of job-1')).toMatch(/goes on by itself/);
    expect({ end: endOf('job-1'), events: fake.events }).toEqual({ end: undefined, events: [] });

    packages.upgrade = upgradeAsEver;
    disk.free();
    await until(() => endOf('job-1') === 'void', 'it is given back');
    await loop.journaled(upgradeJob(incarnation, 'job-2'));
    await until(() => endOf('job-2') === 'done', 'the upgrade is done');
    await loop.journaled(batchJob(incarnation, [order(fake, 'web-1', 'grant-1')], 'job-3'));
    await until(
      () => loop.agent().journal.grants.get('grant-1')?.end?.outcome === 'done',
      'the container was restarted',
    );
    expect(fake.events.filter((event) => /^(upgrade|stop)/.test(event))).toEqual([
      ...['upgrade', 'stop web-1'],
    ]);
  }, 60_000);
});
