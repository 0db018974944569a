import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InventoryPackage } from '../../src/core/advisories/inventory.ts';
import type { PackageManager } from '../../src/host/packages/package-manager.ts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { changingRpm, demoAdvisory } from '../bed/dnf-packages.ts';
import type { DnfPackages } from '../bed/dnf-packages.ts';
import type { BedHost } from '../bed/host.ts';
import type { HostProcess } from '../bed/host-process.ts';
import { buildRpm } from '../bed/rpm.ts';
import type { RpmPackage } from '../bed/rpm.ts';
import { groundswell } from '../bed/scene.ts';
import { waitUntil } from '../bed/wait-until.ts';

const DIRECTORY = `${TEST_BEDS}/dnf`;
const OLD = '1.0-1.el9';
const FIXED = '1.0-2.el9';
const NEWEST = '1.0-3.el9';
const DRIVER = ['node', '/opt/groundswell/dist/test/e2e/dnf.child.js'];

interface Change {
  name: string;
  from: string | null;
  to: string | null;
}
interface Result {
  ok: boolean;
  reason?: { kind: string; message: string; remedy: string };
  changes: Change[];
  transcript: string | null;
  held: string[];
}
type Event = { event: string; changes?: Change[]; reason?: string; startedAtMs?: number };

describe('dnf on a real host', () => {
  let bed: Bed;
  let host: BedHost;
  let dnf: DnfPackages;
  let watcher: HostProcess;
  let rpm: string[];

  const call = async (command: string, input: unknown = {}): Promise<unknown> =>
    JSON.parse(await host.must([...DRIVER, command, JSON.stringify(input)], { timeoutMs: 90_000 }));
  const inventory = async (): Promise<Record<'packages' | 'offers', InventoryPackage[]>> => {
    const found = (await call('inventory')) as Awaited<ReturnType<PackageManager['readInventory']>>;
    return { packages: found.inventory.packages, offers: found.offers };
  };
  const atRest = (): Promise<unknown> => call('at-rest');
  const upgrade = async (id: string, input: Record<string, unknown>): Promise<Result> =>
    (await call('upgrade', { mode: 'packages', allowRemove: false, id, ...input })) as Result;
  const kinds = async (id: string, input: Record<string, unknown>): Promise<string> => {
    const { ok, reason, changes } = await upgrade(id, input);
    return `${ok} ${reason?.kind ?? ''} ${changes.length}`;
  };
  const wants = (
    name: string,
    want = 'newest',
    version: string | null = null,
  ): Record<string, unknown> => ({ packages: [{ name, want, version }] });
  const shown = ({ changes }: { changes?: Change[] }): string[] =>
    (changes ?? []).map(({ name, from, to }) => `${name} ${from ?? '-'} ${to ?? '-'}`);

  const eventsOf = (process: HostProcess): Event[] =>
    process
      .stdout()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);
  /** Events from the given one on, until one that closes a transaction has come. */
  const closedSince = (before: number): Promise<Event[]> =>
    waitUntil(
      'the end of a transaction',
      () => {
        const fresh = eventsOf(watcher).slice(before);
        // One that was told and not saved would be told again by the next process.
        const told = fresh.findIndex(({ event }) => event === 'transaction');
        const closed =
          told === -1
            ? fresh.some(({ event }) => event === 'quiet')
            : fresh.slice(told).some(({ event }) => event === 'saved');
        return closed ? fresh : null;
      },
      { deadlineMs: 30_000, everyMs: 50 },
    ).catch((error: unknown) => {
      throw new Error(`${watcher.stdout()}${watcher.stderr()}`, { cause: error });
    });
  const startWatcher = async (): Promise<void> => {
    watcher = await host.spawn([...DRIVER, 'watch']);
    // It says of whatever was before it that it is over.
    await closedSince(0);
  };
  const transactionAfter = async (work: () => Promise<unknown>): Promise<Event> => {
    const before = eventsOf(watcher).length;
    await work();
    const told = (await closedSince(before)).filter(({ event }) => event === 'transaction');
    expect(told).toHaveLength(1);
    return told[0] as Event;
  };

  const run = (...argv: string[]): Promise<string> => host.must(['dnf', '-q', '-y', ...argv]);
  const versionsOf = async (name: string): Promise<string[]> =>
    (await host.must(['rpm', '-q', '--queryformat', '%{VERSION}-%{RELEASE}\n', name]))
      .trim()
      .split('\n');
  const makeRpms = async (...rpms: Omit<RpmPackage, 'arch'>[]): Promise<void> => {
    const paths: string[] = [];
    for (const rpm of rpms) {
      const tree = join(DIRECTORY, 'trees', `${rpm.name}-${rpm.version}`);
      // A path of its own for each version: kernels lie side by side.
      await mkdir(join(tree, 'usr/share', rpm.name), { recursive: true });
      await writeFile(join(tree, 'usr/share', rpm.name, rpm.version), `${rpm.name}\n`);
      const output = join(DIRECTORY, 'trees/pool');
      paths.push(await buildRpm(bed.commands, { arch: 'noarch', ...rpm }, tree, output));
    }
    await dnf.repository.publish(paths, []);
    await run('makecache', '--refresh');
  };

  beforeAll(async () => {
    bed = await createBed({
      ...{ directory: DIRECTORY, hostNumbers: [160], projectDirectory: process.cwd() },
      packages: 'dnf',
    });
    if (bed.dnf === null) throw new Error('the bed has no dnf');
    dnf = bed.dnf;
    host = await bed.createHost({ number: 160 });
    rpm = await changingRpm(host);
    await host.must([...groundswell, 'setup', '--yes', '--no-start']);
    await bed.publish({ 'libgs-demo1': FIXED, 'libgs-extra1': FIXED, 'gs-demo-data': FIXED });
    await bed.publish({ 'libgs-demo1': NEWEST });
    await run('makecache', '--refresh');
    await startWatcher();
  }, 400_000);

  afterAll(async () => {
    await bed.dispose();
  }, 60_000);

  test('the inventory, and what setup and doctor make of such a host', async () => {
    const { packages } = await inventory();
    expect(packages).toContainEqual({
      ...{ name: 'libgs-demo1', arch: 'x86_64', version: OLD, source: 'gs-demo' },
      repository: 'bed',
    });
    expect(packages.map(({ name }) => name)).not.toContain('gpg-pubkey');
    expect((await inventory()).offers).toContainEqual({
      ...{ name: 'libgs-demo1', arch: 'x86_64', version: NEWEST, source: 'gs-demo' },
    });
    const printed = await host.must([...groundswell, 'inventory', '--json']);
    expect(JSON.parse(printed)).toMatchObject({ platform: 'almalinux-9.9', packages });
    expect(await call('which')).toEqual({ program: 'dnf', generation: 4 });
    const { stdout } = await host.run([...groundswell, 'doctor']);
    expect(stdout).toMatch(/^ok +hooks +the hooks of dnf and needrestart are installed$/m);
    expect(stdout).toMatch(/^ok +hook plugins +dnf 4 has the plugin that calls hooks$/m);
    expect(await host.run(['ls', '/etc/apt/apt.conf.d/50groundswell'])).toMatchObject({
      exitCode: 2,
    });
  }, 60_000);

  describe('what others do', () => {
    test('what only looks or downloads is none; one of dnf is told by its hook, after it was over', async () => {
      await host.run(['dnf', '--assumeno', 'upgrade']);
      await run('upgrade', '--downloadonly');
      const told = await transactionAfter(() => run('upgrade', `libgs-demo1-${FIXED}`));
      expect(shown(told)).toEqual([`libgs-demo1 ${OLD} ${FIXED}`]);
      expect(told).toMatchObject({ startedAtMs: expect.any(Number) });
      expect(await host.must(['ls', '-A', '/var/spool/groundswell'])).toBe('');
    }, 90_000);

    test('a run of dnf-automatic: told by its hook too', async () => {
      const told = await transactionAfter(() => host.must(['dnf-automatic', '--installupdates']));
      expect(shown(told)).toEqual([
        `gs-demo-data ${OLD} ${FIXED}`,
        `libgs-demo1 ${FIXED} ${NEWEST}`,
        `libgs-extra1 ${OLD} ${FIXED}`,
      ]);
      expect(told).toMatchObject({ startedAtMs: expect.any(Number) });
    }, 90_000);

    test('rpm -U, of which no hook tells; what happened while nobody watched', async () => {
      const file = `/bedrpms/Packages/gs-demo-data-${OLD}.noarch.rpm`;
      const told = await transactionAfter(() => host.must([...rpm, '-U', '--oldpackage', file]));
      expect(shown(told)).toEqual([`gs-demo-data ${FIXED} ${OLD}`]);
      expect(told.startedAtMs).toBeUndefined();
      await watcher.kill();
      await run('upgrade', 'gs-demo-data');
      await startWatcher();
      const events = await closedSince(0);
      expect(events.flatMap(shown)).toEqual([`gs-demo-data ${OLD} ${FIXED}`]);
    }, 90_000);

    test('a hook that is gone does no harm', async () => {
      await host.must(['mv', '/usr/lib/groundswell/groundswell-hook', '/root/']);
      const { exitCode, stdout, stderr } = await host.run([
        'dnf',
        '-y',
        'reinstall',
        'gs-demo-data',
      ]);
      await host.must(['mv', '/root/groundswell-hook', '/usr/lib/groundswell/']);
      expect({ exitCode, said: `${stdout}${stderr}`.includes('groundswell') }).toEqual({
        exitCode: 0,
        said: false,
      });
    }, 60_000);
  });

  describe('upgrades of our own', () => {
    beforeAll(async () => {
      await watcher.kill();
      await run(
        'downgrade',
        ...['libgs-demo1', 'libgs-extra1', 'gs-demo-data'].map((name) => `${name}-${OLD}`),
      );
    }, 60_000);

    test('an exact version, once per id, with its transcript and exact changes', async () => {
      const first = await upgrade('one', wants('libgs-demo1', 'exact', FIXED));
      expect(first).toMatchObject({ ok: true, held: [] });
      expect(first.changes).toMatchObject([{ name: 'libgs-demo1', from: OLD, to: FIXED }]);
      expect(await host.readFile(first.transcript ?? '')).toContain('Complete!');
      await run('downgrade', `libgs-demo1-${OLD}`);
      expect(await upgrade('one', wants('libgs-demo1', 'exact', FIXED))).toEqual(first);
      expect(await versionsOf('libgs-demo1')).toEqual([OLD]);
      expect(await atRest()).toEqual({ atRest: true });
    }, 90_000);

    test('all binaries of one source in one transaction; by advisory; all security updates but what is locked', async () => {
      const pair = (version: string, name: string) => ({ name, version, source: 'gs-pair' });
      await makeRpms(pair('1-1', 'gs-pair-a'), pair('1-1', 'gs-pair-b'));
      await run('install', 'gs-pair-a', 'gs-pair-b');
      await makeRpms(pair('2-1', 'gs-pair-a'), pair('2-1', 'gs-pair-b'));
      expect(shown(await upgrade('pair', wants('gs-pair-b', 'at-least', '2-1'))).sort()).toEqual([
        'gs-pair-a 1-1 2-1',
        'gs-pair-b 1-1 2-1',
      ]);
      const one = await upgrade('advisory', {
        mode: 'advisories',
        advisories: [demoAdvisory('libgs-demo1', FIXED)],
      });
      expect(shown(one)).toEqual([`libgs-demo1 ${OLD} ${FIXED}`]);
      await run('versionlock', 'add', 'libgs-extra1');
      const all = await upgrade('all', { mode: 'security' });
      expect(all).toMatchObject({ ok: true, held: ['libgs-extra1.x86_64'] });
      expect(shown(all)).toEqual([
        `gs-demo-data ${OLD} ${FIXED}`,
        `libgs-demo1 ${FIXED} ${NEWEST}`,
      ]);
      expect(await kinds('locked', wants('libgs-extra1'))).toBe('false held 0');
      const extra = expect.objectContaining({ name: 'libgs-extra1', held: true }) as unknown;
      expect((await inventory()).packages).toContainEqual(extra);
      await run('versionlock', 'delete', 'libgs-extra1');
    }, 120_000);

    test('refused and named: not installed, not offered, excluded, another stream, would remove', async () => {
      expect(await kinds('r1', wants('nginx'))).toBe('false not-installed 0');
      expect(await kinds('r2', wants('libgs-extra1', 'exact', '9-1'))).toBe(
        'false unknown-version 0',
      );
      const conf = await host.readFile('/etc/dnf/dnf.conf');
      await host.writeFile('/etc/dnf/dnf.conf', `${conf}excludepkgs=libgs-extra*\n`);
      expect(await kinds('r3', wants('libgs-extra1'))).toBe('false held 0');
      await host.writeFile('/etc/dnf/dnf.conf', conf);

      await makeRpms({ name: 'gs-lean', version: '1-1' }, { name: 'gs-rival', version: '1-1' });
      await run('install', 'gs-lean', 'gs-rival');
      await makeRpms({ name: 'gs-lean', version: '2-1', preamble: ['Conflicts: gs-rival'] });
      expect(await kinds('r4', wants('gs-lean'))).toBe('false would-remove 0');
      const allowed = await upgrade('r5', { ...wants('gs-lean'), allowRemove: true });
      expect(shown(allowed)).toEqual(['gs-lean 1-1 2-1', 'gs-rival 1-1 -']);

      const of = (stream: number) => ({
        ...{ name: 'gs-mod', version: `${stream}-1.module_el9` },
        preamble: [`ModularityLabel: gsmod:${stream}:1:abcd`],
      });
      await makeRpms(of(1), of(2));
      await dnf.repository.publishModules([1, 2].map(moduleYaml).join(''));
      await run('makecache', '--refresh');
      await run('module', 'enable', 'gsmod:1');
      await run('install', 'gs-mod');
      expect((await inventory()).packages).toContainEqual(
        expect.objectContaining({ name: 'gs-mod', module: 'gsmod:1' }),
      );
      const stream = await upgrade('r6', wants('gs-mod', 'at-least', '2-1.module_el9'));
      expect(stream.reason?.message).toContain('module stream that is not enabled');
    }, 180_000);

    test('a further kernel beside the others; the oldest goes by dnf’s own limit', async () => {
      const kernel = (version: string) => ({ name: 'kernel', version });
      await makeRpms(kernel('5-1'), kernel('5-2'), kernel('5-3'));
      await run('install', 'kernel-5-1', 'kernel-5-2', 'kernel-5-3');
      expect(await atRest()).toEqual({ atRest: true });
      await makeRpms(kernel('5-4'));
      const result = await upgrade('kernel', wants('kernel'));
      expect(shown(result)).toEqual(['kernel 5-1 -', 'kernel - 5-4']);
      expect((await versionsOf('kernel')).sort()).toEqual(['5-2', '5-3', '5-4']);
    }, 90_000);

    test('an agent that is killed in the middle does not end dnf, and finds it again', async () => {
      const post = 'while [ -e /run/gs-wait ]; do sleep 0.05; done';
      await makeRpms({ name: 'gs-slow', version: '1-1' });
      await run('install', 'gs-slow');
      await makeRpms({ name: 'gs-slow', version: '2-1', scripts: { post } });
      await host.must(['touch', '/run/gs-wait']);
      const request = { id: 'slow', allowRemove: false, mode: 'packages', ...wants('gs-slow') };
      const agent = await host.spawn([...DRIVER, 'upgrade', JSON.stringify(request)]);
      const group = await waitUntil(
        'the scriptlet to run',
        async () => {
          const { stdout } = await host.run(['pgrep', '-f', '/var/tmp/rpm-tmp']);
          const pid = stdout.trim().split('\n')[0] ?? '';
          return pid === '' ? null : host.must(['cat', `/proc/${pid}/cgroup`]);
        },
        { deadlineMs: 40_000 },
      );
      expect(group).toMatch(/^0::\/groundswell-upgrade$/m);
      expect(await atRest()).toMatchObject({
        atRest: false,
        reason: expect.stringMatching(
          / \(pid \d+\) holds \/var\/lib\/rpm\/\.rpm\.lock$/,
        ) as unknown,
      });
      await agent.kill();
      const again = await host.spawn([...DRIVER, 'resume', JSON.stringify({ id: 'slow' })]);
      await host.must(['rm', '/run/gs-wait']);
      await again.exited;
      const found = JSON.parse(again.stdout()) as Result;
      expect([found.ok, ...shown(found)]).toEqual([true, 'gs-slow 1-1 2-1']);
      expect(await call('resume', { id: 'never-begun' })).toBeNull();
    }, 120_000);

    test('locks of rpm and of dnf 4: not at rest, and named when they last too long', async () => {
      const rpmLock =
        'import fcntl,time; f=open("/var/lib/rpm/.rpm.lock","w"); fcntl.lockf(f,fcntl.LOCK_EX); print("held",flush=True); time.sleep(60)';
      const pidLock =
        'import os,time; f=open("/var/lib/dnf/rpmdb_lock.pid","w"); f.write(str(os.getpid())); f.close(); print("held",flush=True); time.sleep(60)';
      for (const [id, script] of Object.entries({ rpmLock, pidLock })) {
        const holder = await host.spawn(['python3', '-c', script]);
        await waitUntil('the lock', () => holder.stdout().includes('held'), { deadlineMs: 10_000 });
        expect(await atRest()).toEqual({
          atRest: false,
          reason: expect.stringMatching(/^python3 \(pid \d+\) holds \/var\/lib\//) as unknown,
        });
        const refused = await upgrade(id, wants('libgs-extra1'));
        expect(refused).toMatchObject({ ok: false, reason: { kind: 'lock-timeout' }, changes: [] });
        expect(refused.reason?.message).toContain('python3');
        await holder.kill();
        // One that was killed leaves dnf's file; nobody holds it any more.
        expect(await atRest()).toEqual({ atRest: true });
      }
    }, 120_000);

    test('a repository that is gone, not signed or wrongly written; a key is never imported', async () => {
      const path = '/etc/yum.repos.d/bed.repo';
      const repo = await host.readFile(path);
      const refreshWith = async (text: string): Promise<unknown> => {
        await host.writeFile(path, text);
        const answer = await call('refresh');
        await host.writeFile(path, repo);
        return answer;
      };
      const failure = (kind: string): object => ({ ok: false, reason: { kind } });
      expect(await refreshWith(repo.replace('/bedrpms', '/nowhere'))).toMatchObject(
        failure('repository-unreachable'),
      );
      expect(await refreshWith(`${repo}repo_gpgcheck=1\n`)).toMatchObject(
        failure('repository-untrusted'),
      );
      expect(await refreshWith('[bed\n')).toMatchObject(failure('sources-invalid'));
      expect(await call('refresh')).toMatchObject({ ok: true });

      const keys = (await host.must(['rpm', '-q', 'gpg-pubkey'])).trim().split('\n');
      await host.must([...rpm, '-e', ...keys]);
      const untrusted = await upgrade('key', wants('libgs-extra1'));
      expect(untrusted).toMatchObject({ ok: false, reason: { kind: 'repository-untrusted' } });
      expect(untrusted.changes).toEqual([]);
      expect((await host.run(['rpm', '-q', 'gpg-pubkey'])).exitCode).toBe(1);
      await host.must(['rpm', '--import', '/etc/pki/rpm-gpg/RPM-GPG-KEY-bed']);
    }, 120_000);

    test('a full disk is named, and nothing has changed', async () => {
      const mount = '/usr/share/gs-demo-data';
      await bed.publish({ 'gs-demo-data': NEWEST });
      await run('makecache', '--refresh');
      await host.must(['mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', mount]);
      await host.must(['sh', '-c', `head -c 4096 /dev/zero > ${mount}/filler`]);
      const result = await upgrade('full', wants('gs-demo-data'));
      await host.must(['umount', mount]);
      expect(result).toMatchObject({ ok: false, reason: { kind: 'disk-full' }, changes: [] });
      expect(await atRest()).toEqual({ atRest: true });
    }, 60_000);

    test('a script that fails; dnf killed in the middle: interrupted, refused until it is mended', async () => {
      await makeRpms({ name: 'gs-fails', version: '1-1' }, { name: 'gs-killer', version: '1-1' });
      await run('install', 'gs-fails', 'gs-killer');
      await makeRpms(
        { name: 'gs-fails', version: '2-1', scripts: { pre: 'exit 1' } },
        { name: 'gs-killer', version: '2-1', scripts: { post: 'kill -9 $PPID; sleep 1' } },
      );
      expect(await kinds('fails', wants('gs-fails'))).toBe('false package-failed 0');
      expect(await atRest()).toEqual({ atRest: true });

      const killed = await upgrade('killed', wants('gs-killer'));
      expect(killed).toMatchObject({ ok: false, reason: { kind: 'killed' } });
      expect(shown(killed)).toEqual(['gs-killer - 2-1']);
      const broken = expect.stringContaining(
        'gs-killer.noarch is installed in 2 versions, 2-1 and 1-1',
      ) as unknown;
      expect(await atRest()).toEqual({ atRest: false, reason: broken });
      expect(await upgrade('after', wants('libgs-extra1'))).toMatchObject({
        ok: false,
        reason: { kind: 'interrupted', remedy: expect.stringContaining('--duplicates') as unknown },
      });
      await host.must([...rpm, '-e', 'gs-killer-1-1']);
      expect(await atRest()).toEqual({ atRest: true });
      expect(shown(await upgrade('mended', wants('libgs-extra1')))).toEqual([
        `libgs-extra1 ${OLD} ${FIXED}`,
      ]);
    }, 120_000);
  });

  test('uninstall takes the hooks away again', async () => {
    await host.must([...groundswell, 'uninstall', '--yes', '--purge']);
    const { stdout } = await host.run([
      ...[
        'find',
        '/etc/dnf',
        '/usr/lib/groundswell',
        '/var/spool/groundswell',
        '-name',
        '*groundswell*',
      ],
    ]);
    expect(stdout).toBe('');
  }, 60_000);
});

const moduleYaml = (stream: number): string => `---
document: modulemd
version: 2
data:
  name: gsmod
  stream: "${stream}"
  version: 1
  context: abcd
  arch: noarch
  summary: Of the test bed
  description: Of the test bed
  license: { module: [MIT] }
  artifacts:
    rpms: [gs-mod-0:${stream}-1.module_el9.noarch]
...
`;
