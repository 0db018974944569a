import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { readWitness } from '../bed/containers.ts';
import { proveWave } from '../bed/proven-wave.ts';
import { waveFrom, waveOver, waves, waveWhen } from '../bed/scene-waves.ts';
import { createScene } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';
const floors = { web: 3 };

describe('upgrades that others run', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/outside`,
      hostNumber: 112,
      projectDirectory: process.cwd(),
      services: { web: { count: 5, maxUnavailable: 2, arguments: ['--start-delay-ms', '300'] } },
    });
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  /** Stops that LXC itself saw since a moment, by the host's clock. */
  const stopsSince = async (atMs: number): Promise<number[]> =>
    (await readWitness(scene.host))
      .filter(({ kind, atMs: at }) => kind === 'stop' && at >= atMs)
      .map(({ atMs: at }) => at);

  const downgrade = (): Promise<string> =>
    scene.host.must(['apt-get', '-qy', '--allow-downgrades', 'install', `libgs-demo1=${u1}`]);

  test('a real unattended-upgrade run: one wave, and no stop while it works', async () => {
    await scene.bed.publish({ 'libgs-demo1': u1, 'gs-demo-web': u1 });
    await scene.host.must(['apt-get', '-q', 'update']);
    const before = (await waves(scene)).length;
    let ended = 0;
    const { wave, events, complaints } = await proveWave(scene, {
      act: async () => {
        await scene.host.must(['unattended-upgrade']);
        ended = Date.now();
      },
      library: u1,
      floors,
    });
    expect(complaints).toEqual([]);
    expect((await waves(scene)).length).toBe(before + 1);
    expect(wave.counts).toEqual({ verified: 5 });
    expect(Math.min(...events.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(ended);
  }, 180_000);

  test('a dry run of it causes nothing; dpkg -i does', async () => {
    await scene.bed.publish({ 'libgs-demo1': u2 });
    await scene.host.must(['apt-get', '-q', 'update']);
    const before = (await waves(scene)).length;
    const began = Date.now();
    await scene.host.must(['unattended-upgrade', '--dry-run']);
    await scene.host.must(['apt-get', '-s', 'upgrade']);
    // The next real transaction is the event that shows that nothing came of the two before it.
    const { wave, complaints } = await proveWave(scene, {
      act: () =>
        scene.host.must(['sh', '-c', 'dpkg -i /bedrepo/pool/libgs-demo1_1.0-1+deb12u2_*.deb']),
      library: u2,
      floors,
    });
    expect(complaints).toEqual([]);
    expect((await waves(scene)).length).toBe(before + 1);
    expect(wave.cause).toContain(u2);
    expect(await stopsSince(began)).toHaveLength(5);
  }, 180_000);

  test('plain apt-get upgrade', async () => {
    await waveOver(scene, await waveFrom(scene, downgrade));
    const { wave, complaints } = await proveWave(scene, {
      act: () => scene.host.must(['apt-get', '-qy', 'upgrade']),
      library: u2,
      floors,
    });
    expect(complaints).toEqual([]);
    expect(wave.counts).toEqual({ verified: 5 });
  }, 180_000);

  test('a transaction that begins in the middle of a wave: no stop while it works, then the rest', async () => {
    // A package of somebody's whose configuration takes its time.
    await scene.host.must([
      'sh',
      '-c',
      `mkdir -p /tmp/slow/DEBIAN && cd /tmp/slow &&
       printf 'Package: slow\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n' >DEBIAN/control &&
       printf '#!/bin/sh\\nsleep 4\\n' >DEBIAN/postinst && chmod 755 DEBIAN/postinst && dpkg-deb -b . /tmp/slow.deb`,
    ]);
    const id = await waveFrom(scene, downgrade);
    await waveWhen(scene, id, 'has one verified', ({ counts }) => (counts['verified'] ?? 0) >= 1);
    const began = Date.now();
    await scene.host.must(['dpkg', '-i', '/tmp/slow.deb']);
    const ended = Date.now();
    expect(ended - began).toBeGreaterThan(4_000);
    const { counts } = await waveWhen(scene, id, 'is over', ({ endedAt }) => endedAt !== null);
    expect(counts).toEqual({ verified: 5 });
    const stops = await stopsSince(began);
    // What was being stopped when dpkg took its lock comes to its end in its first second.
    expect(stops.filter((at) => at > began + 1_000 && at < ended)).toEqual([]);
    expect(stops.filter((at) => at > ended).length).toBeGreaterThanOrEqual(2);
  }, 180_000);

  test('an owner stops one: it stays stopped', async () => {
    await scene.host.must(['lxc-stop', '-n', 'web-02']);
    const id = await waveFrom(scene, () => scene.host.must(['apt-get', '-qy', 'upgrade']));
    await waveOver(scene, id);
    expect((await scene.host.must(['lxc-info', '-n', 'web-02', '-s'])).trim()).toContain('STOPPED');
    const why = (await scene.get('/v1/containers/h112/web-02')) as {
      answer: string;
      unavailableBecause: string;
    };
    expect(why.unavailableBecause).toContain('owner');
  }, 180_000);
});
