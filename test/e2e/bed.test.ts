import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { askVersion, fetchHealth, setHealth } from '../bed/ask.ts';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { cleanAbandonedBeds, TEST_BEDS } from '../bed/clean-abandoned.ts';
import { findLeftovers } from '../bed/clean.ts';
import { containerNamed, readWitness, waitUntilHealthy } from '../bed/containers.ts';
import type { BedContainer } from '../bed/containers.ts';
import { startHaproxy } from '../bed/haproxy.ts';
import type { Haproxy } from '../bed/haproxy.ts';
import type { BedHost } from '../bed/host.ts';
import { mountsBelow } from '../bed/mounts.ts';
import { startLoad } from '../bed/load.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { watchContainers, watchHaproxy } from '../bed/watch-availability.ts';

const OLD = '1.0-1';
const FIXED = '1.0-1+deb12u1';
const DIRECTORY = join(TEST_BEDS, 'bed');
const HOST_NUMBERS = [100];
// The first run on a machine builds the root that all hosts are unpacked from.
const FIRST_RUN_MS = 300_000;

describe('a host with three containers in two services behind HAProxy', () => {
  let bed: Bed;
  let host: BedHost;
  let web: BedContainer[];
  let shop: BedContainer[];
  let web1: BedContainer;
  let web2: BedContainer;
  let shop1: BedContainer;
  let haproxy: Haproxy;

  const restart = async (container: BedContainer): Promise<void> => {
    await host.run(['lxc-stop', '-n', container.name]);
    await host.must(['lxc-start', '-n', container.name]);
    await waitUntilHealthy([container]);
  };

  beforeAll(async () => {
    bed = await createBed({
      directory: DIRECTORY,
      hostNumbers: HOST_NUMBERS,
      projectDirectory: process.cwd(),
    });
    host = await bed.createHost({ number: 100, name: 'bed-1' });
    web = await bed.createContainers(host, { service: 'web', count: 2 });
    shop = await bed.createContainers(host, {
      ...{ service: 'shop', count: 1 },
      arguments: ['--also-extra', '--start-delay-ms', '150', '--unhealthy-file', '/etc/gs-broken'],
    });
    web1 = containerNamed(web, 'web-01');
    web2 = containerNamed(web, 'web-02');
    shop1 = containerNamed(shop, 'shop-01');
    haproxy = await startHaproxy(bed, {
      services: [
        { service: 'web', containers: web },
        { service: 'shop', containers: shop },
      ],
      runtimeAddresses: [host.outerAddress],
    });
  }, FIRST_RUN_MS);

  afterAll(async () => {
    await bed.dispose();
    expect(await findLeftovers(DIRECTORY, HOST_NUMBERS)).toEqual([]);
    await bed.dispose();
  }, 60_000);

  test('the leftovers that clean-up must take away are seen while the bed is in use', async () => {
    const kinds = (await findLeftovers(DIRECTORY, HOST_NUMBERS)).map((line) => line.split(' ')[0]);
    // Where there are no loop devices the host's root lies in a plain directory.
    const image = (await mountsBelow(DIRECTORY)).length > 0 ? ['mount', 'loop'] : [];
    expect(new Set(kinds)).toEqual(new Set(['cgroup', 'link', 'route', 'process', ...image]));
    expect(await cleanAbandonedBeds()).not.toContain(DIRECTORY);
  });

  test('commands run in the host, with its Node and the checkout', async () => {
    const script = 'console.log(require("os").hostname()); process.exit(3)';
    expect(await host.run(['node', '-e', script])).toEqual({
      stdout: 'bed-1\n',
      stderr: '',
      exitCode: 3,
    });
    expect(await host.must(['cat'], { input: 'through standard input' })).toBe(
      'through standard input',
    );
    expect(await host.must(['cat', '/opt/groundswell/package.json'])).toContain('"groundswell"');
    await expect(host.run(['sleep', '30'], { timeoutMs: 100 })).rejects.toThrow('no end after');
  });

  test('a program started in the host is found and killed, and not the attach around it', async () => {
    const script = 'console.log("up"); setInterval(() => {}, 1000)';
    const program = await host.spawn(['node', '-e', script]);
    await waitUntil('the program to write', () => program.stdout() === 'up\n', {
      deadlineMs: 5000,
    });
    // LXC 5.0.0 passes no signal on.
    const { exitCode: passedOn } = await host.run(['sh', '-c', 'kill -TERM $$']);
    expect([143, 0]).toContain(passedOn);
    expect(await program.kill('SIGTERM')).toBe(passedOn);
    expect((await host.run(['pgrep', '-x', 'node'])).stdout).toBe('');
  });

  test('an agent in the host reaches the runtime API of HAProxy', async () => {
    const script = `const s = require('net').connect(${haproxy.runtimePort}, '${host.outerAddress}');
      s.end('show info\\n'); s.pipe(process.stdout);`;
    expect(await host.must(['node', '-e', script], { timeoutMs: 10_000 })).toContain(
      'Name: HAProxy',
    );
  });

  test('after an upgrade containers answer with the old library until they are restarted', async () => {
    expect(await askVersion(web1)).toEqual({ host: 'web-01', library: OLD });
    await bed.publish({ 'libgs-demo1': FIXED });
    await host.must(['apt-get', '-q', 'update']);
    await host.must(['apt-get', '-qy', 'upgrade']);
    expect(await host.must(['dpkg-query', '-Wf', '${Version}', 'libgs-demo1'])).toBe(FIXED);
    for (const container of [...web, ...shop])
      expect((await askVersion(container)).library).toBe(OLD);
    await restart(web1);
    expect((await askVersion(web1)).library).toBe(FIXED);
    expect((await askVersion(web2)).library).toBe(OLD);
    await restart(shop1);
    expect(await askVersion(shop1)).toEqual({ host: 'shop-01', library: FIXED, extra: OLD });
    const events = (await readWitness(host)).map(({ container, kind }) => `${container} ${kind}`);
    expect(events.slice(-4)).toEqual([
      'web-01 stop',
      'web-01 start',
      'shop-01 stop',
      'shop-01 start',
    ]);
  }, 30_000);

  test('load without a drain fails, and both watchers see the service below its size', async () => {
    // Those that the test before this one restarted may not be found up again yet.
    await waitUntil(
      'HAProxy to have all of them up',
      async () => (await haproxy.statistics()).every(({ status }) => status.startsWith('UP')),
      { deadlineMs: 10_000 },
    );
    const load = startLoad({ targets: { web: haproxy.frontend('web') } });
    const balancer = await watchHaproxy(haproxy);
    const outside = await watchContainers([...web, ...shop]);
    for (const container of [...web, ...web, ...web]) await restart(container);
    // The balancer asks one that was restarted again only after its own probes have found it up.
    const enough = (): boolean => {
      const { ok = 0, latest = {} } = load.report().web ?? {};
      return ok > 50 && [web1, web2].every(({ name }) => latest[name] === FIXED);
    };
    await waitUntil('fifty answers, and one of each since', enough, { deadlineMs: 10_000 });
    const report = (await load.stop()).web;
    expect(report?.failed).toBeGreaterThan(0);
    expect(Object.keys(report?.versions ?? {}).sort()).toEqual(['web-01', 'web-02']);
    expect(report?.latest).toEqual({ 'web-01': FIXED, 'web-02': FIXED });
    const seen = await outside.stop();
    expect(seen.lowest).toEqual({ web: 1, shop: 1 });
    expect(seen.samples).toBeGreaterThan(10);
    // The balancer may find the first one up again only after the second one has gone down.
    const balanced = await balancer.stop();
    expect(balanced.lowest.web).toBeLessThan(2);
    expect(balanced.lowest.shop).toBe(1);
    expect(balanced.samples).toBeGreaterThan(10);
  }, 30_000);

  test('load with a drain does not fail', async () => {
    const load = startLoad({ targets: { web: haproxy.frontend('web') } });
    for (const container of [...web, ...web]) {
      const { name } = container;
      const idle = async (): Promise<boolean> =>
        (await haproxy.statistics()).some((one) => one.server === name && one.sessions === 0);
      await haproxy.runtime(`set server web/${name} state maint`);
      await waitUntil(`${name} without sessions`, idle, { deadlineMs: 5000 });
      await restart(container);
      await haproxy.runtime(`set server web/${name} state ready`);
      await haproxy.runtime(`set server web/${name} health up`);
    }
    const report = (await load.stop()).web;
    expect(report?.failures).toEqual({});
    expect(report?.ok).toBeGreaterThan(50);
  }, 30_000);

  test('health breaks at run time, and at the next start when the host has the file', async () => {
    await setHealth(shop1, 'bad');
    expect(await fetchHealth(shop1)).toBe(false);
    await setHealth(shop1, 'ok');
    await host.writeFile('/etc/gs-broken', '');
    expect(await fetchHealth(shop1)).toBe(true);
    await host.run(['lxc-stop', '-n', 'shop-01']);
    await host.must(['lxc-start', '-n', 'shop-01']);
    await waitUntil('shop-01 to answer', () => askVersion(shop1).catch(() => null), {
      deadlineMs: 5000,
    });
    expect(await fetchHealth(shop1)).toBe(false);
    await host.must(['rm', '/etc/gs-broken']);
    await restart(shop1);
  }, 30_000);

  test('a partition cuts the host off, and heals', async () => {
    await host.partition();
    expect(await fetchHealth(web1, 200)).toBe(false);
    await host.heal();
    await waitUntilHealthy(web);
  });

  test('after a power cut the host boots, and its containers start with lxc-autostart', async () => {
    await host.powerOff();
    expect(await host.isRunning()).toBe(false);
    expect(await fetchHealth(web1, 200)).toBe(false);
    await host.start();
    await host.must(['lxc-autostart', '-a']);
    await waitUntilHealthy([...web, ...shop]);
    expect((await askVersion(web2)).library).toBe(FIXED);
    await waitUntil(
      'HAProxy to see all servers again',
      async () => (await haproxy.statistics()).every(({ status }) => status === 'UP'),
      { deadlineMs: 5000 },
    );
  }, 30_000);
});
