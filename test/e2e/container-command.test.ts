import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { fetchHealth } from '../bed/ask.ts';
import type { BedHost } from '../bed/host.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { containerCommand } from './lxc-host.ts';

const FIRST_RUN_MS = 300_000;
// Each call in the host starts a Node of its own.
jest.setTimeout(60_000);
const DIRECTORY = join(TEST_BEDS, 'container-command');
const INIT = '/usr/bin/tini -- /usr/bin/gs-demo-web 8080';
const LOWER = '/var/lib/lxc/host/rootfs';

const Made = z.object({
  containers: z.array(z.object({ name: z.string(), address: z.string() })),
  lowerLayer: z.object({ path: z.string(), outcome: z.string(), persistent: z.boolean() }),
});

describe('groundswell container, on a real host', () => {
  let bed: Bed;
  let host: BedHost;

  const must = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await containerCommand(host, ...args);
    if (exitCode !== 0) throw new Error(`container ${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  const refused = async (...args: string[]): Promise<string> => {
    const { exitCode, stderr } = await containerCommand(host, ...args);
    expect(exitCode).not.toBe(0);
    return stderr;
  };

  const made = async (...args: string[]) => Made.parse(JSON.parse(await must(...args, '--json')));

  const valuesInConfigs = async (key: string): Promise<string[]> => {
    const text = await host.must(['sh', '-c', `grep -h '^${key} ' /var/lib/lxc/*/config`]);
    return text.trim().split('\n');
  };

  beforeAll(async () => {
    bed = await createBed({
      ...{ directory: DIRECTORY, hostNumbers: [21], projectDirectory: process.cwd() },
    });
    host = await bed.createHost({ number: 21 });
    for (const path of ['/root/key', '/home/user/key', '/tmp/key', '/etc/groundswell/key'])
      await host.writeFile(path, 'host secret\n', 0o600);
    for (const path of ['/var/lib/groundswell/key', '/var/spool/groundswell/key'])
      await host.writeFile(path, 'host secret\n', 0o600);
    await host.must(['sh', '-c', 'echo host secret > /run/key']);
    await host.writeFile('/srv/public', 'host secret\n');
    // Where this host is configured to keep its data.
    await host.writeFile('/srv/groundswell/agent/keys.json', 'host secret\n', 0o600);
  }, FIRST_RUN_MS);

  afterAll(() => bed.dispose(), 60_000);

  test('create makes the bind mount when it is missing, and says how to keep it', async () => {
    await host.must(['umount', LOWER]);
    const text = await must('create', 'app-01', '--init', INIT, '--service', 'app', '--start');
    expect(text).toContain(`/ ${LOWER} none bind,private 0 0`);
    const [root, lower] = (await host.must(['stat', '-c', '%d:%i', '/', LOWER])).trim().split('\n');
    expect(lower).toBe(root);
    const mount = await host.must(['findmnt', '-rno', 'PROPAGATION', LOWER]);
    expect(mount.trim()).toBe('private');
    await waitUntil(
      'the container to serve',
      () => fetchHealth({ address: '10.78.21.2', port: 8080 }),
      { deadlineMs: 10_000 },
    );
  });

  test('nothing of the host’s private directories can be read inside', async () => {
    const inside = (...argv: string[]) => host.run(['lxc-attach', '-n', 'app-01', '--', ...argv]);
    const roots = ['/root', '/home', '/tmp', '/run', '/var/lib/lxc', '/etc/groundswell'];
    const listed = await inside(
      ...['find', ...roots, '/var/lib/groundswell', '/var/spool/groundswell', '-mindepth', '1'],
    );
    expect(listed).toMatchObject({ exitCode: 0, stdout: '' });
    // The search does find what is not hidden.
    const seen = await inside('grep', '-rlE', '^host secret$', '/etc', '/var', '/root', '/srv');
    expect(seen.stdout).toBe('/srv/public\n');
    expect((await inside('ls', '/srv')).stdout).toBe('groundswell\npublic\n');
    expect(await inside('ls', '-A', '/srv/groundswell')).toMatchObject({ exitCode: 0, stdout: '' });
    const modes = await inside('stat', '-c', '%a', '/root', '/tmp', '/etc/groundswell', '/');
    expect(modes.stdout.trim().split('\n')).toEqual(['700', '1777', '755', '755']);
  });

  test('it has a name of its own, and the host keeps its', async () => {
    const inside = (...argv: string[]) => host.must(['lxc-attach', '-n', 'app-01', '--', ...argv]);
    expect(await inside('cat', '/etc/hostname')).toBe('app-01\n');
    expect(await inside('getent', 'hosts', '127.0.1.1')).toMatch(/^127\.0\.1\.1 +app-01\n$/);
    expect(await inside('hostname')).toBe('app-01\n');
    expect(await host.must(['cat', '/etc/hostname'])).toBe('h21\n');
    expect(await host.must(['getent', 'hosts', '127.0.1.1'])).toMatch(/ h21\n$/);
  });

  test('a hundred clones in one command, without collision', async () => {
    const from = performance.now();
    const { containers } = await made('clone', 'app-01', '--count', '100');
    const tookMs = performance.now() - from;
    expect(containers).toHaveLength(100);
    expect(containers[0]?.name).toBe('app-02');
    expect(containers.at(-1)?.name).toBe('app-101');
    for (const key of ['lxc.net.0.ipv4.address', 'lxc.net.0.hwaddr', 'lxc.uts.name']) {
      const values = await valuesInConfigs(key);
      expect(values).toHaveLength(101);
      expect(new Set(values).size).toBe(101);
    }
    const unhidden = JSON.parse(await must('list', '--json')) as { unhidden: string[] }[];
    expect(unhidden.flatMap(({ unhidden: paths }) => paths)).toEqual([]);
    // Most of it is Node's own start; generous for a busy machine.
    expect(tookMs).toBeLessThan(20_000);
    await host.must(['lxc-start', '-n', 'app-77']);
    const address = containers.find(({ name }) => name === 'app-77')?.address ?? '';
    await waitUntil('a clone to serve', () => fetchHealth({ address, port: 8080 }), {
      deadlineMs: 10_000,
    });
  });

  test('two commands at once never give out the same address or name', async () => {
    const [a, b, c] = await Promise.all([
      made('clone', 'app-01', '--count', '15'),
      made('clone', 'app-01', '--count', '15'),
      made('create', 'solo', '--init', INIT),
    ]);
    const all = [a, b, c].flatMap(({ containers }) => containers);
    expect(new Set(all.map(({ name }) => name)).size).toBe(31);
    expect(new Set(await valuesInConfigs('lxc.net.0.ipv4.address')).size).toBe(132);
  });

  test('an exhausted network is a named error, and nothing is made', async () => {
    const before = await host.must(['ls', '/var/lib/lxc']);
    expect(await refused('clone', 'app-01', '--count', '200')).toContain(
      'network 10.78.21.0/24 has 121 free addresses, 200 wanted',
    );
    expect(
      await refused(
        'create',
        'x',
        '--init',
        INIT,
        '--network',
        '10.78.21.0/30',
        '--address',
        '10.78.21.2',
      ),
    ).toContain('10.78.21.2 is taken by container app-01');
    expect(await refused('create', 'x', '--init', INIT, '--bridge', 'br9')).toContain(
      'there is no bridge br9',
    );
    expect(await refused('create', 'app-01', '--init', INIT)).toContain('exists already');
    expect(await host.must(['ls', '/var/lib/lxc'])).toBe(before);
  });

  test('a clone has the files that its source has of its own', async () => {
    await host.must(['lxc-attach', '-n', 'app-01', '--', 'sh', '-c', 'echo own > /srv/own']);
    await host.must(['lxc-attach', '-n', 'app-01', '--', 'sh', '-c', 'echo own > /root/own']);
    expect(await refused('clone', 'app-01')).toContain('stop it (lxc-stop -n app-01)');
    await made('clone', 'app-01', '--fresh', '--name', 'fresh-00');
    await host.must(['lxc-stop', '-n', 'app-01']);
    const text = await must('clone', 'app-01', '--name', 'copy-00', '--start');
    expect(text).toContain('1 container made and started.');
    const read = (name: string, path: string) =>
      host.must(['lxc-attach', '-n', name, '--', 'cat', path]);
    expect(await read('copy-01', '/srv/own')).toBe('own\n');
    expect(await read('copy-01', '/root/own')).toBe('own\n');
    expect(await read('copy-01', '/etc/hostname')).toBe('copy-01\n');
    expect(await read('copy-01', '/etc/hosts')).toMatch(/^127\.0\.1\.1\tcopy-01$/m);
    const hidden = await host.run(['lxc-attach', '-n', 'copy-01', '--', 'cat', '/root/key']);
    expect(hidden.exitCode).not.toBe(0);
    const upper = '/var/lib/lxc/fresh-01/delta0/srv/own';
    expect((await host.run(['test', '-e', upper])).exitCode).not.toBe(0);
  });

  test('remove refuses what runs and what is not ours, park what runs', async () => {
    await host.must(['mkdir', '-p', '/var/lib/lxc/own/rootfs']);
    await host.writeFile(
      '/var/lib/lxc/own/config',
      'lxc.rootfs.path = dir:/var/lib/lxc/own/rootfs\n',
    );
    expect(await refused('remove', 'app-77')).toContain('or remove it with --force');
    expect(await refused('remove', 'own', '--force')).toContain('is left alone');
    expect((await host.run(['test', '-d', '/var/lib/lxc/own/rootfs'])).exitCode).toBe(0);
    expect(await refused('park', 'app-77')).toContain('only one that is down can be parked');
    await must('park', 'app-05', '--reason', 'disk replaced');
    expect(await must('list')).toMatch(/^app-05 +stopped.* parked: disk replaced$/m);
    await must('remove', 'app-77', '--force');
    await must('remove', 'app-05');
    for (const name of ['app-77', 'app-05'])
      expect((await host.run(['test', '-e', `/var/lib/lxc/${name}`])).exitCode).not.toBe(0);
    expect(await host.must(['ls', '-A', '/srv/groundswell/parked'])).toBe('');
  });

  test('no staging directory and no mount is left', async () => {
    const entries = await host.must(['ls', '-A', '/var/lib/lxc']);
    expect(entries).not.toContain('staging');
    const mounts = await host.must(['findmnt', '-rno', 'TARGET']);
    expect(mounts.split('\n').filter((target) => target.startsWith('/var/lib/lxc'))).toEqual([
      LOWER,
    ]);
  });

  test('over a directory with files nothing is mounted', async () => {
    for (const name of ['copy-01', 'app-01']) await host.run(['lxc-stop', '-n', name]);
    await host.must(['umount', LOWER]);
    await host.writeFile(`${LOWER}/precious`, 'x');
    expect(await refused('create', 'y-01', '--init', INIT)).toContain(
      `${LOWER} is not empty and not a mount`,
    );
    expect(await must('list')).toMatch(/^app-01 .*nothing is mounted there/m);
  });
});
