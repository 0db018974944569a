import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { readWitness } from '../bed/containers.ts';
import { startNameServer } from '../bed/name-server.ts';
import { proveWave } from '../bed/proven-wave.ts';
import { startBedRedis } from '../bed/redis-server.ts';
import { waveFrom, waveOver, waves, waveWhen } from '../bed/scene-waves.ts';
import { createScene, groundswell } from '../bed/scene.ts';
import type { Scene } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';
import type { StatusView } from '../../src/cli/views.ts';
import { LIBRARIES } from './scan-bed.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';
const floors = { web: 3 };

describe('upgrades that others run', () => {
  let scene: Scene;
  let names: Awaited<ReturnType<typeof startNameServer>>;

  beforeAll(async () => {
    scene = await createScene({
      directory: `${TEST_BEDS}/outside`,
      hostNumber: 112,
      projectDirectory: process.cwd(),
      services: { web: { count: 5, maxUnavailable: 2, arguments: ['--start-delay-ms', '300'] } },
      beforeUp: async (bed, { outerAddress, writeFile }) => {
        names = await startNameServer(outerAddress);
        await writeFile('/etc/resolv.conf', `nameserver ${outerAddress}\n`);
        const redis = await startBedRedis(bed, [outerAddress]);
        return { REDIS_URL: redis.url(outerAddress) };
      },
    });
  }, 300_000);

  afterAll(async () => {
    names.close();
    await scene.dispose();
  }, 60_000);

  /** Stops that LXC itself saw since a moment, by the host's clock. */
  const stopsSince = async (atMs: number): Promise<number[]> =>
    (await readWitness(scene.host))
      .filter(({ kind, atMs: at }) => kind === 'stop' && at >= atMs)
      .map(({ atMs: at }) => at);

  const status = async (): Promise<StatusView> =>
    JSON.parse(await scene.host.must([...groundswell, 'status', '--json'])) as StatusView;
  const gateSays = (what: RegExp | null): Promise<string | null> =>
    waitUntil(
      `the host gate says ${what === null ? 'nothing' : String(what)}`,
      async () => {
        const gate = (await status()).hosts[0]?.gate ?? null;
        return (what === null ? gate === null : what.test(gate ?? '')) ? (gate ?? '') : null;
      },
      { deadlineMs: 60_000, everyMs: 200 },
    );

  test('all in one works on the Redis that REDIS_URL names, and starts none of its own', async () => {
    expect((await status()).redis).toBe('answers');
    expect((await scene.host.run(['pidof', 'redis-server'])).stdout).toBe('');
  }, 60_000);

  test('its API is for root and the group of operators alone', async () => {
    const socket = '/run/groundswell/api.sock';
    expect((await scene.host.must(['stat', '-c', '%a %U %G', socket])).trim()).toBe(
      '660 root groundswell',
    );
    const asNobody = (...groups: string[]): string[] => [
      ...['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', ...groups],
      ...[...groundswell, 'hosts'],
    ];
    const denied = await scene.host.run(asNobody('--clear-groups'));
    expect([denied.exitCode, denied.stdout]).toEqual([expect.any(Number), '']);
    expect(denied.exitCode).toBeGreaterThan(0);
    expect(await scene.host.must(asNobody('--groups', 'groundswell'))).toContain('h112');
  }, 60_000);

  const downgrade = (): Promise<string> =>
    scene.host.must(['apt-get', '-qy', '--allow-downgrades', 'install', `libgs-demo1=${u1}`]);
  const upgrade = (): Promise<string> => scene.host.must(['apt-get', '-qy', 'upgrade']);

  /** `/tmp/slow.deb`: somebody's package whose configuration takes longer than that idle time. */
  const makeSlowPackage = (): Promise<string> =>
    scene.host.must([
      'sh',
      '-c',
      `rm -rf /tmp/slow && mkdir -p /tmp/slow/DEBIAN && cd /tmp/slow &&
       printf 'Package: slow\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n' >DEBIAN/control &&
       printf '#!/bin/sh\\nsleep 8\\n' >DEBIAN/postinst && chmod 755 DEBIAN/postinst && dpkg-deb -b . /tmp/slow.deb`,
    ]);

  /**
   * Makes each run of apt take longer than the idle time after which a transaction counts as over (R30): with
   * its locks held, after dpkg has changed everything and our own hook was called.
   */
  const slowApt = {
    begin: () =>
      scene.host.writeFile(
        '/etc/apt/apt.conf.d/zz-slow',
        'DPkg::Post-Invoke { "touch /run/apt-at-work; sleep 8"; };\n',
      ),
    end: () => scene.host.must(['rm', '-f', '/etc/apt/apt.conf.d/zz-slow', '/run/apt-at-work']),
    atWork: () =>
      waitUntil(
        'apt is at work',
        async () => (await scene.host.run(['test', '-e', '/run/apt-at-work'])).exitCode === 0,
        { deadlineMs: 60_000, everyMs: 50 },
      ),
  };

  /** Runs what changes packages, and keeps when it ended. */
  const timed = (command: string[]): { act: () => Promise<void>; endedMs: () => number } => {
    let ended = Number.NaN;
    return {
      act: async () => {
        await scene.host.must(command);
        ended = Date.now();
      },
      endedMs: () => ended,
    };
  };

  test('a real unattended-upgrade run: one wave, and no stop while it works', async () => {
    await scene.bed.publish({ 'libgs-demo1': u1, 'gs-demo-web': u1 });
    await scene.host.must(['apt-get', '-q', 'update']);
    const before = (await waves(scene)).length;
    await slowApt.begin();
    const run = timed(['unattended-upgrade']);
    const { wave, events, complaints } = await proveWave(scene, {
      act: run.act,
      library: u1,
      floors,
    });
    await slowApt.end();
    expect(complaints).toEqual([]);
    expect((await waves(scene)).length).toBe(before + 1);
    expect(wave.counts).toEqual({ verified: 5 });
    expect(Math.min(...events.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(run.endedMs());
  }, 180_000);

  test('a dry run of it causes nothing; dpkg -i does', async () => {
    await scene.bed.publish({ 'libgs-demo1': u2 });
    await scene.host.must(['apt-get', '-q', 'update']);
    const before = (await waves(scene)).length;
    const began = Date.now();
    await scene.host.must(['unattended-upgrade', '--dry-run']);
    await scene.host.must(['apt-get', '-s', 'upgrade']);
    // The next real transaction is the event that shows that nothing came of the two before it.
    await makeSlowPackage();
    const run = timed([
      ...['sh', '-c', 'dpkg -i /bedrepo/pool/libgs-demo1_1.0-1+deb12u2_*.deb /tmp/slow.deb'],
    ]);
    const { wave, events, complaints } = await proveWave(scene, {
      act: run.act,
      library: u2,
      floors,
    });
    expect(Math.min(...events.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(run.endedMs());
    expect(complaints).toEqual([]);
    expect((await waves(scene)).length).toBe(before + 1);
    expect(wave.cause).toContain(u2);
    expect(await stopsSince(began)).toHaveLength(5);
  }, 180_000);

  test('plain apt-get upgrade', async () => {
    await waveOver(scene, await waveFrom(scene, downgrade));
    await slowApt.begin();
    const run = timed(['apt-get', '-qy', 'upgrade']);
    const { wave, events, complaints } = await proveWave(scene, {
      act: run.act,
      library: u2,
      floors,
    });
    await slowApt.end();
    expect(complaints).toEqual([]);
    expect(wave.counts).toEqual({ verified: 5 });
    expect(Math.min(...events.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(run.endedMs());
  }, 180_000);

  test('one that breaks network, DNS, LXC and a container holds its wave until each is mended', async () => {
    // One that hangs, and can still be killed when the test ends early.
    const hang = (signal: string): Promise<string> =>
      scene.host.must(['sh', '-c', `kill -${signal} $(pgrep -P $(lxc-info -n web-03 -pH))`]);
    const stray = await scene.host.spawn(['/usr/bin/gs-demo-web', '9999']);
    await scene.host.writeFile('/run/reboot-required', 'yes\n');
    await scene.host.writeFile('/run/reboot-required.pkgs', 'linux-image-amd64\nlibc6\nlibc6\n');
    const library = `${LIBRARIES}/libgcc_s.so.1`;
    const began = Date.now();
    const id = await waveFrom(scene, () =>
      scene.host.must([
        ...['sh', '-ec'],
        `apt-get -qy --allow-downgrades install libgs-demo1=${u1}
        cp -a ${library} ${library}.new; mv ${library}.new ${library}
        ip route del default
        echo nameserver 10.255.255.1 > /etc/resolv.conf
        mv /usr/bin/lxc-ls /usr/bin/lxc-ls.real
        printf '#!/bin/sh\\nexit 1\\n' > /usr/bin/lxc-ls; chmod 755 /usr/bin/lxc-ls`,
      ]),
    );
    const wave = await waveWhen(scene, id, 'is paused', ({ state }) => state === 'paused');
    expect(wave.pausedBy).toBe(
      'the host gate of h112 did not pass: the default route is gone; the DNS resolver does not answer any more; the container runtime does not answer: command lxc-ls exited with 1',
    );
    expect(wave.counts).toEqual({ pending: 5 });
    expect((await status()).hosts[0]).toMatchObject({
      rebootRequired: ['libc6', 'linux-image-amd64'],
      agentStale: true,
    });
    expect((await status()).hosts[0]?.staleHostProcesses).toContainEqual({
      ...{ pid: expect.any(Number), command: 'gs-demo-web', unit: null },
      paths: [`${LIBRARIES}/libgsdemo.so.1.0.0`],
    });

    await scene.host.must(['ip', 'route', 'add', 'default', 'via', scene.host.outerAddress]);
    expect(await gateSays(/^the DNS resolver/)).toContain('lxc-ls exited with 1');
    await scene.host.writeFile('/etc/resolv.conf', `nameserver ${scene.host.outerAddress}\n`);
    await gateSays(/^the container runtime/);
    await hang('STOP');
    await scene.host.must(['mv', '/usr/bin/lxc-ls.real', '/usr/bin/lxc-ls']);
    await gateSays(/^not as healthy as before: web-03: /);
    const { text } = await scene.act({ action: 'resume', level: { level: 'wave', waveId: id } });
    expect(text).toMatch(/^resumed \(wave \S+\); the host gate of h112 did not pass: .*web-03/);
    expect(await stopsSince(began)).toEqual([]);
    await hang('CONT');
    await gateSays(null);
    expect((await waveOver(scene, id)).counts).toEqual({ verified: 5 });
    await stray.kill();
  }, 240_000);

  test('a transaction that begins in the middle of a wave: no stop while it works, then the rest', async () => {
    await makeSlowPackage();
    const id = await waveFrom(scene, upgrade);
    await waveWhen(scene, id, 'has one verified', ({ counts }) => (counts['verified'] ?? 0) >= 1);
    const began = Date.now();
    await scene.host.must(['dpkg', '-i', '/tmp/slow.deb']);
    const ended = Date.now();
    expect(ended - began).toBeGreaterThan(8_000);
    const { counts } = await waveWhen(scene, id, 'is over', ({ endedAt }) => endedAt !== null);
    expect(counts).toEqual({ verified: 5 });
    const stops = await stopsSince(began);
    // What was being stopped when dpkg took its lock comes to its end in its first second.
    expect(stops.filter((at) => at > began + 1_000 && at < ended)).toEqual([]);
    expect(stops.filter((at) => at > ended).length).toBeGreaterThanOrEqual(2);
  }, 180_000);

  test.each([
    ['apt-get upgrade', ['apt-get', '-qy', 'upgrade'], u1],
    ['unattended-upgrade', ['unattended-upgrade'], u2],
  ] as const)(
    '%s at work in the middle of a wave: nothing begins until it is over, then the rest',
    async (_, command, data) => {
      const id = await waveFrom(scene, data === u1 ? downgrade : upgrade);
      await waveWhen(scene, id, 'has one verified', ({ counts }) => (counts['verified'] ?? 0) >= 1);
      const level = { level: 'fleet' } as const;
      await scene.act({ action: 'pause', level, reason: 'until apt is at work' });
      await waitUntil('it is paused', async () => (await status()).pauses[0]?.state === 'paused', {
        deadlineMs: 30_000,
        everyMs: 20,
      });
      // A package whose files no container maps, and no other.
      await scene.host.must(['apt-mark', 'hold', 'libgs-demo1']);
      await scene.bed.publish({ 'gs-demo-data': data });
      await scene.host.must(['apt-get', '-q', 'update']);
      await slowApt.begin();
      const run = timed([...command]);
      const running = run.act();
      await slowApt.atWork();
      const began = Date.now();
      await scene.act({ action: 'resume', level });
      await running;
      await slowApt.end();
      await scene.host.must(['apt-mark', 'unhold', 'libgs-demo1']);
      expect((await waveOver(scene, id)).counts).toEqual({ verified: 5 });
      const stops = await stopsSince(began);
      expect(stops.length).toBeGreaterThanOrEqual(1);
      expect(Math.min(...stops)).toBeGreaterThanOrEqual(run.endedMs());
      expect(await scene.host.must(['dpkg-query', '-Wf', '${Version}', 'gs-demo-data'])).toBe(data);
    },
    180_000,
  );

  test('an owner stops one: it stays stopped', async () => {
    await scene.host.must(['lxc-stop', '-n', 'web-02']);
    const id = await waveFrom(scene, downgrade);
    await waveOver(scene, id);
    expect((await scene.host.must(['lxc-info', '-n', 'web-02', '-s'])).trim()).toContain('STOPPED');
    const why = (await scene.get('/v1/containers/h112/web-02')) as {
      answer: string;
      unavailableBecause: string;
    };
    expect(why.unavailableBecause).toContain('owner');
  }, 180_000);
});
