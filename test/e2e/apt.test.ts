import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { buildDeb } from '../bed/deb.ts';
import type { DebPackage } from '../bed/deb.ts';
import type { BedHost } from '../bed/host.ts';
import type { HostProcess } from '../bed/host-process.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { byPerson, runOutdated } from './outdated.ts';

const NUMBERS = [30];
const DIRECTORY = `${TEST_BEDS}/apt`;
const OLD = '1.0-1';
const FIXED = '1.0-1+deb12u1';
const NEWEST = '1.0-1+deb12u2';
const DRIVER = ['node', '/opt/groundswell/dist/test/e2e/apt.child.js'];

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
type Event = { event: string; changes?: Change[]; reason?: string };

describe('apt on a real host', () => {
  let bed: Bed;
  let host: BedHost;
  let watcher: HostProcess;

  const call = async (command: string, input: unknown = {}): Promise<unknown> =>
    JSON.parse(await host.must([...DRIVER, command, JSON.stringify(input)], { timeoutMs: 90_000 }));
  const atRest = (): Promise<unknown> => call('at-rest');
  const upgrade = async (id: string, input: Record<string, unknown>): Promise<Result> =>
    (await call('upgrade', { mode: 'packages', allowRemove: false, id, ...input })) as Result;
  const wants = (
    name: string,
    want = 'newest',
    version: string | null = null,
  ): Record<string, unknown> => ({
    packages: [{ name, want, version }],
  });

  const eventsOf = (process: HostProcess): Event[] =>
    process
      .stdout()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);
  const startWatcher = async (): Promise<void> => {
    const process = await host.spawn([...DRIVER, 'watch']);
    watcher = process;
    await waitUntil(
      'the watcher to start',
      () => eventsOf(process).some(({ event }) => event === 'watching'),
      { deadlineMs: 15_000 },
    ).catch((error: unknown) => {
      throw new Error(`${process.stdout()}${process.stderr()}`, { cause: error });
    });
    // It says of whatever was before it that it is over.
    await closedSince(0);
  };
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
  const untilOver = async (work: () => Promise<unknown>): Promise<Event[]> => {
    const before = eventsOf(watcher).length;
    await work();
    return closedSince(before);
  };
  const transactions = (events: Event[]): string[][] =>
    events
      .filter(({ event }) => event === 'transaction')
      .map(({ changes = [] }) =>
        changes.map(({ name, from, to }) => `${name} ${from ?? '-'} ${to ?? '-'}`),
      );

  const install = (...operands: string[]): Promise<string> =>
    host.must(['apt-get', '-qy', '--allow-downgrades', 'install', ...operands], {
      environment: { NEEDRESTART_SUSPEND: '1' },
    });
  const versionOf = (name: string): Promise<string> =>
    host.must(['dpkg-query', '-Wf', '${Version}', name]);

  const makeDebs = async (...debs: Omit<DebPackage, 'architecture'>[]): Promise<void> => {
    const paths: string[] = [];
    for (const deb of debs) {
      const tree = join(DIRECTORY, 'trees', `${deb.name}-${deb.version}`);
      await mkdir(join(tree, 'usr/share', deb.name), { recursive: true });
      paths.push(
        await buildDeb(
          bed.commands,
          { architecture: 'all', ...deb },
          tree,
          join(DIRECTORY, 'trees'),
        ),
      );
    }
    await bed.repository.publish(paths);
    await host.must(['apt-get', '-q', 'update']);
  };

  beforeAll(async () => {
    bed = await createBed({
      ...{ directory: DIRECTORY, hostNumbers: NUMBERS, projectDirectory: process.cwd() },
    });
    host = await bed.createHost({ number: 30 });
    const packaged = async (from: string, to: string, mode?: number): Promise<void> =>
      host.writeFile(to, await readFile(join('packaging/hooks', from), 'utf8'), mode);
    await packaged('groundswell-hook', '/usr/lib/groundswell/groundswell-hook', 0o755);
    await packaged('50groundswell.apt.conf', '/etc/apt/apt.conf.d/50groundswell');
    await packaged('groundswell.dpkg.cfg', '/etc/dpkg/dpkg.cfg.d/groundswell');
    await host.must(['install', '-d', '-m', '0700', '/var/spool/groundswell']);
    await bed.publish({ 'libgs-demo1': FIXED, 'libgs-extra1': FIXED, 'gs-demo-data': FIXED });
    await bed.publish({ 'libgs-demo1': NEWEST });
    await host.must(['apt-get', '-q', 'update']);
    await startWatcher();
  }, 300_000);

  afterAll(async () => {
    await bed.dispose();
  }, 60_000);

  describe('what others do', () => {
    test('apt-get -s, --download-only and a dry run of unattended-upgrade: nothing', async () => {
      await host.must(['apt-get', '-s', '-qy', 'upgrade']);
      await host.must(['apt-get', '--download-only', '-qy', 'upgrade']);
      const events = await untilOver(() => host.must(['unattended-upgrade', '--dry-run']));
      // Its hooks were called, and woke the watcher.
      expect(events.map(({ event }) => event)).toContain('quiet');
      expect(transactions(events)).toEqual([]);
      expect(await host.must(['ls', '-A', '/var/spool/groundswell'])).toBe('');
    }, 60_000);

    test('apt-get upgrade of one package: one transaction, told after it was over', async () => {
      const events = await untilOver(() => install(`libgs-demo1=${FIXED}`));
      expect(transactions(events)).toEqual([[`libgs-demo1 ${OLD} ${FIXED}`]]);
      const told = events.find(({ event }) => event === 'transaction') as unknown as {
        startedAtMs: number;
        endedAtMs: number;
      };
      expect(told.endedAtMs).toBeGreaterThan(told.startedAtMs);
      expect(await host.must(['ls', '-A', '/var/spool/groundswell'])).toBe('');
    }, 60_000);

    test('a run of unattended-upgrade in several steps: one transaction', async () => {
      const events = await untilOver(() => host.must(['unattended-upgrade']));
      expect(transactions(events)).toEqual([
        [
          `gs-demo-data ${OLD} ${FIXED}`,
          `libgs-demo1 ${FIXED} ${NEWEST}`,
          `libgs-extra1 ${OLD} ${FIXED}`,
        ],
      ]);
      expect(events.filter(({ event }) => event === 'open').length).toBeGreaterThan(0);
    }, 60_000);

    test('dpkg -i, also where no hook tells of it', async () => {
      const deb = `/bedrepo/pool/gs-demo-data_${OLD}_all.deb`;
      const told = await untilOver(() => host.must(['dpkg', '-i', deb]));
      expect(transactions(told)).toEqual([[`gs-demo-data ${FIXED} ${OLD}`]]);
      await host.must(['mv', '/etc/dpkg/dpkg.cfg.d/groundswell', '/root/']);
      const found = await untilOver(() =>
        host.must(['dpkg', '-i', `/bedrepo/pool/gs-demo-data_${FIXED}_all.deb`]),
      );
      await host.must(['mv', '/root/groundswell', '/etc/dpkg/dpkg.cfg.d/']);
      expect(transactions(found)).toEqual([[`gs-demo-data ${OLD} ${FIXED}`]]);
    }, 60_000);

    test('what happened while nobody watched is found at the start, once', async () => {
      if ((await versionOf('gs-demo-data')) !== FIXED)
        await untilOver(() => install(`gs-demo-data=${FIXED}`));
      await watcher.kill();
      await install(`gs-demo-data=${OLD}`);
      await startWatcher();
      expect(transactions(await closedSince(0))).toEqual([[`gs-demo-data ${FIXED} ${OLD}`]]);
      await watcher.kill();
      await startWatcher();
      expect(transactions(await closedSince(0))).toEqual([]);
      const later = await untilOver(() => install(`gs-demo-data=${FIXED}`));
      expect(transactions(later)).toEqual([[`gs-demo-data ${OLD} ${FIXED}`]]);
    }, 90_000);

    test('a hook that is gone does no harm', async () => {
      await host.must(['mv', '/usr/lib/groundswell/groundswell-hook', '/root/']);
      const { exitCode, stdout, stderr } = await host.run([
        ...['apt-get', '-qy', '--reinstall', 'install', 'gs-demo-data'],
      ]);
      await host.must(['mv', '/root/groundswell-hook', '/usr/lib/groundswell/']);
      expect({ exitCode, said: `${stdout}${stderr}`.includes('groundswell') }).toEqual({
        exitCode: 0,
        said: false,
      });
    }, 30_000);
  });

  describe('upgrades of our own', () => {
    beforeAll(async () => {
      await watcher.kill();
      await install(`libgs-demo1=${OLD}`, `libgs-extra1=${OLD}`, `gs-demo-data=${OLD}`);
    }, 60_000);

    test('an exact version, once per id, with its transcript and exact changes', async () => {
      await host.must(['apt-mark', 'auto', 'libgs-demo1']);
      const first = await upgrade('one', wants('libgs-demo1', 'exact', FIXED));
      expect(first).toMatchObject({ ok: true, held: [] });
      expect(first.changes).toMatchObject([{ name: 'libgs-demo1', from: OLD, to: FIXED }]);
      expect(await host.readFile(first.transcript ?? '')).toContain('Setting up libgs-demo1');
      expect(await host.must(['apt-mark', 'showauto', 'libgs-demo1'])).toBe('libgs-demo1\n');
      expect(await versionOf('libgs-extra1')).toBe(OLD);
      await install(`libgs-demo1=${OLD}`);
      expect(await upgrade('one', wants('libgs-demo1', 'exact', FIXED))).toEqual(first);
      expect(await versionOf('libgs-demo1')).toBe(OLD);
      expect(await atRest()).toEqual({ atRest: true });
    }, 60_000);

    test('all binaries of one source in one transaction; all security updates', async () => {
      const pair = (version: string, name: string) => ({ name, version, source: 'gs-pair' });
      await makeDebs(pair('1', 'gs-pair-a'), pair('1', 'gs-pair-b'));
      await install('gs-pair-a', 'gs-pair-b');
      await makeDebs(pair('2', 'gs-pair-a'), pair('2', 'gs-pair-b'));
      const result = await upgrade('pair', wants('gs-pair-b', 'at-least', '2'));
      expect(result.changes.map(({ name, to }) => `${name} ${to ?? ''}`)).toEqual([
        'gs-pair-a 2',
        'gs-pair-b 2',
      ]);
      await host.must(['apt-mark', 'hold', 'libgs-extra1']);
      const all = await upgrade('all', { mode: 'security' });
      await host.must(['apt-mark', 'unhold', 'libgs-extra1']);
      expect(all).toMatchObject({ ok: true, held: ['libgs-extra1:amd64'] });
      expect(all.changes.map(({ name, to }) => `${name} ${to ?? ''}`)).toEqual([
        `gs-demo-data ${FIXED}`,
        `libgs-demo1 ${NEWEST}`,
      ]);
    }, 60_000);

    test('refused and named: not installed, not offered, held, would remove', async () => {
      const kinds = async (id: string, input: Record<string, unknown>): Promise<string> => {
        const { ok, reason, changes } = await upgrade(id, input);
        return `${ok} ${reason?.kind ?? ''} ${changes.length}`;
      };
      expect(await kinds('r1', wants('nginx'))).toBe('false not-installed 0');
      expect(await kinds('r2', wants('libgs-extra1', 'exact', '9'))).toBe(
        'false unknown-version 0',
      );
      await host.must(['apt-mark', 'hold', 'libgs-extra1']);
      expect(await kinds('r3', wants('libgs-extra1'))).toBe('false held 0');
      await host.must(['apt-mark', 'unhold', 'libgs-extra1']);
      await makeDebs({ name: 'gs-lean', version: '1' }, { name: 'gs-rival', version: '1' });
      await install('gs-lean', 'gs-rival');
      await makeDebs({ name: 'gs-lean', version: '2', depends: 'bash\nConflicts: gs-rival' });
      expect(await kinds('r4', wants('gs-lean'))).toBe('false would-remove 0');
      const allowed = await upgrade('r5', { ...wants('gs-lean'), allowRemove: true });
      expect(allowed.changes).toMatchObject([
        { name: 'gs-lean', from: '1', to: '2' },
        { name: 'gs-rival', from: '1', to: null },
      ]);
    }, 90_000);

    /** A package's script that waits, and says by its pid that it does. */
    const waits = 'while [ -e /run/gs-wait ]; do echo $$ >/run/gs-waits; sleep 0.05; done\n';

    /** Upgrades `name`, kills the agent when a script of that waits, and answers what the next life of the agent hears. */
    const killedMeanwhile = async (
      id: string,
      name: string,
      meanwhile: (pid: string) => Promise<void> = () => Promise.resolve(),
    ): Promise<Result | null> => {
      await host.must(['sh', '-c', 'touch /run/gs-wait; rm -f /run/gs-waits']);
      const request = { id, allowRemove: false, mode: 'packages', ...wants(name) };
      const agent = await host.spawn([...DRIVER, 'upgrade', JSON.stringify(request)]);
      const pid = await waitUntil(
        'a script to wait',
        async () => (await host.run(['cat', '/run/gs-waits'])).stdout.trim() || null,
        { deadlineMs: 30_000 },
      );
      await meanwhile(pid);
      await agent.kill();
      const again = await host.spawn([...DRIVER, 'resume', JSON.stringify({ id })]);
      await host.must(['rm', '/run/gs-wait']);
      await again.exited;
      return JSON.parse(again.stdout()) as Result | null;
    };

    test('an agent that is killed in the middle does not end apt, and finds it again', async () => {
      await makeDebs({ name: 'gs-slow', version: '1' });
      await install('gs-slow');
      const postinst = `#!/bin/sh\n${waits}`;
      await makeDebs({ name: 'gs-slow', version: '2', control: { postinst } });
      const heard = await killedMeanwhile('slow', 'gs-slow', async (pid) => {
        const group = await host.must(['cat', `/proc/${pid}/cgroup`]);
        expect(group).toMatch(/^0::\/groundswell-upgrade$/m);
        expect(await atRest()).toMatchObject({ atRest: false });
      });
      expect(heard).toMatchObject({
        ok: true,
        changes: [{ name: 'gs-slow', from: '1', to: '2' }],
      });
      expect(await call('resume', { id: 'never-begun' })).toBeNull();
    }, 90_000);

    test('a lock that somebody holds: not at rest, and named when it lasts too long', async () => {
      const script =
        'import fcntl,time; f=open("/var/lib/dpkg/lock-frontend","r+"); fcntl.lockf(f,fcntl.LOCK_EX); print("held",flush=True); time.sleep(60)';
      const holder = await host.spawn(['python3', '-c', script]);
      await waitUntil('the lock', () => holder.stdout().includes('held'), { deadlineMs: 10_000 });
      expect(await atRest()).toEqual({
        atRest: false,
        reason: expect.stringMatching(
          /^python3 \(pid \d+\) holds \/var\/lib\/dpkg\/lock-frontend$/,
        ) as unknown,
      });
      const refused = await upgrade('locked', wants('libgs-extra1'));
      expect(refused).toMatchObject({ ok: false, reason: { kind: 'lock-timeout' }, changes: [] });
      expect(refused.reason?.message).toContain('python3');
      await holder.kill();
      expect(await atRest()).toEqual({ atRest: true });
    }, 60_000);

    test('a repository with a wrong key, and one that is not there', async () => {
      expect(await call('refresh')).toMatchObject({ ok: true });
      const key = await host.readFile('/etc/apt/keyrings/bed.asc');
      await host.writeFile('/etc/apt/keyrings/bed.asc', 'no key');
      await bed.publish({ 'libgs-extra1': NEWEST });
      const untrusted = await call('refresh');
      await host.writeFile('/etc/apt/keyrings/bed.asc', key);
      expect(untrusted).toMatchObject({ ok: false, reason: { kind: 'repository-untrusted' } });
      const list = await host.readFile('/etc/apt/sources.list');
      await host.writeFile('/etc/apt/sources.list', list.replace('/bedrepo', '/nowhere'));
      const unreachable = await call('refresh');
      await host.writeFile('/etc/apt/sources.list', list);
      expect(unreachable).toMatchObject({ ok: false, reason: { kind: 'repository-unreachable' } });
      expect(await call('refresh')).toMatchObject({ ok: true });
    }, 60_000);

    test('a full disk in the middle is named, and what changed is known', async () => {
      await host.must(['mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', '/usr/share/gs-demo-data']);
      await host.must(['sh', '-c', 'head -c 4096 /dev/zero > /usr/share/gs-demo-data/filler']);
      await bed.publish({ 'gs-demo-data': NEWEST });
      await host.must(['apt-get', '-q', 'update']);
      const result = await upgrade('full', wants('gs-demo-data'));
      await host.must(['umount', '/usr/share/gs-demo-data']);
      expect(result).toMatchObject({ ok: false, reason: { kind: 'disk-full' }, changes: [] });
      expect(await atRest()).toEqual({ atRest: true });
      // There is room again, and the next try goes on.
      expect(await upgrade('room', wants('gs-demo-data'))).toMatchObject({
        ...{ ok: true, changes: [{ name: 'gs-demo-data', from: FIXED, to: NEWEST }] },
      });
    }, 60_000);

    /** Kills the dpkg that runs it, once, and goes on for a while; writes down when it is at work. */
    const killer = `#!/bin/sh
echo begin >>/run/script-log
[ ! -e /run/kill-dpkg ] || { rm /run/kill-dpkg; kill -9 $PPID; sleep 1; }
echo end >>/run/script-log
`;
    // Which script of which version kills its dpkg, and how that leaves the package.
    const phases = [
      { script: 'preinst', version: '2', left: ['half-installed reinstreq'] },
      // dpkg 1.23 has nothing to install anew by then.
      { script: 'prerm', version: '1', left: ['half-configured reinstreq', 'half-configured ok'] },
      { script: 'postrm', version: '1', left: ['half-installed reinstreq'] },
      { script: 'postinst', version: '2', left: ['half-configured ok'] },
    ] as const;
    const killed = (script: string): string => `gs-killed-${script}`;
    const statusOf = (name: string): Promise<string> =>
      host.must(['dpkg-query', '-Wf', '${db:Status-Status} ${db:Status-Eflag}', name]);
    const makeKilled = (version: string): Promise<void> =>
      makeDebs(
        ...phases.map((phase) => ({
          ...{ name: killed(phase.script), version },
          control: phase.version === version ? { [phase.script]: killer } : {},
        })),
      );

    test('dpkg killed in whichever phase: healed, and gone on with', async () => {
      await makeKilled('1');
      await install(...phases.map(({ script }) => killed(script)));
      await host.must(['apt-mark', 'auto', killed('preinst')]);
      await makeKilled('2');
      for (const { script } of phases) {
        await host.must(['sh', '-c', 'touch /run/kill-dpkg; rm -f /run/script-log']);
        const result = await upgrade(`killed-${script}`, wants(killed(script)));
        expect(result).toMatchObject({
          ...{ ok: true, healed: expect.stringContaining('dpkg exited unexpectedly') as unknown },
          changes: [{ name: killed(script), from: '1', to: '2' }],
        });
        expect(await atRest()).toEqual({ atRest: true });
        // One is not run beside another that has outlived its dpkg.
        expect(await host.readFile('/run/script-log')).toMatch(/^(?:begin\nend\n)+$/);
        expect(await upgrade(`killed-${script}`, wants(killed(script)))).toEqual(result);
      }
      expect(await host.must(['apt-mark', 'showauto', killed('preinst')])).toBe(
        `${killed('preinst')}\n`,
      );
    }, 120_000);

    test('what a dpkg of others has left is healed by the next upgrade: killed in any phase, half of a source unpacked', async () => {
      const strict = (version: string) => [
        { name: 'gs-half', version, source: 'gs-half', depends: `gs-half-data (= ${version})` },
        { name: 'gs-half-data', version, source: 'gs-half' },
        { name: 'gs-next', version },
      ];
      await makeDebs(...strict('1'));
      const names = phases.map(({ script }) => killed(script));
      await install('gs-half', 'gs-next', ...names.map((name) => `${name}=1`));
      await host.must(['apt-mark', 'auto', killed('preinst')]);
      await makeDebs(...strict('2'));
      const installedAgain: string[] = [];
      for (const { script, left } of phases) {
        await host.must(['touch', '/run/kill-dpkg']);
        await host.run(['dpkg', '-i', `/bedrepo/pool/${killed(script)}_2_all.deb`]);
        const status = await statusOf(killed(script));
        expect(left).toContain(status);
        if (status.endsWith(' reinstreq')) installedAgain.push(killed(script));
      }
      await host.run(['dpkg', '-i', '/bedrepo/pool/gs-half_2_all.deb']);
      expect(await statusOf('gs-half')).toBe('unpacked ok');
      const healed = await upgrade('heals', wants('gs-next'));
      expect(healed).toMatchObject({
        ...{ ok: true, healed: expect.stringMatching(/^gs-\S+ is .* \(and 4 more\)$/) as unknown },
      });
      expect(
        healed.changes.map(({ name, from, to }) => `${name} ${from ?? ''} ${to ?? ''}`),
      ).toEqual([
        'gs-half-data 1 2',
        ...installedAgain.sort().map((name) => `${name} 1 2`),
        'gs-next 1 2',
      ]);
      expect(await atRest()).toEqual({ atRest: true });
      expect(await host.must(['apt-mark', 'showauto', ...names])).toBe(`${killed('preinst')}\n`);
      expect(await upgrade('heals', wants('gs-next'))).toEqual(healed);
    }, 120_000);

    // What kills dpkg in preinst cannot be configured: its command is given again, or the package installed again.
    test.each([
      ['postinst', 'configure', 'heal-configure'],
      ['preinst', 'again', 'heal-reinstall'],
    ])(
      'an agent that is killed while a dpkg that died in %s is healed finds that again',
      async (script, stepOfOwn, stepOfOthers) => {
        const isAt = (transaction: string) => async (): Promise<void> => {
          const begun = await host.must(['ls', '/var/lib/groundswell/transactions']);
          expect(begun.split('\n')).toContain(transaction);
        };
        const names = [`gs-own-${script}`, `gs-other-${script}`] as const;
        const [own, other] = names;
        const next = `gs-after-${script}`;
        await makeDebs(...[...names, next].map((name) => ({ name, version: '1' })));
        await install(...names, next);
        const killsFirst = '[ ! -e /run/kill-dpkg ] || { rm /run/kill-dpkg; kill -9 $PPID; exit; }';
        const text = `#!/bin/sh\n${killsFirst}\n${waits}`;
        await makeDebs(
          ...names.map((name) => ({ name, version: '2', control: { [script]: text } })),
          { name: next, version: '2' },
        );
        await host.must(['touch', '/run/kill-dpkg']);
        const heard = await killedMeanwhile(own, own, isAt(`${own}.${stepOfOwn}`));
        expect(heard).toMatchObject({
          ...{ ok: true, healed: expect.stringContaining('dpkg exited unexpectedly') as unknown },
          changes: [{ name: own, from: '1', to: '2' }],
        });
        expect(await call('resume', { id: own })).toEqual(heard);
        await host.must(['touch', '/run/kill-dpkg']);
        await host.run(['dpkg', '-i', `/bedrepo/pool/${other}_2_all.deb`]);
        // What was ordered had not begun: it may be begun anew.
        expect(await killedMeanwhile(next, next, isAt(`${next}.${stepOfOthers}`))).toBeNull();
        expect(await versionOf(other)).toBe('2');
        expect(await atRest()).toEqual({ atRest: true });
        expect(await upgrade(next, wants(next))).toMatchObject({
          ok: true,
          changes: [{ name: next, from: '1', to: '2' }],
        });
      },
      120_000,
    );

    test('a removal that was begun is left to a person', async () => {
      const name = killed('postrm');
      await install(`${name}=1`);
      await host.must(['touch', '/run/kill-dpkg']);
      await host.run(['apt-get', '-qy', 'remove', name]);
      const result = await upgrade('removal', wants('gs-half'));
      expect(result).toMatchObject({
        ...{ ok: false, changes: [], transcript: null },
        reason: {
          kind: 'interrupted',
          message: `dpkg was interrupted, and not healed: a removal of ${name} was begun`,
          remedy: expect.stringContaining(`dpkg --remove ${name}`) as unknown,
        },
      });
      await host.must(['dpkg', '--remove', name]);
      expect(await atRest()).toEqual({ atRest: true });
    }, 60_000);

    test('what cannot be healed is refused with its cause, until that is mended', async () => {
      const postinst =
        '#!/bin/sh\n[ ! -e /run/gs-fails ] || { echo no such database >&2; exit 1; }\n';
      await makeDebs({ name: 'gs-fails', version: '1' });
      await install('gs-fails');
      await makeDebs({ name: 'gs-fails', version: '2', control: { postinst } });
      await host.must(['touch', '/run/gs-fails']);
      const failed = { ok: false, reason: { kind: 'package-failed' } };
      expect(await upgrade('fails', wants('gs-fails'))).toMatchObject(failed);
      const refused = await upgrade('fails-again', wants('gs-fails'));
      expect(refused).toMatchObject({ ...failed, changes: [] });
      expect(refused.reason?.message).toContain(
        'not healed: dpkg: error processing package gs-fails',
      );
      expect(await host.readFile(refused.transcript ?? '')).toContain('no such database');
      await host.must(['rm', '/run/gs-fails']);
      expect(await upgrade('mended', wants('gs-fails'))).toMatchObject({ ok: true, changes: [] });
      expect(await atRest()).toEqual({ atRest: true });
    }, 90_000);
  });

  describe('no second restarter', () => {
    // With the default tolerance needrestart 3.6 restarts no container at all; other versions do.
    const AUTOMATIC = "$nrconf{restart} = 'a';\n$nrconf{tolerance} = 0;\n";
    const initPid = async (): Promise<string> =>
      (await host.run(['lxc-info', '-n', 'web-01', '-pH'])).stdout.trim();
    const transaction = async (version: string): Promise<string> => {
      await runOutdated(host, 'web-01');
      return host.must([
        ...byPerson,
        'apt-get',
        '-qy',
        '--allow-downgrades',
        'install',
        `gs-demo-data=${version}`,
      ]);
    };

    test('needrestart in automatic mode restarts nothing with our drop-in, and does without', async () => {
      await bed.createContainers(host, { service: 'web', count: 1 });
      // It skips the first run after a dpkg that failed, as above.
      await host.must(['rm', '-f', '/run/needrestart/errored']);
      await install(`gs-demo-data=${FIXED}`);
      await host.writeFile('/etc/needrestart/conf.d/50-auto.conf', AUTOMATIC);
      expect(await call('other-restarters')).toMatchObject([{ kind: 'needrestart', line: 1 }]);
      const drop = await readFile('packaging/hooks/needrestart-groundswell.conf', 'utf8');
      await host.writeFile('/etc/needrestart/conf.d/zz-groundswell.conf', drop);
      expect(await call('other-restarters')).toEqual([]);
      const before = await initPid();
      expect(await transaction(OLD)).toContain('web-01');
      expect(await initPid()).toBe(before);
      const byHand = await host.run([...byPerson, 'needrestart', '-r', 'a']);
      expect(byHand.stdout).toContain('deferred');
      expect(await initPid()).toBe(before);
      await host.must(['rm', '/etc/needrestart/conf.d/zz-groundswell.conf']);
      await transaction(FIXED);
      expect(await initPid()).not.toBe(before);
    }, 90_000);
  });
});
