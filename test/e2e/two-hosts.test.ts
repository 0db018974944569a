import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { askVersion } from '../bed/ask.ts';
import { findLeftovers } from '../bed/clean.ts';
import type { QueueCounts } from '../../src/core/coordinator/api-rows.ts';
import { recordsOfWave, waveFrom, waveOver, waveWhen } from '../bed/scene-waves.ts';
import { createTwoHosts, enrolBoth } from '../bed/two-hosts.ts';
import type { TwoHosts } from '../bed/two-hosts.ts';
import type { BedHost } from '../bed/host.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { watchedWaves } from './watched-waves.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';
const slow = ['--start-delay-ms', '300', '--also-extra'];

describe('one server, two hosts, and services that are spread over both', () => {
  let scene: TwoHosts;
  const { stops, wholeWave } = watchedWaves(() => scene);

  beforeAll(async () => {
    scene = await createTwoHosts({
      directory: `${TEST_BEDS}/two-hosts`,
      hostNumbers: [120, 121],
      projectDirectory: process.cwd(),
      services: {
        web: { count: 3, arguments: slow, maxUnavailable: 1 },
        api: { count: 2, arguments: slow, maxUnavailable: 1 },
      },
    });
  }, 300_000);

  afterAll(async () => {
    const { directory, hostNumbers } = scene.bed;
    await scene.dispose();
    expect(await findLeftovers(directory, hostNumbers)).toEqual([]);
  }, 60_000);

  const upgradeBoth = async (
    name: 'libgs-demo1' | 'libgs-extra1',
    version: typeof u1 | typeof u2 = u1,
  ): Promise<void> => {
    await scene.bed.publish({ [name]: version });
    const hosts = scene.hosts.map((host) => host.name).join(',');
    await scene.type(scene.first, 'upgrade', hosts, `${name}>=${version}`);
  };

  /** A container is down on one of these hosts, in the middle of its restart. */
  const downOn = (hosts: readonly BedHost[]): Promise<unknown> =>
    waitUntil(
      'a container to be down in the middle of its restart',
      async () =>
        (await scene.status()).grants.some(
          ({ host, step }) =>
            hosts.some(({ name }) => name === host) &&
            (step === 'stopping' || step === 'stopped' || step === 'started'),
        ),
      { deadlineMs: 60_000, everyMs: 10 },
    );

  /** Asked for by hand: no container is spared because it runs the present code already. */
  const restartsWebWhile = (inTheMiddle: (waveId: string) => Promise<void>): Promise<void> =>
    wholeWave(() => scene.type(scene.first, 'restart', 'web'), scene.members('web'), inTheMiddle);

  test('are enrolled by the commands of the how-to', async () => {
    await enrolBoth(scene);
    await expect(scene.type(scene.first, 'host', 'add', 'h9')).rejects.toThrow(
      'no key of host h9 is known here',
    );
    expect((await scene.status()).hosts).toMatchObject([
      { id: 'h120', zone: 'rack-1', state: 'ok', containers: 5 },
      { id: 'h121', zone: 'rack-2', state: 'ok', containers: 5 },
    ]);
  }, 120_000);

  test('are upgraded through Groundswell: never two of a service at once, each restart once and recorded', async () => {
    const members = scene.members();
    await wholeWave(
      () => upgradeBoth('libgs-demo1'),
      members,
      () => Promise.resolve(),
    );
    for (const member of members) expect((await askVersion(member)).library).toBe(u1);
  }, 180_000);

  test('kill -9 of one agent alone', async () => {
    await wholeWave(
      () => upgradeBoth('libgs-extra1'),
      scene.members(),
      async () => {
        await downOn([scene.second]);
        await scene.agent(scene.second).kill('SIGKILL');
        await scene.startAgent(scene.second);
      },
    );
    for (const member of scene.members()) expect((await askVersion(member)).extra).toBe(u1);
  }, 180_000);

  test('kill -9 of the server alone', async () => {
    await wholeWave(
      () => upgradeBoth('libgs-demo1', u2),
      scene.members(),
      async () => {
        await downOn(scene.hosts);
        await scene.server().kill('SIGKILL');
        await scene.startServer();
      },
    );
    for (const member of scene.members()) expect((await askVersion(member)).library).toBe(u2);
  }, 180_000);

  test('kill -9 of Redis alone', async () => {
    await wholeWave(
      () => upgradeBoth('libgs-extra1', u2),
      scene.members(),
      async () => {
        await downOn(scene.hosts);
        await scene.redis.kill();
        await scene.redis.start();
      },
    );
    for (const member of scene.members()) expect((await askVersion(member)).extra).toBe(u2);
  }, 180_000);

  test('kill -9 of all of them at once, and Redis has lost its files', async () => {
    await restartsWebWhile(async () => {
      await downOn(scene.hosts);
      await Promise.all([
        scene.server().kill('SIGKILL'),
        scene.redis.kill(),
        ...scene.hosts.map((host) => scene.agent(host).kill('SIGKILL')),
      ]);
      for (const host of scene.hosts) await scene.startAgent(host);
      await scene.redis.start({ empty: true });
      await scene.startServer();
    });
  }, 180_000);

  test('a pause over both hosts: no stop begins once it is shown as paused; resume completes', async () => {
    await restartsWebWhile(async (waveId) => {
      await waveWhen(
        scene,
        waveId,
        'has one verified',
        ({ counts }) => (counts['verified'] ?? 0) >= 1,
      );
      await scene.type(scene.first, 'pause', '--reason', 'a test');
      await waitUntil(
        'it is paused',
        async () => (await scene.status()).pauses[0]?.state === 'paused',
        { deadlineMs: 30_000, everyMs: 10 },
      );
      const shown = await stops();
      // A whole restart would fit into this: whatever came late would have begun.
      await scene.first.must(['sleep', '2']);
      expect(await stops()).toBe(shown);
      await scene.type(scene.first, 'resume');
    });
  }, 180_000);

  test('a paused queue holds the job that is in it, which is taken back, and granted anew on resume', async () => {
    const { second, type } = scene;
    const name = `host-${second.name}`;
    const queue = async (): Promise<QueueCounts | undefined> =>
      ((await scene.get('/v1/queues')) as QueueCounts[]).find((one) => one.name === name);
    const before = await stops();
    // Its agent stands still, so that the job stays where it was put.
    scene.agent(second).signal('SIGSTOP');
    const id = await waveFrom(scene, () => type(scene.first, 'restart', 'h121/web-02'));
    await waitUntil('its job is in the queue', async () => (await queue())?.waiting === 1, {
      deadlineMs: 20_000,
      everyMs: 50,
    });
    const [granted] = (await scene.status()).grants;
    await type(scene.first, 'pause', '--queue', second.name, '--reason', 'a test');
    await waitUntil('Redis holds the queue', async () => (await queue())?.paused ?? false, {
      deadlineMs: 20_000,
      everyMs: 50,
    });
    const shown = async () => (await scene.status()).pauses[0];
    expect(await shown()).toMatchObject({ state: 'pausing', inFlight: 1 });
    scene.agent(second).signal('SIGCONT');
    // By its agent's word (R20), who has heard of it by the record, not by the job; and long before the
    // permission ends by itself, 30 s after it was given.
    await waitUntil('it is paused', async () => (await shown())?.state === 'paused', {
      deadlineMs: 15_000,
      everyMs: 50,
    });
    expect((await scene.status()).grants).toEqual([]);
    expect(await queue()).toMatchObject({ waiting: 1, active: 0, paused: true });
    // A whole restart would fit into this.
    await scene.first.must(['sleep', '2']);
    expect(await stops()).toBe(before);
    await type(scene.first, 'resume', '--queue', second.name);
    const wave = await waveOver(scene, id);
    expect(wave.members).toMatchObject([{ state: 'verified', attempts: 2 }]);
    const verified = (await recordsOfWave(scene, id, 1)).map(
      ({ action, outcome }) => `${action} ${outcome}`,
    );
    expect(verified).toEqual(['stop-begun null', 'restart-ended done']);
    expect(await stops()).toBe(before + 1);
    // The one that was held is no restart any more, and is out of the way.
    await waitUntil('the queue is empty', async () => (await queue())?.waiting === 0, {
      deadlineMs: 20_000,
      everyMs: 50,
    });
    expect(granted?.container).toBe('h121/web-02');
    expect(await stops()).toBe(before + 1);
  }, 180_000);

  test('a key is rotated by the commands of the how-to, and the host goes on', async () => {
    const { first, second, type } = scene;
    await first.writeFile('/root/new.json', await type(second, 'agent', '--new-key'), 0o600);
    const added = await type(
      first,
      ...['host', 'rotate-key', second.name, '--key', '/root/new.json'],
    );
    const switched = await type(second, 'agent', '--switch-key');
    const keyId = /added key ([0-9a-f]{16}) of host h121/.exec(added)?.[1];
    expect(switched).toBe(
      `the agent of h121 signs with key ${keyId ?? added} from its next start on: restart it\n`,
    );
    expect(await scene.agent(second).kill('SIGTERM')).toBe(0);
    await scene.startAgent(second);
    await wholeWave(
      () => type(first, 'restart', 'api'),
      scene.members('api'),
      () => Promise.resolve(),
    );
  }, 180_000);

  test('a host whose machine is off is excluded: its containers count as away, and nothing else is stopped until it is back', async () => {
    const { first, second, type } = scene;
    await scene.agent(second).kill('SIGKILL');
    await type(first, 'host', 'exclude', second.name, '--fenced', '--reason', 'a test');
    const waiting = await waveFrom(scene, () => type(first, 'restart', 'h120/web-01'));
    expect(await type(first, 'why', 'h120/web-01')).toContain('has 3 of 1 unavailable');
    const before = await stops();
    expect(await type(first, 'host', 'add', second.name)).toBe(
      'host h121 is taken back, in zone rack-2\n',
    );
    expect(await stops()).toBe(before);
    await scene.startAgent(second);
    expect((await waveOver(scene, waiting)).counts).toEqual({ verified: 1 });
    expect(await stops()).toBe(before + 1);
  }, 180_000);
});
