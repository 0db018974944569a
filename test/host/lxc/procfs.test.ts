import { describe, expect, test } from '@jest/globals';
import { stoppedName } from '../../../src/host/lxc/child-identity.ts';
import { freezerMounts, freezerPaths } from '../../../src/host/lxc/freezer.ts';
import { payloadDirectories } from '../../../src/host/lxc/leftover-processes.ts';
import { isContainerInit, monitoredName, namesWithSocket } from '../../../src/host/lxc/monitors.ts';
import { parseProcessStat } from '../../../src/host/lxc/process-stat.ts';
import { parseInfo } from '../../../src/host/lxc/ask-monitor.ts';

const STAT_FIELDS =
  'S 130 133 133 0 -1 4194560 140 0 0 0 0 0 0 0 20 0 1 0 398498 2547712 290 18446744073709551615';

describe('/proc/PID/stat', () => {
  test.each(['(tini)', '(a b)', '(x) Z 1 (y)', '(new\nline) S 9 9)'])('with comm %j', (comm) => {
    expect(parseProcessStat(`133 ${comm} ${STAT_FIELDS}`)).toEqual({
      state: 'S',
      parent: 130,
      startTime: '398498',
    });
  });

  test('cut off is nothing', () => {
    expect(parseProcessStat('133 (tini) S 130')).toBeNull();
  });
});

describe('monitors', () => {
  test('are known by their title, for this directory only', () => {
    const title = '[lxc monitor] /var/lib/lxc web-01\0';
    expect(monitoredName('/var/lib/lxc', title)).toBe('web-01');
    expect(monitoredName('/var/lib', title)).toBeNull();
    expect(monitoredName('/srv/lxc', title)).toBeNull();
    expect(monitoredName('/var/lib/lxc', '/usr/bin/lxc-start\0-n\0web-01\0')).toBeNull();
  });

  test('listen on sockets, listed by the kernel', () => {
    const table = [
      'Num       RefCount Protocol Flags    Type St Inode Path',
      '00000000416b4afd: 00000002 00000000 00010000 0001 01 298986 @/var/lib/lxc/web-03/command',
      '00000000416b4afe: 00000003 00000000 00000000 0001 03 298987 @/var/lib/lxc/web-03/command',
      '00000000f5a4ef0f: 00000002 00000000 00010000 0001 01 298902 @/srv/lxc/web-02/command',
      '000000001ddd756f: 00000002 00000000 00010000 0001 01 312496 /run/dbus/system_bus_socket',
      '000000001ddd7570: 00000002 00000000 00010000 0001 01 312497',
    ].join('\n');
    expect(namesWithSocket('/var/lib/lxc', table)).toEqual(new Set(['web-03']));
  });

  test.each([
    ['NSpid:\t133\t1', true],
    ['NSpid:\t133\t7', false],
    ['NSpid:\t1', false],
    ['NSpid:\t9133\t133\t1', true],
    ['Name:\ttini', false],
  ])('init of a container: %j is %s', (status, is) => {
    expect(isContainerInit(`Name:\tx\n${status}\nThreads:\t1\n`)).toBe(is);
  });

  test('a second life has a cgroup with a number, another container another name', () => {
    const directories = [
      'lxc.payload.web',
      'lxc.payload.web-1',
      'lxc.payload.web-1-2',
      'lxc.payload.web-a',
      'lxc.monitor.web',
      'lxc.payload.web2',
    ];
    expect(payloadDirectories('web', directories)).toEqual([
      'lxc.payload.web',
      'lxc.payload.web-1',
    ]);
  });
});

describe('the freezer', () => {
  const v1Mount =
    '145 141 0:34 / /sys/fs/cgroup/freezer rw,nosuid shared:63 - cgroup none rw,freezer';
  const v2Mount = '151 141 0:38 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 none rw';
  const pureMount = '31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
  const cpuMount = '150 141 0:29 / /sys/fs/cgroup/cpu rw,nosuid shared:68 - cgroup none rw,cpu';

  test.each([
    ['hybrid', [cpuMount, v1Mount, v2Mount], '/sys/fs/cgroup/freezer', '/sys/fs/cgroup/unified'],
    ['v1', [cpuMount, v1Mount], '/sys/fs/cgroup/freezer', null],
    ['v2', [pureMount], null, '/sys/fs/cgroup'],
  ])('is found on %s', (_, mounts, v1, v2) => {
    expect(freezerMounts(mounts.join('\n'))).toEqual({ v1, v2 });
  });

  test.each([
    ['hybrid', '6:freezer:/lxc.payload.a\n0::/lxc.payload.a', '/lxc.payload.a', '/lxc.payload.a'],
    ['v1', '9:name=systemd:/x\n6:freezer:/lxc/a-1', '/lxc/a-1', null],
    ['v2', '0::/lxc.payload.a/init.scope', null, '/lxc.payload.a/init.scope'],
    ['a path with colons', '6:cpu,freezer:/a:b', '/a:b', null],
  ])('has the path that /proc/PID/cgroup says, on %s', (_, text, v1, v2) => {
    expect(freezerPaths(`${text}\n`)).toEqual({ v1, v2 });
  });
});

describe('lxc-info', () => {
  test.each([
    ['State:          RUNNING\nPID:            125\n', { state: 'RUNNING', pid: 125 }],
    ['RUNNING\n125\n', { state: 'RUNNING', pid: 125 }],
    ['State:          STOPPED\n', { state: 'STOPPED', pid: null }],
    ['State: STARTING\nPID: -1', { state: 'STARTING', pid: null }],
    ['', null],
    ["nope doesn't exist", null],
  ])('%j', (stdout, info) => {
    expect(parseInfo(stdout)).toEqual(info);
  });
});

describe('the container that an lxc-stop stops', () => {
  test.each([
    [['lxc-stop', '-P', '/var/lib/lxc', '-n', 'web-01', '-t', '30'], 'web-01'],
    [['/usr/bin/lxc-stop', '-nweb-01'], 'web-01'],
    [['lxc-stop', '--name=web-01', '-k'], 'web-01'],
    [['lxc-stop', '--name', 'web-01'], 'web-01'],
    [['lxc-stop', '-t', '30', 'web-01', '-k'], 'web-01'],
    [['lxc-stop', '-t', '30'], null],
    [['lxc-stop', ''], null],
  ])('%j', (argv, name) => {
    expect(stoppedName(argv)).toBe(name);
  });
});
