import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import type { StatusView } from '../../src/cli/views.ts';
import { askVersion } from '../bed/ask.ts';
import { buildDeb } from '../bed/deb.ts';
import type { DemoPackage, DemoVersion } from '../bed/demo-packages.ts';
import {
  containersSeen,
  restartRecords,
  waveFrom,
  waveOver,
  waveWhen,
} from '../bed/scene-waves.ts';
import { groundswell as fromCheckout } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { ownWarnings } from './own-warnings.ts';
import { createUnitsScene } from './units-scene.ts';
import type { UnitsScene } from './units-scene.ts';

const u1 = '1.0-1+deb12u1';
const u2 = '1.0-1+deb12u2';
const unitNames = ['groundswell-server', 'groundswell-agent'] as const;
const webs = ['web-01', 'web-02', 'web-03'];
const restarting = 'gs-restarts-agent';
const observed = 'only observed: service watched is in mode observe';

/** One machine that is both, and one of its two services only observed: the tests build on each other. */
describe('the units of server and agent on a host with systemd', () => {
  let scene: UnitsScene;

  beforeAll(async () => {
    scene = await createUnitsScene();
    await publishRestarting('1');
    await must('apt-get', '-qy', 'install', restarting);
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  const must = (...argv: string[]): Promise<string> => scene.host.must(argv);
  /** Offer a package whose second version restarts the agent in its postinst, and waits for that. */
  const publishRestarting = async (version: '1' | '2'): Promise<void> => {
    const postinst = '#!/bin/sh\nset -e\nsystemctl restart groundswell-agent\nsleep 1\n';
    const deb = {
      ...{ name: restarting, version, architecture: 'all' },
      control: version === '2' ? { postinst } : {},
    };
    const trees = join(scene.bed.directory, 'trees');
    const path = await buildDeb(scene.bed.commands, deb, join(trees, version), trees);
    await scene.bed.repository.publish([path]);
    await must('apt-get', '-q', 'update');
  };
  const groundswell = (...argv: string[]): Promise<string> => must('groundswell', ...argv);
  const status = async (): Promise<StatusView> => (await scene.get('/v1/status')) as StatusView;
  /** One word for each of the units, whatever systemctl's exit status. */
  const ask = async (verb: 'is-active' | 'is-enabled'): Promise<string[]> =>
    (await scene.host.run(['systemctl', verb, ...unitNames])).stdout.trim().split('\n');

  const known = (wanted: number): Promise<unknown> =>
    waitUntil(
      `the server knows ${wanted} containers as healthy`,
      async () =>
        (await containersSeen(scene).catch(() => [])).filter(({ available }) => available)
          .length === wanted,
      { deadlineMs: 60_000, everyMs: 50 },
    );

  const upgrade = async (name: DemoPackage, version: DemoVersion): Promise<void> => {
    await scene.bed.publish({ [name]: version });
    await must('apt-get', '-q', 'update');
    await must('apt-get', '-qy', 'upgrade');
  };

  /** Stops that were granted in a wave, each of which has to have its end: container names, in their order. */
  const stopsOf = async (waveId: string): Promise<string[]> => {
    const mine = async (action: string): Promise<string[]> =>
      (await restartRecords(scene))
        .filter((record) => record.action === action && record.wave === waveId)
        .map(({ container }) => container.replace(/^.*\//, ''))
        .sort();
    const begun = await mine('stop-begun');
    await waitUntil(
      'each stop has its end on record',
      async () => (await mine('restart-ended')).join() === begun.join(),
      { deadlineMs: 10_000, everyMs: 50 },
    );
    return begun;
  };

  test('setup starts no agent that could only fail, and leaves the server beside it alone', async () => {
    await scene.writeConfiguration();
    await must(...fromCheckout, 'setup', '--as', 'server', '--yes');
    expect(await ask('is-active')).toEqual(['active', 'inactive']);
    expect(await must(...fromCheckout, 'setup', '--as', 'agent', '--yes')).not.toContain('enable');

    await groundswell('agent', '--trust', (await groundswell('server', '--show-key')).trim());
    await scene.host.writeFile('/root/card.json', await groundswell('agent', '--show-key'), 0o600);
    await groundswell('host', 'add', scene.host.name, '--key', '/root/card.json');
    await must(...fromCheckout, 'setup', '--as', 'agent', '--yes');
    expect(await ask('is-active')).toEqual(['active', 'active']);
    expect(await ask('is-enabled')).toEqual(['enabled', 'enabled']);
    await known(5);
  }, 90_000);

  test('restarts of both in the middle of a wave, which restarts nothing that is only observed', async () => {
    const since = Date.now();
    const id = await waveFrom(scene, () => upgrade('libgs-demo1', u1));
    for (const unit of unitNames) {
      await waveWhen(scene, id, 'is at work', ({ counts }) => counts['restarting'] === 1);
      await must('systemctl', 'restart', unit);
    }
    expect((await waveOver(scene, id)).counts).toEqual({ verified: 3, observed: 2 });
    expect((await scene.stoppedSince(since)).sort()).toEqual(webs);
    expect(await stopsOf(id)).toEqual(webs);
    for (const { service, ...container } of scene.containers)
      expect((await askVersion(container)).library).toBe(service === 'web' ? u1 : '1.0-1');
  }, 90_000);

  test('what is only observed is shown as stale, and as waiting for nothing', async () => {
    expect(await groundswell('status')).toMatch(/^watched +2\/2 +1 +2 +0 +observe$/m);
    const plan = await groundswell('plan');
    expect(plan).toMatch(/^In no wave:[^]*watched-01[^]*watched-02[^]*\n0 restarts; 2 impossible/);
    expect(plan).toContain(observed);
    expect(await groundswell('why', 'watched-01')).toContain(`${observed}; stale: process`);
    expect((await status()).waves.filter(({ endedAt }) => endedAt === null)).toEqual([]);
  }, 60_000);

  test('a reboot in the middle of a wave: all comes up by itself, and the wave ends as it is', async () => {
    const bootId = (): Promise<string> => must('cat', '/proc/sys/kernel/random/boot_id');
    const before = await bootId();
    const id = await waveFrom(scene, () => upgrade('libgs-demo1', u2));
    await waveWhen(scene, id, 'is at work', ({ counts }) => counts['restarting'] === 1);
    await scene.host.stop();
    await scene.host.start();
    expect(await bootId()).not.toBe(before);
    await known(4);
    const { members } = await waveOver(scene, id);
    const inState = (wanted: string): string[] =>
      members
        .filter(({ container, state }) => container.includes('/web-') && state === wanted)
        .map(({ container }) => container.replace(/^.*\//, ''));
    // What the boot started runs the present code and was not restarted for it again.
    expect([...inState('verified'), ...inState('not-needed')].sort()).toEqual(webs);
    expect(await stopsOf(id)).toEqual(inState('verified').sort());
    const { grants, services } = await status();
    expect(grants).toEqual([]);
    expect(services.map(({ stale }) => stale)).toEqual([0, 0]);
    expect(await ask('is-active')).toEqual(['active', 'active']);
    for (const { name, ...container } of scene.containers)
      if (name !== scene.withoutAutostart) expect((await askVersion(container)).library).toBe(u2);
  }, 120_000);

  test('an upgrade whose package restarts the agent in the middle of it goes on, and is known for what it did', async () => {
    const show = (property: string): Promise<string> =>
      must('systemctl', 'show', '-P', property, 'groundswell-agent');
    const before = await show('InvocationID');
    await publishRestarting('2');
    const id = await waveFrom(scene, () => groundswell('upgrade', scene.host.name, restarting));
    const { upgrades, members } = await waveOver(scene, id);
    expect(upgrades.map(({ state }) => state)).toEqual(['done']);
    expect(members).toEqual([]);
    // All of its postinst was run: what it stopped was not the package manager that runs it.
    expect(await must('dpkg-query', '-Wf', '${Version} ${db:Status-Status}', restarting)).toBe(
      '2 installed',
    );
    expect(await show('InvocationID')).not.toBe(before);
    // It had ended when it was asked to: where it waits for the package manager, that waits for it.
    expect(await must('journalctl', '-u', 'groundswell-agent', '-o', 'cat')).not.toMatch(
      /State '.*' timed out|Main process exited, code=killed/,
    );
    const [record] = (await restartRecords(scene)).filter(({ wave }) => wave === id);
    expect(record).toBeUndefined();
  }, 120_000);

  test('nobody is said to have stopped what the shutdown did, and no boot has started again', async () => {
    const why = await groundswell('why', scene.withoutAutostart);
    expect(why).toContain('unavailable: stopped\n');
    await must('lxc-start', '-n', scene.withoutAutostart);
  }, 30_000);

  test('their journals hold no warning and no error, and uninstall takes both away', async () => {
    const of = unitNames.flatMap((unit) => ['-u', unit]);
    const lines = (await must('journalctl', ...of, '-o', 'cat')).split('\n');
    // Each once by setup, by a restart and by the boot, and the agent by an upgrade.
    expect(lines.filter((line) => /"msg":"the (?:server|agent) is up"/.test(line))).toHaveLength(7);
    expect(ownWarnings(lines)).toEqual([]);
    await groundswell('uninstall', '--yes');
    const units = ['systemctl', 'list-unit-files', '--no-legend', 'groundswell*'];
    expect((await scene.host.run(units)).stdout).toBe('');
    expect(await ask('is-active')).toEqual(['inactive', 'inactive']);
    for (const { name } of scene.containers)
      expect((await must('lxc-info', '-n', name, '-sH')).trim()).toBe('RUNNING');
  }, 60_000);
});
