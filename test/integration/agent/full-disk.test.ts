import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFakeHost } from './fake-host.ts';
import {
  batchJob,
  createRecordSource,
  order,
  removeTree,
  settle,
  startLoop,
  until,
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
    const taken = rig.loop.journaled(batchJob(incarnation, [order(fake, 'web-1', 'grant-1')]));
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
