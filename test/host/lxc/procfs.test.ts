import { describe, expect, test } from '@jest/globals';
import { stoppedName } from '../../../src/host/lxc/child-identity.ts';
import { freezerPaths } from '../../../src/host/lxc/freezer.ts';
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
    // A container has made it, by a namespace of its own.
    ['NSpid:\t9133\t133\t1', false],
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
  // Of each kind of cgroups, test/host/recorded-hosts.test.ts has a recorded host.
  test('has the path that /proc/PID/cgroup says, also one with colons', () => {
    const text = '9:name=systemd:/x\n6:cpu,freezer:/a:b\n';
    expect(freezerPaths(text)).toEqual({ v1: '/a:b', v2: null });
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
