import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { changingRpm } from '../bed/dnf-packages.ts';
import { proveWave } from '../bed/proven-wave.ts';
import { containersSeen, waveOver, waves } from '../bed/scene-waves.ts';
import { createScene, groundswell } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';
import type { OperatorAction } from '../../src/core/coordinator/operator.ts';

const [first, second, third] = ['1.0-1.el9', '1.0-2.el9', '1.0-3.el9'] as const;
const slow = ['--start-delay-ms', '300'];
const floors = { web: 3, api: 1 };

describe('a patched rpm reaches every container of a dnf host', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/dnf-wave`,
      hostNumber: 161,
      projectDirectory: process.cwd(),
      packages: 'dnf',
      services: {
        web: { count: 5, arguments: slow },
        api: { count: 3, arguments: [...slow, '--also-extra'] },
      },
    });
  }, 400_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  /** Does something, and says that the wave it opens ends with every container on `library`, as outsiders saw it. */
  const proveAll = async (library: string, act: () => Promise<unknown>): Promise<void> => {
    const { wave, complaints } = await proveWave(scene, { act, library, floors });
    expect(complaints).toEqual([]);
    expect(wave.counts).toEqual({ verified: 8 });
    expect(wave.cause).toContain('gs-demo');
    expect(wave.cause).toContain(library);
  };
  const upgrade = (more: Partial<Extract<OperatorAction, { action: 'upgrade' }>>) => () =>
    scene.act({
      ...{ action: 'upgrade', hosts: [scene.host.name], allowRemove: false },
      ...{ mode: 'packages', packages: [] },
      ...more,
    });

  test('upgraded through Groundswell', async () => {
    await scene.bed.publish({ 'libgs-demo1': second });
    const packages = [{ name: 'libgs-demo1', want: 'at-least' as const, version: second }];
    await proveAll(second, upgrade({ packages }));
    const { id } = await upgrade({ packages })();
    expect((await waveOver(scene, id ?? '')).total).toBe(0);
  }, 240_000);

  test('by plain dnf upgrade', async () => {
    await scene.bed.publish({ 'libgs-demo1': third });
    await proveAll(third, () => scene.host.must(['dnf', '-qy', '--refresh', 'upgrade']));
  }, 240_000);

  test('by rpm -U, of which no hook tells', async () => {
    const rpm = await changingRpm(scene.host);
    const install = `${rpm.join(' ')} -U --oldpackage /bedrpms/Packages/libgs-demo1-${first}.*.rpm`;
    await proveAll(first, () => scene.host.must(['sh', '-c', install]));
  }, 240_000);

  test('all security updates, through Groundswell', async () => {
    await proveAll(third, upgrade({ mode: 'security' }));
  }, 240_000);

  test('one that the host cannot do is named, and restarts nobody', async () => {
    await scene.host.must(['dnf', '-qy', 'versionlock', 'add', 'libgs-extra1']);
    await scene.bed.publish({ 'libgs-extra1': second });
    const packages = [{ name: 'libgs-extra1', want: 'newest' as const, version: null }];
    const { id } = await upgrade({ packages })();
    const wave = await waitUntil(
      'the upgrade has failed',
      async () =>
        (await waves(scene)).find((one) => one.id === id && one.upgrades[0]?.state === 'failed') ??
        null,
      { deadlineMs: 60_000, everyMs: 50 },
    );
    expect(wave.upgrades[0]?.reason).toContain(
      'libgs-extra1.x86_64 is kept at 1.0-1.el9 by an exclude or versionlock',
    );
    expect(wave.total).toBe(0);
  }, 120_000);

  test('a container with its own copy of an rpm’s file is named', async () => {
    await scene.host.must([
      ...['sh', '-ec'],
      `library=$(readlink -f /usr/lib/*/libgsdemo.so.1); delta=/var/lib/lxc/web-05/delta0
       mkdir -p $delta/$(dirname $library); cp $library $delta/$library; echo other >> $delta/$library
       lxc-stop -n web-05; lxc-start -n web-05`,
    ]);
    const seen = await waitUntil(
      'it is known as shadowed',
      async () =>
        (await containersSeen(scene)).find(
          ({ container, code }) => container.endsWith('web-05') && code === 'shadowed',
        ) ?? null,
      { deadlineMs: 60_000, everyMs: 50 },
    );
    expect(seen.answer).toContain('libgsdemo.so.1.0.0 (package libgs-demo1)');
    expect(await scene.host.must([...groundswell, 'status'])).toContain('almalinux-9.9');
  }, 120_000);
});
