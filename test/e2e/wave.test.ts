import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { askVersion } from '../bed/ask.ts';
import { readWitness } from '../bed/containers.ts';
import { startLoad } from '../bed/load.ts';
import {
  containersSeen,
  recordsOfWave,
  upgradeByApt,
  waveFrom,
  waveOver,
} from '../bed/scene-waves.ts';
import { createScene } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { watchContainers, watchHaproxy } from '../bed/watch-availability.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';
const slow = ['--start-delay-ms', '300'];

describe('a patched library reaches every container of a host', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/wave`,
      hostNumber: 110,
      projectDirectory: process.cwd(),
      services: {
        web: { count: 5, arguments: slow },
        api: { count: 4, arguments: [...slow, '--also-extra'] },
        control: { count: 2, arguments: slow, maxUnavailable: 1, drain: false },
      },
    });
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  test('upgraded through Groundswell: no request fails (the control, without a drain, loses some), no service goes below its floor, each restart has its record', async () => {
    const members = [...scene.containers.values()].flat();
    const load = startLoad({
      targets: { web: scene.haproxy.frontend('web'), api: scene.haproxy.frontend('api') },
    });
    const control = startLoad({
      targets: { control: scene.haproxy.frontend('control') },
      connections: 4,
    });
    const balancer = watchHaproxy(scene.haproxy);
    const outside = watchContainers(members);
    const startsBefore = (await readWitness(scene.host)).filter(
      ({ kind }) => kind === 'start',
    ).length;
    await scene.bed.publish({ 'libgs-demo1': u1 });
    await scene.act({
      action: 'upgrade',
      hosts: [scene.host.name],
      mode: 'packages',
      packages: [{ name: 'libgs-demo1', want: 'at-least', version: u1 }],
      allowRemove: false,
    });
    const wave = await waveOver(scene, 'libgs-demo1');
    const [seenByBalancer, seenOutside, requests, lost] = [
      await balancer.stop(),
      await outside.stop(),
      await load.stop(),
      await control.stop(),
    ];

    expect(wave.counts).toEqual({ verified: 11 });
    for (const service of ['web', 'api'])
      expect({ service, failed: requests[service]?.failed }).toEqual({ service, failed: 0 });
    expect(lost['control']?.failed).toBeGreaterThan(0);
    expect(requests['web']?.ok).toBeGreaterThan(50);
    const lowest = { balancer: seenByBalancer.lowest, outside: seenOutside.lowest };
    const floors = { web: 3, api: 2 };
    expect(
      Object.entries(lowest).flatMap(([watcher, seen]) =>
        Object.entries(floors).flatMap(([service, floor]) =>
          (seen[service] ?? 0) >= floor
            ? []
            : [`${watcher} saw ${seen[service] ?? 0} of ${service}`],
        ),
      ),
    ).toEqual([]);
    for (const container of members) expect((await askVersion(container)).library).toBe(u1);

    const witness = (await readWitness(scene.host))
      .filter(({ kind }) => kind === 'start')
      .slice(startsBefore);
    const records = await recordsOfWave(scene, wave.id, members.length);
    for (const { name } of members) {
      const own = records.filter(
        ({ container }) => container === name || container.endsWith(`/${name}`),
      );
      expect({
        name,
        starts: witness.filter(({ container }) => container === name).length,
        actions: own.map(({ action }) => action),
      }).toEqual({ name, starts: 1, actions: ['stop-begun', 'restart-ended'] });
    }
  }, 180_000);

  test('the same upgrade once more finds nothing to do', async () => {
    const { id } = await scene.act({
      action: 'upgrade',
      hosts: [scene.host.name],
      mode: 'packages',
      packages: [{ name: 'libgs-demo1', want: 'newest', version: null }],
      allowRemove: false,
    });
    const wave = await waveOver(scene, id ?? '');
    expect(wave.total).toBe(0);
  }, 60_000);

  test('a library of one service restarts only that one; a package that nobody maps restarts nobody, and says so', async () => {
    const wave = await waveOver(
      scene,
      await waveFrom(scene, () => upgradeByApt(scene, 'libgs-extra1', u1)),
    );
    expect(wave.members.map(({ container }) => container).sort()).toEqual([
      'h110/api-01',
      'h110/api-02',
      'h110/api-03',
      'h110/api-04',
    ]);
    await upgradeByApt(scene, 'gs-demo-data', u1);
    const nothing = await waitUntil(
      'the record says that nothing is stale',
      async () =>
        ((await scene.get('/v1/audit?limit=1000')) as { record: Record<string, unknown> }[]).find(
          ({ record }) =>
            record['action'] === 'nothing-stale' && JSON.stringify(record).includes('gs-demo-data'),
        ) ?? null,
      { deadlineMs: 60_000, everyMs: 50 },
    );
    expect(JSON.stringify(nothing.record)).toContain('no container maps a file of these packages');
  }, 180_000);

  test('a container with its own copy of the file is named, not counted as patched, and not restarted again', async () => {
    const name = 'web-05';
    const library = (
      await scene.host.must(['sh', '-c', 'readlink -f /usr/lib/*/libgsdemo.so.1'])
    ).trim();
    await scene.host.must([
      'sh',
      '-c',
      `mkdir -p /var/lib/lxc/${name}/delta0/$(dirname ${library}) && cp ${library} /var/lib/lxc/${name}/delta0/${library}`,
    ]);
    await scene.host.must(['sh', '-c', `lxc-stop -n ${name}; lxc-start -n ${name}`]);
    await waitUntil(
      'it is healthy again',
      async () =>
        (await containersSeen(scene)).find(({ container }) => container.endsWith(name))
          ?.available ?? false,
      { deadlineMs: 60_000, everyMs: 50 },
    );
    const wave = await waveOver(
      scene,
      await waveFrom(scene, () => upgradeByApt(scene, 'libgs-demo1', u2)),
    );
    const seen = (await containersSeen(scene)).find(({ container }) => container.endsWith(name));
    expect(seen?.shadowed.join()).toContain('libgsdemo.so');
    expect(
      wave.members.find(({ container }) => container.endsWith(name))?.state ?? 'not a member',
    ).not.toBe('verified');
    expect(wave.members.filter(({ state }) => state === 'verified')).toHaveLength(10);
    expect(
      wave.members.find(({ container }) => container.endsWith(name))?.attempts ?? 0,
    ).toBeLessThanOrEqual(1);
  }, 180_000);
});
