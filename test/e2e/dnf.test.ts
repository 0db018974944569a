import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InventoryPackage } from '../../src/core/advisories/inventory.ts';
import type { PackageManager } from '../../src/host/packages/package-manager.ts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { changingRpm } from '../bed/dnf-packages.ts';
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
  healed?: string;
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
  const makeRpms = async (
    ...rpms: (Omit<RpmPackage, 'arch'> & { sideBySide?: boolean })[]
  ): Promise<void> => {
    const paths: string[] = [];
    for (const { sideBySide = false, ...rpm } of rpms) {
      const tree = join(DIRECTORY, 'trees', `${rpm.name}-${rpm.version}`);
      await mkdir(join(tree, 'usr/share', rpm.name), { recursive: true });
      // Each version has a path of its own; most have one that is in all of them, too.
      const names = sideBySide ? [rpm.version] : [rpm.version, 'version'];
      for (const name of names)
        await writeFile(join(tree, 'usr/share', rpm.name, name), `${rpm.version}\n`);
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

    test('all binaries of one source in one transaction; all security updates but what is locked', async () => {
      const pair = (version: string, name: string) => ({ name, version, source: 'gs-pair' });
      await makeRpms(pair('1-1', 'gs-pair-a'), pair('1-1', 'gs-pair-b'));
      await run('install', 'gs-pair-a', 'gs-pair-b');
      await makeRpms(pair('2-1', 'gs-pair-a'), pair('2-1', 'gs-pair-b'));
      expect(shown(await upgrade('pair', wants('gs-pair-b', 'at-least', '2-1'))).sort()).toEqual([
        'gs-pair-a 1-1 2-1',
        'gs-pair-b 1-1 2-1',
      ]);
      const one = await upgrade('exactly', wants('libgs-demo1', 'exact', FIXED));
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
      const kernel = (version: string) => ({ name: 'kernel', version, sideBySide: true });
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

    test('a script that fails is named, and nothing has changed', async () => {
      await makeRpms({ name: 'gs-fails', version: '1-1' });
      await run('install', 'gs-fails');
      await makeRpms({ name: 'gs-fails', version: '2-1', scripts: { pre: 'exit 1' } });
      expect(await kinds('fails', wants('gs-fails'))).toBe('false package-failed 0');
      expect(await atRest()).toEqual({ atRest: true });
    }, 60_000);

    test('what came along elsewhere comes in that version, or not at all', async () => {
      const lib = (version: string) => ({ name: 'gs-lib', version });
      const app = (version: string, needed: string) => ({
        ...{ name: 'gs-app', version, preamble: [`Requires: gs-lib >= ${needed}`] },
      });
      await makeRpms(lib('1-1'), app('1-1', '1'));
      await run('install', 'gs-app');
      await makeRpms(lib('2-1'), lib('3-1'), app('2-1', '2'));
      const proved = (version: string) => ({
        ...wants('gs-app', 'exact', '2-1'),
        proved: [{ name: 'gs-lib', arch: 'noarch', version }],
      });
      const refused = await upgrade('along-lost', proved('2.5-1'));
      expect(refused).toMatchObject({
        ...{ ok: false, changes: [] },
        reason: { kind: 'unknown-version', missing: [{ name: 'gs-lib', arch: 'noarch' }] },
      });
      expect(refused.reason?.message).toMatch(/gs-lib.* in 3-1, not in 2\.5-1/);
      expect(shown(await upgrade('along', proved('2-1'))).sort()).toEqual([
        'gs-app 1-1 2-1',
        'gs-lib 1-1 2-1',
      ]);
    }, 120_000);
  });

  describe('a transaction that was broken off', () => {
    /** Its script kills dnf where it is told to, and tells of it where it runs to its end. */
    const post = [
      'if [ -e /run/gs-kill ]; then rm /run/gs-kill; kill -9 $PPID; sleep 1; exit 0; fi',
      'echo $1 >> /run/gs-ran',
    ].join('\n');
    const first = (name: string) => ({ name, version: '1-1' });
    const second = (name: string) => ({ name, version: '2-1', scripts: { post } });
    const killDnf = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      await host.must(['touch', '/run/gs-kill']);
      await host.must(['rm', '-f', '/run/gs-ran']);
      return work();
    };
    const ranScripts = (): Promise<string> => host.must(['cat', '/run/gs-ran']);
    const twice = async (name: string): Promise<void> => {
      expect(await versionsOf(name)).toHaveLength(2);
      const reason = expect.stringContaining(
        `${name}.noarch is installed in 2 versions, 2-1 and 1-1`,
      ) as unknown;
      expect(await atRest()).toEqual({ atRest: false, reason });
    };

    test('of our own is healed, and gone on with', async () => {
      const after = (version: string) => ({
        ...{ name: 'gs-after', version, preamble: [`Requires: gs-killer = ${version}`] },
      });
      await makeRpms(first('gs-killer'), after('1-1'));
      await run('install', 'gs-after');
      await makeRpms(second('gs-killer'), after('2-1'));
      const both = ['gs-killer', 'gs-after'].map((name) => ({
        name,
        want: 'newest',
        version: null,
      }));
      const killed = await killDnf(() => upgrade('killed', { packages: both }));
      expect(killed).toMatchObject({
        ...{
          ok: true,
          healed: expect.stringContaining('gs-killer.noarch is installed') as unknown,
        },
      });
      expect(shown(killed).sort()).toEqual(['gs-after 1-1 2-1', 'gs-killer 1-1 2-1']);
      expect(await atRest()).toEqual({ atRest: true });
      expect(await ranScripts()).toMatch(/^\d+\n$/);
      expect(await upgrade('killed', { packages: both })).toEqual(killed);
    }, 120_000);

    test('of others is put right before the next upgrade, by no more than that', async () => {
      const tools = (version: string) => ({
        ...{ name: 'gs-other-tools', version, source: 'gs-other' },
        preamble: [`Requires: gs-other = ${version}`],
      });
      await makeRpms(first('gs-other'), tools('1-1'));
      await run('install', 'gs-other-tools');
      await makeRpms(second('gs-other'), tools('2-1'));
      await killDnf(() => host.run(['dnf', '-q', '-y', 'upgrade', 'gs-other']));
      await twice('gs-other');
      const result = await upgrade('after-others', wants('libgs-extra1', 'exact', FIXED));
      expect(result).toMatchObject({ ok: true });
      expect(result.healed).toMatch(/^a transaction was broken off: gs-other[^;]*$/);
      expect(shown(result).sort()).toEqual([
        'gs-other 1-1 -',
        'gs-other-tools 1-1 2-1',
        `libgs-extra1 ${OLD} ${FIXED}`,
      ]);
      expect(await ranScripts()).toMatch(/^\d+\n$/);
      expect(await versionsOf('gs-other')).toEqual(['2-1']);
    }, 120_000);

    test('whose newest version no repository has any more is cleaned up all the same', async () => {
      await makeRpms(first('gs-gone'));
      await run('install', 'gs-gone');
      await makeRpms(second('gs-gone'));
      await killDnf(() => host.run(['dnf', '-q', '-y', 'upgrade', 'gs-gone']));
      const path = '/etc/yum.repos.d/bed.repo';
      const repo = await host.readFile(path);
      await host.writeFile(path, `${repo}excludepkgs=gs-gone\n`);
      const result = await upgrade('gone', wants('gs-demo-data', 'at-least', FIXED));
      await host.writeFile(path, repo);
      expect(result).toMatchObject({ ok: true });
      expect(result.healed).toMatch(/not installed again, so that scripts of it may not have run/);
      expect(await versionsOf('gs-gone')).toEqual(['2-1']);
    }, 120_000);

    test('is left to a person where both versions may be meant, or the newest is not whole', async () => {
      await makeRpms(
        { name: 'gs-side', version: '1-1', sideBySide: true },
        { name: 'gs-side', version: '2-1', sideBySide: true },
      );
      await run('install', 'gs-side-1-1');
      await host.must([...rpm, '-i', '/bedrpms/Packages/gs-side-2-1.noarch.rpm']);
      const side = await upgrade('side', wants('gs-demo-data'));
      expect(side).toMatchObject({ ok: false, reason: { kind: 'interrupted' }, changes: [] });
      expect(side.reason?.message).toContain('gs-side-2-1.noarch and gs-side-1-1.noarch');
      expect(side.reason?.remedy).toContain('installonlypkgs');
      await twice('gs-side');
      await host.must([...rpm, '-e', 'gs-side-1-1']);
      expect(await atRest()).toEqual({ atRest: true });

      await makeRpms(first('gs-torn'));
      await run('install', 'gs-torn');
      await makeRpms(second('gs-torn'));
      await killDnf(() => host.run(['dnf', '-q', '-y', 'upgrade', 'gs-torn']));
      await host.must(['rm', '/usr/share/gs-torn/version']);
      const torn = await upgrade('torn', wants('gs-demo-data'));
      expect(torn).toMatchObject({ ok: false, reason: { kind: 'interrupted' }, changes: [] });
      expect(torn.reason?.message).toContain('/usr/share/gs-torn/version');
      await twice('gs-torn');
      await host.must([...rpm, '-e', 'gs-torn-1-1']);
      await run('reinstall', 'gs-torn');
      expect(await upgrade('mended', wants('gs-demo-data'))).toMatchObject({ ok: true });
    }, 180_000);
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
