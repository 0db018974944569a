import { Command } from 'commander';
import { describe, expect, test } from '@jest/globals';
import { registerScan } from '../../../src/cli/local/scan.ts';
import type { ScanReport } from '../../../src/cli/local/scan-report.ts';
import type { ContainerScan } from '../../../src/core/observation.ts';
import type { HostScan } from '../../../src/host/proc/scan-host.ts';
import type { RuntimeContainer, RuntimeState } from '../../../src/host/runtime.ts';

const instance = { bootId: 'b', initPid: 7, startTime: '70' };
const lower = '/var/lib/lxc/host/rootfs';

const listed = (name: string, root?: RuntimeContainer['root']): RuntimeContainer => ({
  ...{ name, groups: ['web'], address: null, autostart: true },
  root: root ?? { kind: 'host-overlay', lower, upper: `/var/lib/lxc/${name}/delta0` },
});
const scanned = (name: string, found: Partial<ContainerScan> = {}): ContainerScan => ({
  ...{ name, instance, processes: 2, stale: [], shadowed: [], unreadable: [] },
  ...found,
});
const stale = {
  ...{ pid: 812, startTime: '9', command: 'nginx', path: '/usr/lib/libssl.so.3' },
  ...{ kind: 'replaced' as const, process: 'container' as const },
};
const shadowed = { path: '/usr/bin/x', kind: 'copy' as const, ownVersion: null, package: 'x' };
const unreadable = { what: 'process 9 x', reason: 'EPERM' };

const run = async (
  found: Partial<HostScan>,
  args: readonly string[] = [],
  options: {
    isRoot?: boolean;
    interactive?: boolean;
    width?: number;
    containers?: RuntimeContainer[];
  } = {},
) => {
  let text = '';
  let exitCode = -1;
  const { isRoot = true, interactive = false, width = Infinity } = options;
  const containers = options.containers ?? (found.containers ?? []).map(({ name }) => listed(name));
  const running: RuntimeState = { state: 'running', instance };
  const program = new Command().exitOverride();
  registerScan(program, '/var/lib/lxc', {
    mustBeThere: () => Promise.resolve(),
    runtime: () => ({
      list: () => Promise.resolve(containers),
      states: (names) => Promise.resolve(new Map(names.map((name) => [name, running]))),
    }),
    scan: (layers) => {
      expect(layers.map(({ name }) => name)).toEqual(
        (found.containers ?? []).map(({ name }) => name),
      );
      return Promise.resolve({
        ...{ containers: [], host: [], unreadable: [], tookMs: 12.345 },
        ...found,
      });
    },
    write: (more) => (text += more),
    ...{ interactive, isRoot, width },
    setExitCode: (code) => (exitCode = code),
  });
  await program.parseAsync(['scan', ...args], { from: 'user' });
  return { text, exitCode };
};

describe('groundswell scan', () => {
  const mixed = [
    scanned('web-01'),
    scanned('web-02', { unreadable: [unreadable] }),
    scanned('web-03', { shadowed: [shadowed] }),
    scanned('web-04', { stale: [stale] }),
    scanned('web-05', { instance: null, processes: 0 }),
  ];

  test('worst first, the same said once, what to do, and the sum last', async () => {
    const other = listed('own-01', { kind: 'other', describe: 'dir:/srv/own' });
    const containers = [...mixed.map(({ name }) => listed(name)), other];
    const { text, exitCode } = await run({ containers: mixed }, [], { containers });
    expect(text.split('\n').map((line) => line.trimEnd())).toEqual([
      'STALE These run code from before an upgrade. A restart brings the patched code.',
      '',
      '  nginx maps /usr/lib/libssl.so.3',
      '    web    1: web-04',
      '',
      'SHADOWED These carry their own version of packaged files. A restart cannot fix that; their owner must remove it from the upper layer, or patch it there.',
      '',
      "  its own copy hides the host's /usr/bin/x",
      '    web    1: web-03',
      '',
      'UNKNOWN Of these something could not be read, so nothing is certain.',
      '',
      '  cannot read x: EPERM',
      '    web    1: web-02',
      '',
      '5 containers: 1 stale, 1 shadowed, 1 unknown, 1 current, 1 not running. 8 processes looked at in 12 ms.',
      'Current: web-01',
      'Not running: web-05',
      "Left alone, not on the host's root: own-01",
      'Every process and file: groundswell scan --verbose',
      '',
    ]);
    expect(exitCode).toBe(10);
  });

  test('two hundred containers stale for one reason take a few lines, none wider than the terminal', async () => {
    const names = Array.from({ length: 200 }, (_, n) => `web-${String(n + 1).padStart(3, '0')}`);
    const path = '/usr/lib/x86_64-linux-gnu/libcrypto.so.3';
    const containers = names
      .filter((name) => name !== 'web-007')
      .map((name, n) => scanned(name, { stale: [{ ...stale, path, pid: 1000 + n }] }));
    const { text } = await run({ containers }, [], { width: 60 });
    expect(text).toContain('web  199: web-001..web-006, web-008..web-200');
    expect(text.split('\n').length).toBeLessThan(12);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });

  test.each<[string, Partial<HostScan>, number]>([
    ['all current', { containers: [scanned('a')] }, 0],
    ['nothing there', {}, 0],
    ['only unknown', { containers: [scanned('a', { unreadable: [unreadable] })] }, 11],
    ['the host’s own unknown', { unreadable: [unreadable] }, 11],
    ['shadowed', { containers: [scanned('a', { shadowed: [shadowed] })] }, 10],
    ['a process of the host', { host: [{ pid: 1, command: 'x', paths: ['/a'], unit: null }] }, 10],
  ])('exit code: %s', async (_, found, wanted) => {
    expect((await run(found)).exitCode).toBe(wanted);
  });

  test('JSON holds everything', async () => {
    const { text } = await run({ containers: mixed }, ['--json']);
    const report = JSON.parse(text) as ScanReport;
    expect(report.format).toBe(1);
    expect(report.summary).toEqual({
      ...{ containers: 5, stale: 1, shadowed: 1, unknown: 1, current: 1, notRunning: 1 },
    });
    expect(report.containers[3]).toEqual({
      ...scanned('web-04', { stale: [stale] }),
      ...{ services: ['web'], state: 'running', verdict: 'stale' },
      why: 'process 812 nginx maps /usr/lib/libssl.so.3 from before the upgrade',
    });
  });

  test('the old form is named, with what mends it; a restart is not said to help', async () => {
    const root = { kind: 'host-overlay-old-keys', lower: '/', upper: '/x' } as const;
    const containers = [
      scanned('old-01', { stale: [stale] }),
      scanned('web-01', { stale: [stale] }),
    ];
    const found = [listed('old-01', root), listed('web-01')];
    const rewrite =
      'lxc-update-config -c /var/lib/lxc/old-01/config && sed -i s/dir:overlay/overlay/ /var/lib/lxc/old-01/config';
    const { text } = await run({ containers }, [], { containers: found });
    const [current = '', old = ''] = text.split(/^STALE, OLD FORM /m);
    expect(current).toContain('web    1: web-01');
    expect(current).not.toContain('old-01');
    expect(old).toMatch(
      /^These run code from before an upgrade, and today's LXC does not start them again: rewrite/,
    );
    expect(old).toContain('web    1: old-01');
    expect(old).toContain(
      `In the old form, which today's LXC does not start: old-01. To rewrite it: ${rewrite}`,
    );
    const json = await run({ containers }, ['--json'], { containers: found });
    expect((JSON.parse(json.text) as ScanReport).oldForm).toEqual([{ name: 'old-01', rewrite }]);
  });

  test('colours on a terminal only, and names cannot reach it raw', async () => {
    const hostile = { ...stale, path: '/opt/\u001b[2Jx\ny' };
    const found = { containers: [scanned('a', { stale: [hostile] })] };
    const plain = (await run(found, ['-v'])).text;
    expect(plain).not.toContain('\u001b');
    expect(plain).toContain('/opt/\\u001b[2Jx\\ny');
    const coloured = (await run(found, [], { interactive: true })).text;
    expect(coloured).toContain('\u001b[31mSTALE');
    expect(coloured).not.toContain('\u001b[2J');
  });

  test('without root it says so', async () => {
    await expect(run({}, [], { isRoot: false })).rejects.toThrow('run it again with sudo');
  });
});
