import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WaveSummary } from '../../src/core/coordinator/explain.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { askVersion, fetchHealth } from '../bed/ask.ts';
import { readWitness } from '../bed/containers.ts';
import { recordsOfWave, upgradeByApt, waveFrom, waveOver, waveWhen } from '../bed/scene-waves.ts';
import { createScene } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { trailVerdict } from '../bed/trail-verdict.ts';
import { provesNothing, watchContainers } from '../bed/watch-availability.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';

describe('kill -9 in the middle of a wave', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/crashes`,
      hostNumber: 114,
      projectDirectory: process.cwd(),
      services: { web: { count: 6, arguments: ['--start-delay-ms', '400'] } },
    });
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  const downgrade = (): Promise<unknown> =>
    scene.host.must(['apt-get', '-qy', '--allow-downgrades', 'install', `libgs-demo1=${u1}`]);

  const completes = async (
    version: typeof u1 | typeof u2,
    kill: (waveId: string) => Promise<void>,
    {
      upgrade = () => upgradeByApt(scene, 'libgs-demo1', version),
      killed = 0,
    }: {
      upgrade?: () => Promise<unknown>;
      /** So many containers more than the budget allows may be away: those that are killed. */
      killed?: number;
    } = {},
  ): Promise<string> => {
    const members = scene.containers.get('web') ?? [];
    const startsBefore = (await readWitness(scene.host)).filter(
      ({ kind }) => kind === 'start',
    ).length;
    const watch = await watchContainers(members);
    const wholeWave = async (): Promise<string> => {
      const id = await waveFrom(scene, upgrade);
      await waveWhen(
        scene,
        id,
        'has one verified and another down in the middle of its restart',
        ({ counts, members: all }) =>
          (counts['verified'] ?? 0) >= 1 &&
          all.some(({ step }) => step === 'stopping' || step === 'stopped' || step === 'started'),
      );
      await kill(id);
      const wave = await waveOver(scene, id, 120_000);
      expect(wave.counts).toEqual({ verified: 6 });
      return id;
    };
    const [whole] = await Promise.allSettled([wholeWave()]);
    const seen = await watch.stop();
    if (whole.status === 'rejected') throw whole.reason;
    const id = whole.value;
    expect(seen.lowest['web']).toBeGreaterThanOrEqual(4 - killed);
    expect(provesNothing('a watcher of every container', seen, { web: members.length })).toEqual(
      [],
    );
    const starts = (await readWitness(scene.host))
      .filter(({ kind }) => kind === 'start')
      .slice(startsBefore);
    for (const member of members) {
      expect({
        name: member.name,
        starts: starts.filter(({ container }) => container === member.name).length,
      }).toEqual({ name: member.name, starts: 1 });
      expect(await fetchHealth(member)).toBe(true);
      expect((await askVersion(member)).library).toBe(version);
    }
    const records = await recordsOfWave(scene, id, members.length);
    expect(records.filter(({ action }) => action === 'stop-begun')).toHaveLength(
      records.filter(({ action, outcome }) => action === 'restart-ended' && outcome === 'done')
        .length,
    );
    expect(await trailVerdict(scene)).toMatch(/^intact: /);
    return id;
  };

  test('of the process that is server and agent at once: the wave completes, nothing twice, nobody left down', async () => {
    await completes(u1, async () => {
      await scene.up().kill('SIGKILL');
      await scene.startUp();
    });
  }, 240_000);

  test('of Redis: it comes back with its file, and the wave completes', async () => {
    await completes(u2, async () => {
      await scene.host.must(['sh', '-c', 'kill -9 $(pidof redis-server)']);
    });
  }, 240_000);

  test('of all of them at once', async () => {
    await completes(
      u1,
      async () => {
        const pid = await scene.host.must(['pgrep', '-f', 'groundswell.js up']);
        await scene.host.must(['sh', '-c', `kill -9 ${pid.trim()} $(pidof redis-server)`]);
        await scene.up().exited;
        await scene.startUp();
      },
      { upgrade: downgrade },
    );
  }, 240_000);

  /** Stop the server, and do something to the file of its store. */
  const withStoreAtRest = async (command: string): Promise<void> => {
    await scene.up().kill('SIGKILL');
    await scene.host.must(['sh', '-ec', `cd /var/lib/groundswell/server; ${command}`]);
    await scene.startUp();
  };

  test('R16: the store is put back to what it was in the middle of the wave: nothing is done twice, and all is heard', async () => {
    const id = await completes(u2, () =>
      withStoreAtRest('mkdir -p /root/backup; cp -a store.sqlite* /root/backup/'),
    );
    const members = scene.containers.get('web') ?? [];
    const starts = async (): Promise<number> =>
      (await readWitness(scene.host)).filter(({ kind }) => kind === 'start').length;
    const before = await starts();
    await withStoreAtRest('rm store.sqlite*; cp -a /root/backup/store.sqlite* .');
    await waveOver(scene, id, 60_000);
    expect(await starts()).toBe(before);
    await recordsOfWave(scene, id, members.length);
    expect(await trailVerdict(scene)).toMatch(/^intact: /);
    // What people decided since is forgotten: nothing begins before one of them has looked.
    const { text } = await scene.act({ action: 'resume', level: { level: 'fleet' } });
    expect(text).toContain('resumed');
    await completes(u1, () => Promise.resolve(), { upgrade: downgrade });
  }, 240_000);

  /** Containers whose turn in the wave has not come. */
  const waiting = async (waveId: string, atLeast: number): Promise<string[]> => {
    const namesOf = ({ members }: WaveSummary): string[] =>
      members
        .filter(({ state }) => state === 'pending')
        .map(({ container }) => container.replace(/^.*\//, ''));
    const wave = await waveWhen(
      scene,
      waveId,
      `has ${atLeast} that wait`,
      (one) => namesOf(one).length >= atLeast,
    );
    // The last ones: their turn comes last.
    return namesOf(wave).slice(-atLeast);
  };

  test('R25: of the LXC monitor of a container whose turn has not come: it is started as its restart', async () => {
    const kill = async (waveId: string): Promise<void> => {
      const [name = ''] = await waiting(waveId, 1);
      await scene.host.must(['pkill', '-9', '-f', `^.lxc monitor. /var/lib/lxc ${name}$`]);
    };
    await completes(u2, kill, { killed: 1 });
  }, 240_000);

  test('R25: control: what its owner stops meanwhile, from outside or within, stays down until he starts it', async () => {
    const starts = async (): Promise<number> =>
      (await readWitness(scene.host)).filter(({ kind }) => kind === 'start').length;
    const before = await starts();
    const id = await waveFrom(scene, downgrade);
    const [outside = '', within = ''] = await waiting(id, 2);
    await scene.host.must(['lxc-stop', '-n', outside]);
    // Its shell may be killed with the container before it can say that it has done so.
    const halted = await scene.host.run(['lxc-attach', '-n', within, '--', 'sh', '-c', 'kill 1']);
    expect([0, 137]).toContain(halted.exitCode);
    const left = await waveWhen(
      scene,
      id,
      'leaves both, and waits for them',
      ({ counts }) => counts['not-needed'] === 2 && counts['restarting'] === undefined,
    );
    expect(
      left.members.filter(({ state }) => state === 'not-needed').map(({ reason }) => reason),
    ).toEqual(['stopped: nothing runs in it', 'stopped: nothing runs in it']);
    for (const name of [outside, within]) await scene.host.must(['lxc-start', '-n', name]);
    const wave = await waveOver(scene, id, 120_000);
    expect(wave.counts).toEqual({ verified: 4, 'not-needed': 2 });
    expect((await starts()) - before).toBe(6);
  }, 240_000);
});
