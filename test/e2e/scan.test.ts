import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ContainerScan, StaleFile } from '../../src/core/observation.ts';
import type { HostScan } from '../../src/host/proc/scan-host.ts';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { createBed } from '../bed/bed.ts';
import type { Bed } from '../bed/bed.ts';
import { startContainers } from '../bed/containers.ts';
import { waitUntil } from '../bed/wait-until.ts';
import type { BedHost } from '../bed/host.ts';
import {
  DEMO,
  EXTRA,
  expectClean,
  inContainer,
  installMapper,
  LIBRARIES,
  LOWER,
  mapFiles,
  NOTES,
  of,
  overlayWith,
  restart,
  scan,
  shadowedIn,
  staleIn,
  stillStale,
  upgrade,
} from './scan-bed.ts';

const FIXED = '1.0-1+deb12u1';
const LATEST = '1.0-1+deb12u2';
const SLEEP = ['/usr/bin/tini', '--', '/usr/bin/sleep', 'infinity'];
const HARD_LINK = '/usr/local/lib/hard-link.so';
const ODD = '/opt/odd (deleted)';
const SAME = '/opt/same (deleted)';
const NEWLINE = '/opt/new\nline';

describe('containers whose root lies on ext4', () => {
  let bed: Bed;
  let host: BedHost;
  let before: HostScan;
  let after: HostScan;

  /** A container that only sleeps: what runs in it is started by the test. */
  const idle = async (service: string, extraConfig: readonly string[] = []): Promise<void> => {
    const wanted = { service, count: 1, command: SLEEP, extraConfig, start: false };
    await startContainers(await bed.createContainers(host, wanted));
  };
  const scanOf = (name: string): Promise<ContainerScan> =>
    scan<ContainerScan>(host, ['container', name]);
  const upperOf = (name: string): string => `/var/lib/lxc/${name}/delta0`;

  beforeAll(async () => {
    bed = await createBed({
      directory: `${TEST_BEDS}/scan`,
      hostNumbers: [12],
      projectDirectory: process.cwd(),
    });
    host = await bed.createHost({ number: 12 });
    await installMapper(host);
    await host.must(['ln', DEMO, HARD_LINK]);
    for (const name of [ODD, SAME, NEWLINE]) await host.must(['cp', '/usr/bin/sleep', name]);
    await host.must(['mkdir', '-p', '/srv/volume', '/srv/tmpfs']);
    await host.must(['cp', '/usr/bin/sleep', '/srv/volume/notes.txt']);
    await host.must(['mount', '-t', 'tmpfs', 'none', '/srv/tmpfs']);
    await host.must(['mkdir', '-p', '/srv/tmpfs/off/delta0']);
    await bed.createContainers(host, { service: 'web', count: 2 });
    await bed.createContainers(host, {
      ...{ service: 'xino', count: 1 },
      extraConfig: await overlayWith(host, '/srv/tmpfs/on/delta0', 'xino=on'),
    });
    await bed.createContainers(host, {
      ...{ service: 'tmpfs', count: 1 },
      extraConfig: [`lxc.rootfs.path = overlay:${LOWER}:/srv/tmpfs/off/delta0`],
    });
    await bed.createContainers(host, {
      ...{ service: 'meta', count: 1 },
      extraConfig: await overlayWith(host, upperOf('meta-01'), 'metacopy=on,redirect_dir=on'),
    });
    await idle('tool');
    await idle('own');
    await idle('volume', ['lxc.mount.entry = /srv/volume usr/share/gs-demo-data none bind 0 0']);
    await mapFiles(host, 'volume-01', ['--exec', NOTES]);
    await mapFiles(host, 'tool-01', [NOTES]);
    await mapFiles(host, 'tool-01', ['--exec', HARD_LINK, ODD, SAME, NEWLINE, '--memfd']);
    await inContainer(host, 'own-01', 'cp /usr/bin/sleep /opt/mine');
    await mapFiles(host, 'own-01', ['--exec', '/opt/mine', '--delete=/opt/mine']);
    before = await scan(host);

    await bed.publish({
      'libgs-demo1': FIXED,
      'libgs-extra1': FIXED,
      'gs-demo-data': FIXED,
    });
    await mapFiles(host, null, ['--exec', DEMO]);
    // A process in a mount namespace of its own, which sees the library under another path.
    await mapFiles(
      host,
      'own-01',
      ['--exec', '/opt/jail/libgsextra.so.1.0.0'],
      [
        ...['unshare', '-m', 'sh', '-ec'],
        `mkdir -p /opt/jail; mount --bind ${LIBRARIES} /opt/jail; exec "$@"`,
        'sh',
      ],
    );
    await inContainer(host, 'meta-01', `chmod 700 ${DEMO} && chmod 755 ${DEMO}`);
    await upgrade(host);
    for (const name of [ODD, NEWLINE]) {
      await host.must(['cp', '/usr/bin/sleep', '/opt/next']);
      await host.must(['mv', '/opt/next', name]);
    }
    after = await scan(host);
  }, 300_000);

  afterAll(async () => {
    await bed.dispose();
  }, 60_000);

  test.each([
    ['xino-01', 'xino=on'],
    ['meta-01', 'metacopy=on'],
  ])('the overlay of %s has %s', async (name, option) => {
    const root = 'grep " / / " /proc/$(lxc-info -n "$1" -pH)/mountinfo';
    expect(await host.must(['sh', '-c', root, 'sh', name])).toContain(option);
  });

  test('before the upgrade nothing is found anywhere', () => {
    for (const container of before.containers) expectClean(container);
    expect(before.containers).toHaveLength(8);
    expect(before.host).toEqual([]);
    expect(before.unreadable).toEqual([]);
  });

  test('a service is stale after it, with and without xino, whatever holds its upper layer', () => {
    for (const name of ['web-01', 'web-02', 'xino-01', 'tmpfs-01', 'meta-01']) {
      const found = of(after, name);
      expect([name, ...staleIn(found)]).toEqual([name, `${DEMO} replaced`]);
      expect(found.stale.map(({ command }) => command)).toEqual(['gs-demo-web']);
      expect(found.unreadable).toEqual([]);
      expect(found.processes).toBe(2);
    }
  });

  test('what a scan found stale is found so again by looking at its processes alone', async () => {
    const byName = Object.fromEntries(after.containers.map((one) => [one.name, one]));
    const stale = after.containers.filter((one) => one.stale.length > 0).map(({ name }) => name);
    expect(stale).toHaveLength(7);
    const expected = after.containers.map(({ name }) => [name, stale.includes(name)]);
    expect(await stillStale(host, byName)).toEqual(Object.fromEntries(expected));
  }, 60_000);

  test('a process of which that was never true is not believed, nor one of another container', async () => {
    const [web, volume] = [of(after, 'web-01'), of(after, 'volume-01')];
    const [{ pid, startTime }] = web.stale as [StaleFile];
    const said = { path: DEMO, kind: 'replaced', process: 'container', command: 'x' } as const;
    const init = {
      pid: volume.instance?.initPid ?? 0,
      startTime: volume.instance?.startTime ?? '',
    };
    const claims: Record<string, StaleFile[]> = {
      'it is fresh': [{ ...said, ...init }],
      'it is of another container': [{ ...said, pid, startTime }],
      'it is gone, and its number another one now': [{ ...said, ...init, startTime: '1' }],
    };
    for (const [claim, stale] of Object.entries(claims)) {
      const found = await stillStale(host, { 'volume-01': { ...volume, stale } });
      expect([claim, found]).toEqual([claim, { 'volume-01': false }]);
    }
    const otherLife = { ...web, instance: volume.instance };
    expect(await stillStale(host, { 'web-01': otherLife })).toEqual({ 'web-01': false });
  }, 60_000);

  test('what the same path shows on a volume is not stale, and nor is what nobody maps', () => {
    expectClean(of(after, 'volume-01'));
  });

  test('data of a package counts, names may be odd, and a hard link stays what it was', () => {
    expect(staleIn(of(after, 'tool-01'))).toEqual(
      [`${NOTES} replaced`, `${ODD} replaced`, `${NEWLINE} replaced`].sort(),
    );
  });

  test('a bind mount inside the container is seen through, and its own deleted file is its own', () => {
    expect(staleIn(of(after, 'own-01'))).toEqual([`${EXTRA} replaced`]);
  });

  test('a process of the host is listed for itself', () => {
    expect(after.host).toEqual([
      { pid: expect.any(Number), command: 'map-file', paths: [DEMO], unit: null },
    ]);
  });

  test('an interpreted program of the host is listed by the sources that changed', async () => {
    await host.writeFile('/srv/app/main.py', 'import helper, other, time\ntime.sleep(3600)\n');
    await host.writeFile('/srv/app/helper.py', '');
    await host.writeFile('/srv/app/other.py', '');
    const program = await host.spawn(['python3', '/srv/app/main.py']);
    const listed = async (): Promise<string[]> =>
      (await scan(host)).host
        .filter(({ command }) => command === 'python3')
        .flatMap((one) => one.paths);
    expect(await listed()).toEqual([]);
    await host.must(['touch', '/srv/app/helper.py']);
    expect(await listed()).toEqual(['/srv/app/helper.py']);
    await program.kill();
  }, 60_000);

  test('interpreters look for modules where we do, by their own word', async () => {
    const own: Record<string, string> = {
      perl: 'perl -e \'print "$_\\n" for grep { -d } @INC\'',
      python:
        'python3 -c \'import os, sys; print(*filter(os.path.isdir, sys.path[1:]), sep="\\n")\'',
    };
    for (const [language, command] of Object.entries(own)) {
      const paths = (await host.must(['sh', '-c', command])).trim().split('\n');
      expect(paths.length).toBeGreaterThan(2);
      expect(await scan<string[]>(host, ['paths', language])).toEqual(
        expect.arrayContaining(paths),
      );
    }
  }, 60_000);

  test('of scripts in Perl and Python at least what needrestart finds is found', async () => {
    await host.writeFile('/srv/nr/main.py', 'import own\nimport time\ntime.sleep(3600)\n');
    await host.writeFile('/srv/nr/lib/own.py', '');
    const perl = 'use Own;\nuse Proc::ProcessTable;\nuse Sort::Naturally;\nsleep 3600;\n';
    await host.writeFile('/srv/nr/main.pl', perl);
    await host.writeFile('/srv/nr/lib/Own.pm', '1;\n');
    const environment = ['env', 'PYTHONPATH=/srv/nr/lib', 'PERL5LIB=/srv/nr/lib'];
    const programs = [
      await host.spawn([...environment, 'python3', '/srv/nr/main.py']),
      await host.spawn([...environment, 'perl', '/srv/nr/main.pl']),
    ];
    const where = 'print "$INC{q(Proc/ProcessTable.pm)}\n$INC{q(Sort/Naturally.pm)}\n"';
    const modules = await host.must([
      ...['perl', '-MProc::ProcessTable', '-MSort::Naturally', '-e', where],
    ]);
    const changed = [
      ...['/srv/nr/main.py', '/srv/nr/lib/own.py', '/srv/nr/main.pl', '/srv/nr/lib/Own.pm'],
      ...modules.trim().split('\n'),
    ];
    const theirs = await waitUntil(
      'needrestart sees both scripts as outdated',
      async () => {
        // It counts in whole seconds, so what was changed in the second of the start is not changed to it.
        await host.must(['touch', ...changed]);
        const { stderr } = await host.run(['needrestart', '-b', '-v', '-r', 'l']);
        const named = [...stderr.matchAll(/^\[Core\] #(\d+) {2}(\/.*)$/gm)].map(
          ([, pid, path = '']) => `${pid} ${path.replace(/^\/proc\/\d+\/root\/+/, '/')}`,
        );
        return ['/srv/nr/main.py', '/srv/nr/main.pl'].every((script) =>
          named.some((one) => one.endsWith(` ${script}`)),
        )
          ? named
          : null;
      },
      { deadlineMs: 40_000, everyMs: 500 },
    );
    expect(theirs.some((one) => one.endsWith(' /srv/nr/lib/own.py'))).toBe(true);
    // Some versions of it pass over PERL5LIB.
    expect(theirs.some((one) => one.endsWith('.pm'))).toBe(true);
    const ours = (await scan(host)).host.flatMap(({ pid, paths }) =>
      paths.map((path) => `${pid} ${path}`),
    );
    expect(ours).toEqual(expect.arrayContaining(theirs));
    for (const path of changed) expect(ours.some((one) => one.endsWith(` ${path}`))).toBe(true);
    for (const program of programs) await program.kill();
  }, 90_000);

  test('a program of a container is stale by the module of the host that it imports, until a restart', async () => {
    const module = '/usr/lib/python3/dist-packages/gs_module.py';
    await host.writeFile(module, 'version = 1\n');
    await idle('script');
    const lines = ['import gs_module, time', 'print("ready", flush=True)', 'time.sleep(3600)'];
    await inContainer(
      host,
      'script-01',
      `mkdir -p /opt/app; printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} > /opt/app/main.py`,
    );
    const startProgram = async (): Promise<void> => {
      const program = await host.spawn([
        ...['lxc-attach', '-n', 'script-01', '--', 'python3', '/opt/app/main.py'],
      ]);
      await waitUntil('the script to be ready', () => program.stdout().includes('ready'), {
        deadlineMs: 15_000,
      });
    };
    await startProgram();
    expectClean(await scanOf('script-01'));
    await host.writeFile(`${module}.new`, 'version = 2\n');
    await host.must(['mv', `${module}.new`, module]);
    const found = await scanOf('script-01');
    expect(found.unreadable).toEqual([]);
    expect(found.stale).toEqual([
      {
        ...{ pid: expect.any(Number), startTime: expect.any(String), command: 'python3' },
        ...{ path: module, kind: 'replaced', process: 'container' },
      },
    ]);
    expect(await stillStale(host, { 'script-01': found })).toEqual({ 'script-01': true });
    await restart(host, ['script-01']);
    await startProgram();
    expectClean(await scanOf('script-01'));
    expect(await stillStale(host, { 'script-01': found })).toEqual({ 'script-01': false });
    await host.run(['lxc-stop', '-k', '-n', 'script-01']);
  }, 60_000);

  test('a process that starts late in a running container may still get the old file', async () => {
    await host.spawn(['lxc-attach', '-n', 'web-02', '--', '/usr/bin/gs-demo-web', '9999']);
    const late = async (): Promise<ContainerScan> => scanOf('web-02');
    let found = await late();
    while (found.processes < 3) found = await late();
    expect(found.stale).toHaveLength(2);
  }, 60_000);

  test('a restart makes it current; another container of the host stays as it was', async () => {
    const first = of(after, 'web-01');
    await restart(host, ['web-01', 'xino-01', 'tmpfs-01', 'meta-01']);
    const found = await scan(host);
    for (const name of ['web-01', 'xino-01', 'tmpfs-01', 'meta-01']) expectClean(of(found, name));
    expect(of(found, 'web-01').instance).not.toEqual(first.instance);
    expect(of(found, 'web-01').instance?.bootId).toBe(
      (await host.must(['cat', '/proc/sys/kernel/random/boot_id'])).trim(),
    );
    expect(staleIn(of(found, 'web-02'))).toEqual([`${DEMO} replaced`]);
    const earlier = { 'web-01': first, 'web-02': of(after, 'web-02') };
    expect(await stillStale(host, earlier)).toEqual({ 'web-01': false, 'web-02': true });
  }, 60_000);

  test('a process whose main thread has ended is read through another thread', async () => {
    await mapFiles(host, 'tool-01', ['--exec', '--thread', EXTRA]);
    const zombie = 'grep -l "^State:.Z" /proc/[0-9]*/status | head -1';
    expect(await host.must(['sh', '-c', zombie])).toContain('/status');
    expect(staleIn(await scanOf('tool-01'))).not.toContain(`${EXTRA} replaced`);
    await bed.publish({ 'libgs-extra1': LATEST, 'libgs-demo1': FIXED });
    await upgrade(host);
    expect(staleIn(await scanOf('tool-01'))).toContain(`${EXTRA} replaced`);
  }, 60_000);

  test('a copy with the inode number and the size of the new file is found, and no restart helps', async () => {
    await bed.createContainers(host, { service: 'copy', count: 1 });
    // Copied up by the container, so that it keeps the lower file's number; then the old content.
    await host.must(['cp', HARD_LINK, '/opt/old.so']);
    await inContainer(host, 'copy-01', `chmod 700 ${DEMO} && chmod 755 ${DEMO}`);
    await host.run(['lxc-stop', '-k', '-n', 'copy-01']);
    await host.must(['sh', '-c', `cat /opt/old.so > ${upperOf('copy-01')}${DEMO}`]);
    await host.must(['lxc-start', '-n', 'copy-01']);
    const pid = (await host.must(['sh', '-c', 'pgrep -P $(lxc-info -n copy-01 -pH)'])).trim();
    const maps = await host.must(['cat', `/proc/${pid}/maps`]);
    const inode = (await host.must(['stat', '-c', '%i %s', DEMO])).trim().split(' ');
    expect(maps).toContain(` ${inode[0] ?? '?'} `);
    const copied = await host.must(['stat', '-c', '%s', upperOf('copy-01') + DEMO]);
    expect(copied.trim()).toBe(inode[1]);
    const found = await scanOf('copy-01');
    expect(staleIn(found)).toEqual([]);
    expect(found.shadowed).toEqual([
      { path: DEMO, kind: 'copy', ownVersion: null, package: 'libgs-demo1' },
    ]);
    await host.must(['cp', DEMO, upperOf('copy-01') + DEMO]);
    expectClean(await scanOf('copy-01').then((one) => ({ ...one, stale: [] })));
  }, 60_000);

  test('content that may not be read is unknown, never stale and never current', async () => {
    await restart(host, ['copy-01']);
    expectClean(await scanOf('copy-01'));
    // CAP_CHECKPOINT_RESTORE by its number: older versions of setpriv do not know the name.
    const without = ['setpriv', '--bounding-set', '-sys_admin,-cap_40'];
    const found = await scan<ContainerScan>(host, ['container', 'copy-01'], without);
    expect(found.stale).toEqual([]);
    expect(found.unreadable).not.toEqual([]);
  }, 60_000);

  test('whiteouts, opaque directories, links and moved directories hide files', async () => {
    const change: Record<string, string> = {
      'white-01': `rm ${NOTES}`,
      'opaque-01': 'rm -r /usr/share/gs-demo-data; mkdir /usr/share/gs-demo-data',
      'link-01': `ln -sf /opt/old.so ${LIBRARIES}/libgsdemo.so.1`,
      'gone-01': 'rm -r /usr/share/gs-demo-data',
    };
    for (const [name, script] of Object.entries(change)) {
      await idle(name.slice(0, -3));
      await inContainer(host, name, script);
    }
    await inContainer(host, 'meta-01', 'mv /usr/share/gs-demo-data /usr/share/gs-moved');
    await inContainer(host, 'meta-01', 'mv /usr/share/perl5 /usr/share/gs-demo-data');
    const found = await scan(host);
    expect(shadowedIn(of(found, 'white-01'))).toEqual([`${NOTES} whiteout`]);
    expect(shadowedIn(of(found, 'opaque-01'))).toEqual([`${NOTES} opaque`]);
    expect(shadowedIn(of(found, 'link-01'))).toEqual([`${LIBRARIES}/libgsdemo.so.1 symlink`]);
    expect(shadowedIn(of(found, 'gone-01'))).toEqual([`${NOTES} whiteout`]);
    expect(shadowedIn(of(found, 'meta-01'))).toContain(`${NOTES} redirect`);
    for (const { unreadable } of found.containers) expect(unreadable).toEqual([]);
  }, 60_000);

  test('a file in a moved directory is judged by where the lower layer has it', async () => {
    await mapFiles(host, 'meta-01', ['--exec', '/usr/share/gs-moved/notes.txt']);
    expect(staleIn(await scanOf('meta-01'))).toEqual([]);
    await bed.publish({ 'gs-demo-data': LATEST });
    await upgrade(host);
    expect(staleIn(await scanOf('meta-01'))).toEqual(['/usr/share/gs-moved/notes.txt replaced']);
  }, 60_000);

  test('a deleted file that still runs is judged by what the host has now', async () => {
    await idle('rm');
    await mapFiles(host, 'rm-01', ['--exec', DEMO]);
    await inContainer(host, 'rm-01', `rm ${DEMO}`);
    expect(staleIn(await scanOf('rm-01'))).toEqual([]);
    await bed.publish({ 'libgs-demo1': LATEST });
    await upgrade(host);
    const found = await scanOf('rm-01');
    expect(staleIn(found)).toEqual([`${DEMO} replaced`]);
    expect(shadowedIn(found)).toEqual([`${DEMO} whiteout`]);
  }, 60_000);

  test('a newer version that the owner installed is called so', async () => {
    await idle('newer');
    const database = `${upperOf('newer-01')}/var/lib/dpkg`;
    await host.must(['mkdir', '-p', database, `${upperOf('newer-01')}${LIBRARIES}`]);
    await host.must([
      'sh',
      '-c',
      `sed 's/${LATEST.replace('+', '.')}/1.0-2/' /var/lib/dpkg/status > ${database}/status`,
    ]);
    await host.must(['cp', '/usr/bin/sleep', upperOf('newer-01') + DEMO]);
    expect((await scanOf('newer-01')).shadowed).toEqual([
      { path: DEMO, kind: 'copy', ownVersion: '1.0-2', package: 'libgs-demo1' },
    ]);
  }, 60_000);

  test('processes that come and go leave no trace in the findings', async () => {
    await idle('churn');
    const loop = 'while :; do /bin/true; (/bin/true & /bin/true); done';
    await host.spawn(['lxc-attach', '-n', 'churn-01', '--', 'sh', '-c', loop]);
    try {
      // The loop takes all of a processor, which others of the machine may want as well.
      const scans = await scan<HostScan[]>(host, ['warm', '5'], [], 150_000);
      for (const one of scans) {
        expectClean(of(one, 'churn-01'));
        expect(one.unreadable).toEqual([]);
      }
    } finally {
      await host.run(['lxc-stop', '-k', '-n', 'churn-01']);
    }
  }, 180_000);

  test('thousands of processes in one container are all looked at', async () => {
    await idle('crowd');
    const many = 'for i in $(seq 3000); do sleep 1000 & done; echo ready; wait';
    const crowd = await host.spawn(['lxc-attach', '-n', 'crowd-01', '--', 'sh', '-c', many]);
    await waitUntil('the crowd to be there', () => crowd.stdout().includes('ready'), {
      ...{ deadlineMs: 120_000, everyMs: 50 },
    });
    const found = of(await scan(host), 'crowd-01');
    expect(found.processes).toBeGreaterThanOrEqual(3000);
    expectClean(found);
    await host.run(['lxc-stop', '-k', '-n', 'crowd-01']);
  }, 180_000);

  test('a monitor that runs replaced libraries counts to its container', async () => {
    const library = (await host.must(['sh', '-c', `ls ${LIBRARIES}/liblxc.so.1.*`])).trim();
    await host.must(['cp', '-a', library, `${library}.new`]);
    await host.must(['mv', `${library}.new`, library]);
    const found = of(await scan(host), 'web-01');
    expect(found.stale.map(({ path, process }) => `${path} ${process}`)).toContain(
      `${library} monitor`,
    );
    await restart(host, ['web-01']);
    expectClean(await scanOf('web-01'));
  }, 60_000);

  test('a scan beside the main thread finds the same, and its errors reach the caller', async () => {
    const { whole, one, failed } = await scan<{
      whole: HostScan;
      one: ContainerScan;
      failed: string;
    }>(host, ['thread']);
    expect(one).toEqual(whole.containers[0]);
    expect(failed).toContain('no such container was given');
  }, 60_000);
});

describe.each([
  { fileSystem: 'xfs' as const, number: 13 },
  { fileSystem: 'btrfs' as const, number: 14 },
])('containers whose root lies on $fileSystem', ({ fileSystem, number }) => {
  test('are stale after an upgrade, current after a restart, and shadowed by a copy', async () => {
    const bed = await createBed({
      directory: `${TEST_BEDS}/scan-${fileSystem}`,
      hostNumbers: [number],
      projectDirectory: process.cwd(),
    });
    try {
      const rootImage = { fileSystem, sizeMegabytes: 2_000 };
      const host = await bed.createHost({ number, rootImage });
      await bed.createContainers(host, { service: 'web', count: 2 });
      for (const container of (await scan(host)).containers) expectClean(container);
      await host.must(['cp', DEMO, '/opt/old.so']);
      await bed.publish({ 'libgs-demo1': FIXED });
      await upgrade(host);
      for (const container of (await scan(host)).containers)
        expect(staleIn(container)).toEqual([`${DEMO} replaced`]);
      const own = '/var/lib/lxc/web-02/delta0';
      await host.run(['lxc-stop', '-k', '-n', 'web-02']);
      await host.must(['mkdir', '-p', own + LIBRARIES]);
      await host.must(['cp', '/opt/old.so', own + DEMO]);
      await restart(host, ['web-01', 'web-02']);
      const found = await scan(host);
      expectClean(of(found, 'web-01'));
      expect(staleIn(of(found, 'web-02'))).toEqual([]);
      expect(shadowedIn(of(found, 'web-02'))).toEqual([`${DEMO} copy`]);
    } finally {
      await bed.dispose();
    }
  }, 300_000);
});
