import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { askVersion } from '../bed/ask.ts';
import { readWitness } from '../bed/containers.ts';
import { startLoad } from '../bed/load.ts';
import { proveWave } from '../bed/proven-wave.ts';
import { containersSeen, upgradeByApt, waveFrom, waveOver, waves } from '../bed/scene-waves.ts';
import { createScene, watchfulHaproxy } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { NOW, readNow } from '../bed/shell-clock.ts';
import { waitUntil } from '../bed/wait-until.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';
const slow = ['--start-delay-ms', '300'];
const commandLog = '/var/log/gs-commands';
const noting = (what: string): string =>
  `["sh", "-c", "echo ${what} {name} {address} ${NOW} >>${commandLog}"]`;

describe('a patched library reaches every container of a host', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/wave`,
      hostNumber: 110,
      projectDirectory: process.cwd(),
      haproxyChecks: watchfulHaproxy,
      services: {
        web: { count: 5, arguments: slow },
        api: { count: 4, arguments: [...slow, '--also-extra'] },
        control: { count: 2, arguments: slow, maxUnavailable: 1, drain: false },
        cmd: {
          count: 1,
          arguments: slow,
          drain: false,
          minHealthyTimeMs: 400,
          health: '{ kind: command, command: ["bash", "-c", "</dev/tcp/127.0.0.1/8080"] }',
          more: [`beforeStop: ${noting('before')}`, `afterHealthy: ${noting('after')}`],
        },
        tcp: { count: 1, arguments: slow, drain: false, health: '{ kind: tcp, port: 8080 }' },
      },
    });
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  test('upgraded through Groundswell: no request fails (the control, without a drain, loses some), no service goes below its floor, each restart has its record', async () => {
    const control = startLoad({
      targets: { control: scene.haproxy.frontend('control') },
      connections: 4,
    });
    const { wave, events, balancer, complaints } = await proveWave(scene, {
      act: async () => {
        await scene.bed.publish({ 'libgs-demo1': u1 });
        await scene.act({
          action: 'upgrade',
          hosts: [scene.host.name],
          mode: 'packages',
          packages: [{ name: 'libgs-demo1', want: 'at-least', version: u1 }],
          allowRemove: false,
        });
      },
      library: u1,
      floors: { web: 3, api: 2 },
    });
    expect((await control.stop())['control']?.failed).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    // Without a drain nobody tells HAProxy: that it saw these away, one at a time, is its own finding.
    expect(balancer.lowest['control']).toBe(1);
    expect(wave.counts).toEqual({ verified: 13 });

    // The host's own commands around a restart, and the two kinds of health check that the others do not have.
    const at = (kind: 'start' | 'stop', name: string): number =>
      events.find((event) => event.kind === kind && event.container === name)?.atMs ?? Number.NaN;
    const commands = (await scene.host.readFile(commandLog))
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    const address = scene.containers.get('cmd')?.[0]?.address ?? '';
    expect(commands.map((words) => words.slice(0, 3))).toEqual([
      ['before', 'cmd-01', address],
      ['after', 'cmd-01', address],
    ]);
    const [before = Number.NaN, after = Number.NaN] = commands.map(([, , , time = '']) =>
      readNow(time),
    );
    expect(before).toBeLessThanOrEqual(at('stop', 'cmd-01'));
    // It answers 300 ms after its start at the earliest, and is healthy 400 ms after that.
    expect(after - at('start', 'cmd-01')).toBeGreaterThanOrEqual(700);
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

  test('a container with its own copy of the file is named, not counted as patched, and not restarted for it', async () => {
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
    const starts = async (): Promise<number> =>
      (await readWitness(scene.host)).filter(
        ({ kind, container }) => kind === 'start' && container === name,
      ).length;
    const startsBefore = await starts();
    const downgrade = async (): Promise<void> => {
      await scene.bed.publish({ 'libgs-demo1': '1.0-1' });
      await scene.host.must(['apt-get', '-q', 'update']);
      const wanted = ['--allow-downgrades', 'install', 'libgs-demo1=1.0-1'];
      await scene.host.must(['apt-get', '-qy', ...wanted]);
    };
    // Two waves, so that what happens between and after them is looked at, too.
    for (const patch of [() => upgradeByApt(scene, 'libgs-demo1', u2), downgrade]) {
      const wave = await waveOver(scene, await waveFrom(scene, patch));
      const named = expect.stringContaining(`${library} (package libgs-demo1)`) as unknown;
      expect(wave.counts).toEqual({ verified: 12, shadowed: 1 });
      expect(wave.members.find(({ container }) => container === `h110/${name}`)).toMatchObject({
        ...{ state: 'shadowed', attempts: 0, reason: named },
      });
      const seen = (await containersSeen(scene)).find(({ container }) => container.endsWith(name));
      expect(seen).toMatchObject({ code: 'shadowed', lastVerification: 'shadowed', answer: named });
      const own = [...scene.containers.values()].flat().find((one) => one.name === name);
      if (own === undefined) throw new Error(`the scene has no ${name}`);
      expect((await askVersion(own)).library).toBe(u1);
      expect(await starts()).toBe(startsBefore);
    }
    expect((await waves(scene)).filter(({ endedAt }) => endedAt === null)).toEqual([]);
  }, 180_000);
});
