import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { askVersion } from '../bed/ask.ts';
import { containerNamed, waitUntilHealthy } from '../bed/containers.ts';
import type { DemoPackage, DemoVersion } from '../bed/demo-packages.ts';
import { restartRecords, waveFrom, waveOver, waveWhen } from '../bed/scene-waves.ts';
import { groundswell as fromCheckout } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { byPerson, runOutdated } from './outdated.ts';
import { ownWarnings } from './own-warnings.ts';
import { createSystemdScene } from './systemd-scene.ts';
import type { SystemdScene } from './systemd-scene.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';

/** One host, from its first day to the last: the tests build on each other. */
describe('a host with systemd as its init, installed by setup', () => {
  let scene: SystemdScene;
  let before: Set<string>;
  let installedAtMs = Infinity;

  beforeAll(async () => {
    scene = await createSystemdScene();
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  const must = (...argv: string[]): Promise<string> => scene.host.must(argv);
  const pidOf = (unit: string): Promise<string> =>
    must('systemctl', 'show', '-p', 'MainPID', '--value', unit);
  const state = async (name: string): Promise<string> =>
    (await must('lxc-info', '-n', name, '-sH')).trim();
  const versionOf = async (name: string): Promise<string> =>
    (await askVersion(containerNamed(scene.containers, name))).library;

  /** Plain apt-get, with something in web-01 for which needrestart restarts a container. */
  const upgrade = async (name: DemoPackage, version: DemoVersion): Promise<string> => {
    await runOutdated(scene.host, 'web-01');
    await scene.bed.publish({ [name]: version });
    await must('apt-get', '-q', 'update');
    return must(...byPerson, 'apt-get', '-qy', 'upgrade');
  };

  /**
   * Every stop that LXC performed since the installation has a pair of records of its own, and there are no others.
   * Records reach the server after the end that they tell of, so they are waited for.
   */
  const expectEachStopGranted = async (): Promise<void> => {
    const stops = (await scene.stoppedSince(installedAtMs)).map((name) => `h125/${name}`).sort();
    const pairs = async (): Promise<Record<string, string[]>> => {
      const records = await restartRecords(scene);
      const of = (action: string): string[] =>
        records.flatMap((record) => (record.action === action ? [record.container] : [])).sort();
      return { begun: of('stop-begun'), ended: of('restart-ended') };
    };
    await waitUntil(
      'the last record to arrive',
      async () => (await pairs())['ended']?.length === stops.length,
      { deadlineMs: 10_000, everyMs: 50 },
    ).catch(() => undefined);
    expect(await pairs()).toEqual({ begun: stops, ended: stops });
  };

  const told = async (kind: string, waveId: string): Promise<string> => {
    const mine = (all: { kind: string; waveId: string | null }[]) =>
      all.find((notice) => notice.kind === kind && notice.waveId === waveId) ?? null;
    const what = `operators to be told of ${kind}`;
    const options = { deadlineMs: 20_000, everyMs: 20 };
    const byHook = await waitUntil(`${what} by webhook`, () => mine(scene.webhook), options);
    const byCommand = await waitUntil(
      `${what} by command`,
      async () => mine(await scene.commandTold()),
      options,
    );
    expect(byCommand).toEqual(byHook);
    return scene.webhook.find((notice) => notice === byHook)?.text ?? '';
  };

  test('control: without Groundswell needrestart restarts a service of the host and a container', async () => {
    const pid = await pidOf('host-web');
    expect(await upgrade('libgs-demo1', u1)).toContain('Restarting containers');
    expect(await pidOf('host-web')).not.toBe(pid);
    expect(await scene.stoppedSince(0)).toEqual(['web-01']);
    // It does not even bring it up again: lxc-stop --reboot leaves a container with tini down.
    await scene.host.run(['lxc-start', '-n', 'web-01']);
    await waitUntilHealthy([containerNamed(scene.containers, 'web-01')]);
  }, 60_000);

  test('setup: shown first, then there and running, and what is stale already asks', async () => {
    await scene.writeConfiguration('2099-01-01');
    before = await scene.listFiles();
    const dry = await must(...fromCheckout, 'setup', '--dry-run');
    expect(dry).toContain('write file      /usr/local/bin/groundswell (0755)');
    expect(dry).toContain('run             systemctl enable --now groundswell.service');
    installedAtMs = Date.now();
    await must(...fromCheckout, 'setup', '--yes');
    expect((await must('systemctl', 'is-active', 'groundswell')).trim()).toBe('active');
    // Up when systemd says so: the very first call is answered.
    expect(await scene.groundswell('status')).toContain('1 host');
    const wave = await waveWhen(scene, 'found stale', 'waits', ({ total }) => total >= 3);
    expect(wave.state).toBe('waiting for approval');
    const doctor = await scene.host.run(['groundswell', 'doctor']);
    const bad = doctor.stdout.split('\n').filter((line) => /^(?:fail|warn)/.test(line));
    // Nobody has been restarted yet: until then they see what the host has.
    expect(bad).toEqual([expect.stringMatching(/^fail {2}hidden .*sys-01, sys-02, web-01/)]);
    expect(await told('needs-approval', wave.id)).toContain(`groundswell approve ${wave.id}`);
    expect(await scene.groundswell('plan')).toContain(`Wave ${wave.id} waits for approval`);
    expect(await scene.stoppedSince(installedAtMs)).toEqual([]);
  }, 60_000);

  test('approved: exactly the stale are restarted, those with systemd too; who is opted out is not', async () => {
    const [{ id } = { id: '' }] = (await scene.get('/v1/waves')) as { id: string }[];
    await scene.groundswell('approve', id);
    const { members } = await waveOver(scene, id);
    expect(members.map(({ container, state: now }) => `${container} ${now}`).sort()).toEqual([
      'h125/sys-01 verified',
      'h125/sys-02 verified',
      'h125/web-02 verified',
    ]);
    expect((await scene.stoppedSince(installedAtMs)).sort()).toEqual([
      'sys-01',
      'sys-02',
      'web-02',
    ]);
    await expectEachStopGranted();
    for (const name of ['sys-01', 'sys-02']) {
      const inside = ['lxc-attach', '-n', name, '--', 'systemctl', 'is-active', 'gs-demo-web'];
      expect((await must(...inside)).trim()).toBe('active');
      expect(await versionOf(name)).toBe(u1);
    }
    expect(await told('ended', id)).toContain('3 verified');
  }, 60_000);

  test('an opt-out is shown wherever the container is shown', async () => {
    const sale = 'opted out until 2099-01-01T00:00Z: sale';
    const never = 'opted out: holds a cache';
    for (const view of [['containers'], ['plan'], ['status']]) {
      const text = await scene.groundswell(...view);
      expect(text).toContain(sale);
      expect(text).toContain(never);
    }
    expect(await scene.groundswell('why', 'web-03')).toContain(sale);
    expect(await scene.groundswell('why', 'h125/web-04')).toContain(never);
  }, 30_000);

  test('a plain apt-get upgrade under needrestart: only the wave restarts, over a restart of our own too', async () => {
    const since = Date.now();
    const pid = await pidOf('host-web');
    let output = '';
    const id = await waveFrom(scene, async () => {
      output = await upgrade('libgs-demo1', u2);
    });
    expect(output).not.toMatch(/Restarting (?:containers|services)/);
    expect(await pidOf('host-web')).toBe(pid);
    // Nobody restarts a service of the host itself: it is named, with what does.
    for (const view of ['status', 'hosts'])
      expect(
        await waitUntil(
          `${view} names the host's own service`,
          async () => /^ .*host-web\.service .*/m.exec(await scene.groundswell(view))?.[0] ?? null,
          { deadlineMs: 30_000, everyMs: 200 },
        ),
      ).toMatch(/: systemctl restart .*host-web\.service/);
    // The automatic service goes ahead, the other waits for a person.
    await waveWhen(scene, id, 'has done what it may', ({ counts, state: now }) => {
      return counts['verified'] === 2 && now === 'waiting for approval';
    });
    expect((await scene.stoppedSince(since)).sort()).toEqual(['sys-01', 'sys-02']);
    expect(await told('needs-approval', id)).toContain('gs-demo');
    await scene.groundswell('approve', id);
    await waveWhen(scene, id, 'is at work', ({ counts }) => counts['restarting'] === 1);
    await must('systemctl', 'restart', 'groundswell');
    expect((await waveOver(scene, id)).counts).toEqual({ verified: 4, 'opted-out': 2 });
    const stopped = (await scene.stoppedSince(since)).sort();
    expect(stopped).toEqual(['sys-01', 'sys-02', 'web-01', 'web-02']);
    await expectEachStopGranted();
    for (const name of stopped) expect(await versionOf(name)).toBe(u2);
    expect(await versionOf('web-04')).toBe('1.0-1');
  }, 90_000);

  test('operators are told of a failure and of the pause it brings, and mend it', async () => {
    const mark = '/var/lib/lxc/web-01/delta0/etc/gs-unhealthy';
    const id = await waveFrom(scene, () => upgrade('libgs-extra1', u1));
    await must('sh', '-c', `mkdir -p ${mark.replace(/\/[^/]+$/, '')} && touch ${mark}`);
    await scene.groundswell('approve', id);
    expect(await told('failed', id)).toMatch(/^h125\/web-01: /);
    expect(await told('paused', id)).toContain('h125/web-01');
    expect(await scene.groundswell('why', 'web-01')).toContain('groundswell retry h125/web-01');
    await must('rm', mark);
    await scene.groundswell('retry', 'web-01');
    await scene.groundswell('resume', '--wave', id);
    expect((await waveOver(scene, id)).counts).toEqual({ verified: 2, 'opted-out': 2 });
    expect(await told('ended', id)).toContain('2 verified');
  }, 90_000);

  test('an opt-out with a date ends with it: the container asks, and can be declined', async () => {
    const since = Date.now();
    // To the second.
    const ends = Math.ceil(since / 1_000) * 1_000 + 4_000;
    await scene.writeConfiguration(`${new Date(ends).toISOString().slice(0, 19)}Z`);
    const id = await waveFrom(scene, () => must('systemctl', 'restart', 'groundswell'));
    expect(Date.now()).toBeGreaterThanOrEqual(ends);
    const wave = await waveWhen(scene, id, 'waits', ({ state: now }) => /approval/.test(now));
    expect(wave.members.map(({ container }) => container)).toEqual(['h125/web-03']);
    // Of the upgrades that had left it out.
    expect(wave.cause).toMatch(/^gs-demo .*gs-extra/);
    await scene.groundswell('decline', id);
    expect(await told('ended', id)).toContain('declined by root@h125');
    expect(await scene.stoppedSince(since)).toEqual([]);
  }, 60_000);

  test('the journal holds no warning and no error of ours', async () => {
    const lines = (await must('journalctl', '-u', 'groundswell', '-o', 'cat')).split('\n');
    expect(lines.filter((line) => line.includes('"msg":"server and agent are up"'))).toHaveLength(
      3,
    );
    expect(ownWarnings(lines)).toEqual([]);
  });

  test('uninstall takes away what setup put there, and purge the rest', async () => {
    await must('groundswell', 'uninstall', '--yes');
    const units = ['systemctl', 'list-unit-files', '--no-legend', 'groundswell*'];
    expect((await scene.host.run(units)).stdout).toBe('');
    expect((await scene.host.run(['systemctl', 'status', 'groundswell'])).exitCode).toBe(4);
    const differs = async (): Promise<string[]> => {
      const after = await scene.listFiles();
      const added = [...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`);
      return [
        ...added,
        ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
      ];
    };
    const left = (await differs()).map((line) => line.replace(/^(.) \S+ \S+ /, '$1 '));
    expect(left.filter((line) => !line.startsWith('+ /var/lib/groundswell'))).toEqual([]);
    // The operator's own configuration goes with the purge as well.
    await must(...fromCheckout, 'uninstall', '--yes', '--purge');
    expect((await differs()).filter((line) => line.startsWith('+'))).toEqual([]);
    for (const { name } of scene.containers) expect(await state(name)).toBe('RUNNING');
    await must('apt-get', '-qy', '--allow-downgrades', 'install', `gs-demo-data=1.0-1`);
  }, 60_000);
});
