import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { readWitness } from '../bed/containers.ts';
import { waveFrom, waveOver, waves } from '../bed/scene-waves.ts';
import { createScene } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';

describe('upgrades that others run', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/outside`,
      hostNumber: 112,
      projectDirectory: process.cwd(),
      services: { web: { count: 3 } },
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

  test('a real unattended-upgrade run: one wave, and no stop begins while it works', async () => {
    await scene.bed.publish({ 'libgs-demo1': u1, 'gs-demo-web': u1 });
    await scene.host.must(['apt-get', '-q', 'update']);
    const before = (await waves(scene)).length;
    const began = Date.now();
    let ended = 0;
    const id = await waveFrom(scene, async () => {
      await scene.host.must(['unattended-upgrade']);
      ended = Date.now();
    });
    const wave = await waveOver(scene, id);
    expect((await waves(scene)).length).toBe(before + 1);
    expect(wave.counts).toEqual({ verified: 3 });
    const stops = await stopsSince(began);
    expect(stops).toHaveLength(3);
    expect(Math.min(...stops)).toBeGreaterThanOrEqual(ended);
  }, 180_000);

  test('a dry run of it causes nothing', async () => {
    await scene.bed.publish({ 'libgs-demo1': u2 });
    await scene.host.must(['apt-get', '-q', 'update']);
    const before = (await waves(scene)).length;
    const began = Date.now();
    await scene.host.must(['unattended-upgrade', '--dry-run']);
    await scene.host.must(['apt-get', '-s', 'upgrade']);
    // The next real transaction is the event that shows that nothing came of the two before it.
    const id = await waveFrom(scene, () =>
      scene.host.must(['sh', '-c', 'dpkg -i /bedrepo/pool/libgs-demo1_1.0-1+deb12u2_*.deb']),
    );
    const wave = await waveOver(scene, id);
    expect((await waves(scene)).length).toBe(before + 1);
    expect(wave.cause).toContain(u2);
    expect(await stopsSince(began)).toHaveLength(3);
  }, 180_000);

  test('an owner stops one: it stays stopped', async () => {
    await scene.host.must(['lxc-stop', '-n', 'web-02']);
    const id = await waveFrom(scene, () =>
      scene.host.must(['apt-get', '-qy', '--allow-downgrades', 'install', `libgs-demo1=${u1}`]),
    );
    await waveOver(scene, id);
    expect((await scene.host.must(['lxc-info', '-n', 'web-02', '-s'])).trim()).toContain('STOPPED');
    const why = (await scene.get('/v1/containers/h112/web-02')) as {
      answer: string;
      unavailableBecause: string;
    };
    expect(why.unavailableBecause).toContain('owner');
  }, 180_000);
});
