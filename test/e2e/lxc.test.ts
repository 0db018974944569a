import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { askVersion } from '../bed/ask.ts';
import { rewriteOldForm } from '../../src/host/lxc/old-form.ts';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { waitUntilHealthy } from '../bed/containers.ts';
import type { BedHost } from '../bed/host.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { callLxc, LXC_CHILD } from './lxc-host.ts';

const FIRST_RUN_MS = 300_000;
// Each call in the host starts a Node of its own.
jest.setTimeout(60_000);
const DIRECTORY = join(TEST_BEDS, 'lxc');
const running = { state: 'running', instance: expect.anything() };
const stopped = { state: 'stopped', instance: null };

interface Running {
  instance: { initPid: number; startTime: string; bootId: string };
}

describe('LXC on a real host', () => {
  let bed: Bed;
  let host: BedHost;

  const value = async (call: object): Promise<unknown> => (await callLxc(host, [call]))[0]?.value;

  const makeContainers = (service: string, count: number, command: string[]) =>
    bed.createContainers(host, { service, count, start: false, command });

  beforeAll(async () => {
    bed = await createBed({
      ...{ directory: DIRECTORY, hostNumbers: [20], projectDirectory: process.cwd() },
    });
    host = await bed.createHost({ number: 20 });
    await host.writeFile(
      '/usr/local/bin/deaf',
      '#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 1; done\n',
      0o755,
    );
    await bed.createContainers(host, { service: 'web', count: 2 });
    await makeContainers('deaf', 2, ['/usr/local/bin/deaf']);
    await makeContainers('bad', 1, ['/nonexistent/init']);
    await makeContainers('brief', 1, ['/bin/true']);
    await bed.createContainers(host, {
      ...{ service: 'dhcp', count: 1, start: false },
      extraConfig: ['lxc.net.0.ipv4.gateway =', 'lxc.net.0.ipv4.address ='],
    });
    await host.must(['mkdir', '-p', '/var/lib/lxc/own/rootfs', '/var/lib/lxc/old/delta0']);
    await host.must(['mkdir', '-p', '/var/lib/lxc/elsewhere/delta0', '/srv/lower']);
    await host.writeFile(
      '/var/lib/lxc/own/config',
      'lxc.rootfs.path = dir:/var/lib/lxc/own/rootfs\n',
    );
    await host.writeFile(
      '/var/lib/lxc/elsewhere/config',
      'lxc.rootfs.path = overlay:/srv/lower:/var/lib/lxc/elsewhere/delta0\n',
    );
    await host.writeFile('/etc/lxc/old-network', 'lxc.network.ipv4 = 10.78.20.200/24\n');
    await host.writeFile(
      '/var/lib/lxc/old/config',
      'lxc.utsname = old\nlxc.rootfs = overlayfs:/var/lib/lxc/host/rootfs:/var/lib/lxc/old/delta0\nlxc.include = /etc/lxc/old-network\n',
    );
  }, FIRST_RUN_MS);

  afterAll(() => bed.dispose(), 60_000);

  beforeEach(async () => {
    for (const name of ['web-01', 'web-02']) await host.run(['lxc-start', '-n', name]);
  });

  test('lists containers by what their root is', async () => {
    const list = (await value({ call: 'list' })) as { name: string; root: { kind: string } }[];
    expect(Object.fromEntries(list.map(({ name, root }) => [name, root.kind]))).toEqual({
      'web-01': 'host-overlay',
      'web-02': 'host-overlay',
      'deaf-01': 'host-overlay',
      'deaf-02': 'host-overlay',
      'bad-01': 'host-overlay',
      'brief-01': 'host-overlay',
      'dhcp-01': 'host-overlay',
      old: 'host-overlay-old-keys',
      own: 'other',
      elsewhere: 'other',
    });
    expect(list.find(({ name }) => name === 'old')).toMatchObject({
      address: '10.78.20.200',
      oldKeys: ['lxc.utsname', 'lxc.rootfs', 'lxc.network.ipv4'],
    });
    expect(list.find(({ name }) => name === 'web-01')).toMatchObject({
      ...{ groups: ['web'], address: '10.78.20.11', autostart: true },
    });
  });

  test('sees the state of all at once, as lxc-info sees each', async () => {
    await host.must(['lxc-freeze', '-n', 'web-02']);
    const names = ['web-01', 'web-02', 'bad-01', 'old', 'nobody'];
    const [states, one] = await callLxc(host, [
      { call: 'states', names },
      { call: 'state', name: 'web-01' },
    ]);
    const info = await host.must(['lxc-info', '-n', 'web-01', '-p', '-H']);
    await host.must(['lxc-unfreeze', '-n', 'web-02']);
    expect(states?.value).toEqual({
      'web-01': running,
      'web-02': { state: 'frozen', instance: expect.anything() },
      'bad-01': stopped,
      old: stopped,
      nobody: { state: 'gone', instance: null },
    });
    expect((one?.value as Running).instance.initPid).toBe(Number(info));
    const { instance } = (states?.value as Record<string, Running>)['web-01'] as Running;
    expect((one?.value as Running).instance).toEqual(instance);
  });

  test('learns the address that a container got in its network, as lxc-info tells it', async () => {
    const inside = (...argv: string[]) => host.must(['lxc-attach', '-n', 'dhcp-01', '--', ...argv]);
    const address = () => value({ call: 'address', name: 'dhcp-01' });
    expect(await value({ call: 'start', name: 'dhcp-01' })).toEqual(running);
    expect(await address()).toBeNull();
    // Another device of the container's own comes first in the kernel's order.
    await inside('ip', 'link', 'add', 'docker0', 'type', 'bridge');
    await inside('ip', 'link', 'set', 'docker0', 'up');
    await inside('ip', 'addr', 'add', '10.1.0.1/24', 'dev', 'docker0');
    await inside('ip', 'addr', 'add', '10.78.20.240/24', 'dev', 'eth0');
    await inside('ip', '-6', 'addr', 'add', 'fd00:78::f0/64', 'dev', 'eth0', 'nodad');
    expect(await address()).toBe('10.78.20.240');
    await inside('ip', 'addr', 'del', '10.78.20.240/24', 'dev', 'eth0');
    expect(await address()).toBe('fd00:78::f0');
    const told = await host.must(['lxc-info', '-n', 'dhcp-01', '-i', '-H']);
    expect(told.split('\n')).toEqual(expect.arrayContaining(['10.1.0.1', 'fd00:78::f0']));
    await host.must(['lxc-stop', '-k', '-n', 'dhcp-01']);
    expect(await address()).toBeNull();
  });

  test('stop and start make another instance', async () => {
    const answers = await callLxc(host, [
      { call: 'state', name: 'web-01' },
      { call: 'stop', name: 'web-01', timeoutMs: 5_000 },
      { call: 'stop', name: 'web-01', timeoutMs: 5_000 },
      { call: 'start', name: 'web-01' },
      { call: 'start', name: 'web-01' },
      { call: 'stop', name: 'nobody', timeoutMs: 1_000 },
    ]);
    const [before, stop, again, after, twice, nobody] = answers.map(({ value: found }) => found);
    expect(stop).toMatchObject(stopped);
    expect((stop as { children: unknown[] }).children).toHaveLength(1);
    // lxc-stop would exit with 2: here it is not even started.
    expect(again).toEqual({ ...stopped, children: [] });
    expect(after).toEqual(running);
    expect((after as Running).instance).not.toEqual((before as Running).instance);
    expect(twice).toEqual(after);
    expect(nobody).toMatchObject({ state: 'gone' });
  });

  test('a command in it is healthy when it exits with 0, and not when a signal ends it', async () => {
    const commands = [
      ...[['true'], ['sh', '-c', 'exit 3'], ['sh', '-c', 'kill -KILL $$']],
      ...[['sh', '-c', 'kill -SEGV $$'], ['not-there']],
    ];
    const answers = await callLxc(
      host,
      commands.map((command) => ({ call: 'probe', name: 'web-01', command })),
    );
    expect(answers.map(({ value: found }) => found)).toEqual([
      { health: 'healthy', reason: 'true exited with 0' },
      { health: 'unhealthy', reason: 'command sh exited with 3' },
      { health: 'unhealthy', reason: expect.stringMatching(/^command sh exited with 137/) },
      { health: 'unhealthy', reason: expect.stringMatching(/^command sh exited with 139/) },
      {
        health: 'unhealthy',
        reason: expect.stringMatching(/^command not-there exited with 127.*not-there/),
      },
    ]);
  });

  test('one that ignores SIGTERM is killed after its time', async () => {
    const [start, stop] = await callLxc(host, [
      { call: 'start', name: 'deaf-01' },
      { call: 'stop', name: 'deaf-01', timeoutMs: 1_500 },
    ]);
    expect(start?.value).toEqual(running);
    expect(stop?.value).toMatchObject(stopped);
    expect(stop?.tookMs).toBeGreaterThan(1_500);
    expect(stop?.tookMs).toBeLessThan(8_000);
  });

  test('an init that fails is seen as stopped', async () => {
    expect(await value({ call: 'start', name: 'bad-01' })).toEqual(stopped);
  });

  test('an init that ends at once is seen as stopped, at the latest a moment later', async () => {
    // lxc-start exits with 0 here.
    await value({ call: 'start', name: 'brief-01' });
    const settled = async () =>
      (await value({ call: 'state', name: 'brief-01' })) as { state: string };
    await waitUntil(
      'the container to be seen as stopped',
      async () => (await settled()).state === 'stopped',
      { deadlineMs: 20_000 },
    );
  });

  test('a frozen one ends gracefully, without waiting for the kill', async () => {
    await host.must(['lxc-freeze', '-n', 'web-02']);
    const [stop, start] = await callLxc(host, [
      { call: 'stop', name: 'web-02', timeoutMs: 20_000 },
      { call: 'start', name: 'web-02' },
    ]);
    expect(stop?.value).toMatchObject(stopped);
    expect(stop?.tookMs).toBeLessThan(10_000);
    expect(start?.value).toEqual(running);
  });

  test('one whose monitor was killed is down, and can be started again', async () => {
    const web = bed.containersOf(host).filter(({ service }) => service === 'web');
    // A signal is sent before it has taken effect: the second command waits for that.
    const kill =
      'pid=$(pgrep -f "^.lxc monitor. /var/lib/lxc web-01$"); kill -9 $pid; tail --pid=$pid -f /dev/null';
    const answers = await callLxc(host, [
      { call: 'state', name: 'web-01' },
      { call: 'run', argv: ['sh', '-c', kill] },
      { call: 'state', name: 'web-01' },
      { call: 'start', name: 'web-01' },
      { call: 'stop', name: 'web-01', timeoutMs: 5_000 },
      { call: 'start', name: 'web-01' },
    ]);
    const [before, killed, dead, alive, stop, last] = answers.map(({ value: found }) => found);
    expect(before).toEqual(running);
    expect(killed).toMatchObject({ exitCode: 0 });
    expect(dead).toEqual(stopped);
    expect(alive).toEqual(running);
    expect((alive as Running).instance).not.toEqual((before as Running).instance);
    expect(stop).toMatchObject(stopped);
    expect(last).toEqual(running);
    await waitUntilHealthy(web);
  });

  test('a container in the old form cannot be started, and is not harmed', async () => {
    const before = await host.readFile('/var/lib/lxc/old/config');
    expect(await value({ call: 'start', name: 'old' })).toEqual(stopped);
    expect(await host.readFile('/var/lib/lxc/old/config')).toBe(before);
  });

  test('a container in the old form starts once it is rewritten as told', async () => {
    const path = '/var/lib/lxc/web-02/config';
    const kind = async (): Promise<unknown> =>
      ((await value({ call: 'list' })) as { name: string; root: { kind: string } }[]).find(
        ({ name }) => name === 'web-02',
      )?.root.kind;
    await host.must(['lxc-stop', '-k', '-n', 'web-02']);
    const back = [
      ...['s/lxc.rootfs.path = overlay:/lxc.rootfs = overlayfs:/', 's/lxc.uts.name/lxc.utsname/'],
      ...['s/lxc.net.0.ipv4.address/lxc.network.ipv4/', 's/lxc.net.0./lxc.network./'],
    ];
    await host.must(['sed', '-i', ...back.flatMap((each) => ['-e', each]), path]);
    expect(await kind()).toBe('host-overlay-old-keys');
    expect(await value({ call: 'start', name: 'web-02' })).toEqual(stopped);
    await host.must(['sh', '-c', rewriteOldForm(path)]);
    expect(await kind()).toBe('host-overlay');
    expect(await value({ call: 'start', name: 'web-02' })).toEqual(running);
  });

  test('a stop that a killed agent left at work is found, told from an owner’s, and ended', async () => {
    for (const name of ['deaf-01', 'deaf-02']) await host.must(['lxc-start', '-n', name]);
    const calls = JSON.stringify([{ call: 'stop', name: 'deaf-01', timeoutMs: 60_000 }]);
    await host.must(['sh', '-c', `printf %s '${calls}' > /var/lib/gsbed/calls.json`]);
    const agent = await host.spawn([
      ...['sh', '-c', 'exec "$@" < /var/lib/gsbed/calls.json', 'sh', ...LXC_CHILD],
    ]);
    // It names its child before that becomes lxc-stop; killed in between it would leave nothing.
    await waitUntil(
      'the stop of the agent to be at work',
      async () => (await host.run(['pgrep', '-f', '^lxc-stop .*deaf-01'])).exitCode === 0,
      { deadlineMs: 30_000 },
    );
    await agent.kill('SIGKILL');
    const owner = await host.spawn(['lxc-stop', '-n', 'deaf-02', '-t', '60']);
    const [found, ended, left] = await callLxc(host, [
      { call: 'stops-at-work' },
      { call: 'end-stops' },
      { call: 'stops-at-work' },
    ]);
    await owner.exited;
    const stops = found?.value as { name: string; ours: boolean }[];
    expect(new Map(stops.map(({ name, ours }) => [name, ours]))).toEqual(
      new Map([
        ['deaf-01', true],
        ['deaf-02', false],
      ]),
    );
    expect(ended?.value).not.toHaveProperty('error');
    expect(left?.value).toEqual([]);
    expect(await value({ call: 'state', name: 'deaf-01' })).toEqual(running);
    expect(await value({ call: 'stop', name: 'deaf-01', timeoutMs: 1_000 })).toMatchObject(stopped);
  });

  test('an older container is shut out of the host’s private directories while it is down', async () => {
    await host.writeFile('/root/key', 'host secret\n', 0o600);
    await host.writeFile('/srv/groundswell/keys.json', 'host secret\n', 0o600);
    await host.must(['lxc-attach', '-n', 'web-01', '--', 'sh', '-c', 'echo mine > /root/own']);
    await host.must(['lxc-attach', '-n', 'web-01', '--', 'rm', '-f', '/root/.bashrc']);
    const lookInside = (path: string) =>
      host.run(['lxc-attach', '-n', 'web-01', '--', 'cat', path]);
    for (const path of ['/root/key', '/srv/groundswell/keys.json'])
      expect((await lookInside(path)).stdout).toBe('host secret\n');

    const answers = await callLxc(host, [
      { call: 'unhidden' },
      { call: 'hide', name: 'web-01' },
      { call: 'stop', name: 'web-01', timeoutMs: 5_000 },
      { call: 'hide', name: 'web-01' },
      { call: 'hide', name: 'web-01' },
      { call: 'hide', name: 'own' },
      { call: 'start', name: 'web-01' },
      { call: 'unhidden' },
    ]);
    const [open, whileUp, , hidden, again, own, up, openAfter] = answers.map((a) => a.value);
    const openNames = (found: unknown): string[] =>
      (found as { name: string }[]).map(({ name }) => name);
    expect(openNames(open)).toContain('web-01');
    expect(openNames(open)).not.toContain('own');
    expect(whileUp).toEqual({ error: expect.stringContaining('web-01 is running') });
    expect(hidden).toEqual(
      expect.arrayContaining([
        '/root',
        '/home',
        '/tmp',
        '/run',
        '/var/lib/lxc',
        '/etc/groundswell',
        '/srv/groundswell',
      ]),
    );
    expect(again).toEqual([]);
    expect(own).toEqual({ error: expect.stringContaining('left alone') });
    expect(up).toEqual(running);
    expect(openNames(openAfter)).not.toContain('web-01');

    for (const path of ['/root/key', '/srv/groundswell/keys.json'])
      expect((await lookInside(path)).exitCode).not.toBe(0);
    expect((await lookInside('/root/own')).stdout).toBe('mine\n');
    const listed = await host.must(['lxc-attach', '-n', 'web-01', '--', 'ls', '-A', '/root']);
    expect(listed.trim()).toBe('own');
    const others = await host.run(['lxc-attach', '-n', 'web-01', '--', 'ls', '/var/lib/lxc']);
    expect(others.stdout.trim()).toBe('');
    const [web1] = bed.containersOf(host);
    if (web1 === undefined) throw new Error('the bed lost its containers');
    await waitUntilHealthy([web1]);
    expect((await askVersion(web1)).library).toBe('1.0-1');
  });
});
