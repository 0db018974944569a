import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { setHealth } from '../bed/ask.ts';
import { readWitness } from '../bed/containers.ts';
import { upgradeByApt, waveFrom, waveOver, waveWhen } from '../bed/scene-waves.ts';
import { createScene } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';
import type { QueueCounts } from '../../src/core/coordinator/api-rows.ts';
import type { StatusView } from '../../src/cli/views.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';

describe('operators in the middle of a wave', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/operators`,
      hostNumber: 113,
      projectDirectory: process.cwd(),
      services: {
        web: {
          count: 5,
          arguments: ['--start-delay-ms', '500', '--unhealthy-file', '/etc/gs-unhealthy'],
          maxUnavailable: 1,
          healthyDeadlineMs: 3_000,
        },
      },
    });
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  const stops = async (): Promise<number> =>
    (await readWitness(scene.host)).filter(({ kind }) => kind === 'stop').length;
  const status = async (): Promise<StatusView> => (await scene.get('/v1/status')) as StatusView;

  test('a pause in the middle: no stop begins once it is shown as paused; nor under a freeze; both ended, the wave completes', async () => {
    const id = await waveFrom(scene, () => upgradeByApt(scene, 'libgs-demo1', u1));
    await waveWhen(scene, id, 'has one verified', ({ counts }) => (counts['verified'] ?? 0) >= 1);
    await scene.act({ action: 'pause', level: { level: 'fleet' }, reason: 'a test' });
    await waitUntil('it is paused', async () => (await status()).pauses[0]?.state === 'paused', {
      deadlineMs: 30_000,
      everyMs: 10,
    });
    const shown = await stops();
    // A whole restart would fit into this: whatever came late would have begun.
    await waitUntil('the server has ticked', async () => (await status()).pauses.length === 1, {
      deadlineMs: 5_000,
      everyMs: 100,
    });
    await scene.host.must(['sleep', '2']);
    expect(await stops()).toBe(shown);
    await scene.act({ action: 'resume', level: { level: 'fleet' } });

    const { id: freeze } = await scene.act({ action: 'freeze', reason: 'a fair', until: null });
    const frozen = await waveWhen(
      scene,
      id,
      'waits under the freeze with nothing under way',
      ({ waitsFor, members }) =>
        (waitsFor?.includes('a fair') ?? false) &&
        members.every(({ state }) => state !== 'restarting'),
    );
    expect(frozen.counts['verified']).toBeLessThan(5);
    const before = await stops();
    await scene.host.must(['sleep', '2']);
    expect(await stops()).toBe(before);
    await scene.act({ action: 'unfreeze', id: freeze ?? '' });
    expect((await waveOver(scene, id)).counts).toEqual({ verified: 5 });
  }, 180_000);

  test('a container whose health never returns fails, holds its budget, pauses the wave, and is retried with success once mended', async () => {
    await scene.host.must([
      'sh',
      '-c',
      'mkdir -p /var/lib/lxc/web-01/delta0/etc && touch /var/lib/lxc/web-01/delta0/etc/gs-unhealthy',
    ]);
    const failing = await waveFrom(scene, () => upgradeByApt(scene, 'libgs-demo1', u2));
    const paused = await waveWhen(
      scene,
      failing,
      'is paused',
      ({ state, pausedBy }) => state === 'paused' && pausedBy !== null,
    );
    expect(paused.pausedBy).toContain('web-01');
    expect(paused.members.find(({ container }) => container === 'h113/web-01')?.state).toBe(
      'failed',
    );
    const service = (await status()).services.find(({ name }) => name === 'web');
    expect(service?.unavailable.map(({ container }) => container)).toContain('h113/web-01');
    // Its failures are forgiven, but not its place: with a budget of one nobody else may go.
    const before = await stops();
    await scene.act({ action: 'resume', level: { level: 'wave', waveId: paused.id } });
    const held = await waveWhen(
      scene,
      failing,
      'waits for its budget',
      ({ state, waitsFor }) => state !== 'paused' && waitsFor !== null,
    );
    expect(held.waitsFor).toContain('web-01');
    await scene.host.must(['sleep', '2']);
    expect(await stops()).toBe(before);
    const member = scene.containers.get('web')?.[0];
    if (member === undefined) throw new Error('web-01 is missing');
    await scene.host.must(['rm', '/var/lib/lxc/web-01/delta0/etc/gs-unhealthy']);
    await scene.act({ action: 'retry', scope: { of: 'wave', waveId: paused.id } });
    await waveWhen(scene, failing, 'has web-01 verified', ({ members }) =>
      members.some(({ container, state }) => container === 'h113/web-01' && state === 'verified'),
    );
    expect((await waveOver(scene, failing)).counts).toEqual({ verified: 5 });
    await setHealth(member, 'ok');
  }, 180_000);

  test('under a paused queue nothing is granted until it resumes (what is in it: two-hosts.test.ts); a freeze forbids; a stopped wave begins nothing more', async () => {
    await scene.act({
      action: 'pause',
      level: { level: 'queue', hostId: scene.host.name },
      reason: 'a test',
    });
    await waitUntil(
      'Redis holds the queue',
      async () =>
        ((await scene.get('/v1/queues')) as QueueCounts[]).find(
          ({ name }) => name === `host-${scene.host.name}`,
        )?.paused ?? false,
      { deadlineMs: 30_000, everyMs: 50 },
    );
    const before = await stops();
    const { id } = await scene.act({
      action: 'restart',
      containers: ['h113/web-03'],
      what: 'a test',
    });
    const held = await waveWhen(scene, 'a test', 'waits', (wave) => wave.waitsFor !== null);
    expect(held.waitsFor).toContain('queue');
    // A whole restart would fit into this.
    await scene.host.must(['sleep', '2']);
    expect(await stops()).toBe(before);
    await scene.act({ action: 'resume', level: { level: 'queue', hostId: scene.host.name } });
    await waveWhen(scene, 'a test', 'is over', (wave) => wave.id === id && wave.endedAt !== null);
    expect(await stops()).toBe(before + 1);

    const { id: freeze } = await scene.act({ action: 'freeze', reason: 'a holiday', until: null });
    const { id: frozen } = await scene.act({
      action: 'restart',
      containers: ['h113/web-04'],
      what: 'frozen',
    });
    const wave = await waveWhen(scene, 'frozen', 'waits', ({ waitsFor }) => waitsFor !== null);
    expect(wave.waitsFor).toContain('a holiday');
    await scene.act({ action: 'stop', waveId: frozen ?? '' });
    await scene.act({ action: 'unfreeze', id: freeze ?? '' });
    await waveWhen(scene, 'frozen', 'is stopped', ({ state }) => state === 'stopped');
    expect(await stops()).toBe(before + 1);
  }, 180_000);

  test('a wave that is stopped in its middle: what has begun comes to its end, nothing else begins', async () => {
    const id = await waveFrom(scene, () =>
      scene.host.must(['apt-get', '-qy', '--allow-downgrades', 'install', `libgs-demo1=${u1}`]),
    );
    const restarting = await waveWhen(
      scene,
      id,
      'has one verified and one under way',
      ({ members, counts }) =>
        (counts['verified'] ?? 0) >= 1 && members.some(({ state }) => state === 'restarting'),
    );
    await scene.act({ action: 'stop', waveId: id });
    const atStop = await stops();
    const over = await waveOver(scene, id);
    expect(over.state).toBe('stopped');
    const done = over.members.filter(({ state }) => state === 'verified').length;
    expect(done).toBeGreaterThanOrEqual(restarting.counts['verified'] ?? 0);
    expect(done).toBeLessThan(5);
    // The one that was at work may have begun its stop just then.
    expect((await stops()) - atStop).toBeLessThanOrEqual(1);
    const settled = await stops();
    await scene.host.must(['sleep', '2']);
    expect(await stops()).toBe(settled);
    await waitUntil(
      'all of them are healthy',
      async () => (await status()).services.every(({ unavailable }) => unavailable.length === 0),
      { deadlineMs: 30_000, everyMs: 50 },
    );
  }, 180_000);

  test('outside the maintenance window a wave waits and says until when; what is asked for by hand does not; the window opens, and it goes on', async () => {
    // The first full minute that leaves time to see the wave wait.
    const opensAt = Math.ceil((Date.now() + 25_000) / 60_000) * 60_000;
    const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 16);
    const [from, to] = [clock(opensAt), clock(opensAt + 3_600_000)];
    await scene.host.writeFile(
      '/etc/groundswell/config.d/window.yaml',
      `maintenanceWindow: {from: "${from}", to: "${to}", timezone: UTC}\n`,
    );
    await scene.up().kill('SIGTERM');
    await scene.startUp();
    const id = await waveFrom(scene, () => upgradeByApt(scene, 'libgs-demo1', u2));
    const held = await waveWhen(scene, id, 'waits', ({ waitsFor }) => waitsFor !== null);
    expect(held.waitsFor).toContain(`outside the maintenance window (${from} to ${to}, UTC)`);
    const { id: byHand } = await scene.act({
      action: 'restart',
      containers: ['h113/web-05'],
      what: 'at once',
    });
    await waveOver(scene, byHand ?? '');
    expect((await waveOver(scene, id, 180_000)).counts['verified']).toBeGreaterThanOrEqual(4);
    const stopped = (await readWitness(scene.host)).filter(({ kind }) => kind === 'stop').slice(-5);
    const early = stopped.filter(({ atMs }) => atMs < opensAt);
    expect(early.map(({ container }) => container)).toEqual(['web-05']);
  }, 300_000);
});
