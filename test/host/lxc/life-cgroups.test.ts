import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lxcCgroupOf } from '../../../src/core/stale/parse-cgroup.ts';
import { isLifeLeft, lifeCgroups } from '../../../src/host/lxc/life-cgroups.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gs-life-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('the cgroup that LXC made for a container', () => {
  test.each([
    ['/lxc.payload.web-1', '/lxc.payload.web-1'],
    ['/lxc.payload.web-1/init.scope', '/lxc.payload.web-1'],
    ['/lxc.payload.web-1-2/system.slice/a.service', '/lxc.payload.web-1-2'],
    ['/lxc.payload/web-1/init.scope', '/lxc.payload/web-1'],
    ['/machine.slice/lxc.payload.web-1', '/machine.slice/lxc.payload.web-1'],
    // The host is a container itself, and sees so.
    ['/lxc.payload.h1/lxc.payload.web-1', '/lxc.payload.h1/lxc.payload.web-1'],
    // What its owner has made in it is called as he likes.
    ['/lxc.payload.web-1/lxc.payload.web-1', '/lxc.payload.web-1'],
    ['/lxc.payload.web-2', null],
    ['/lxc.monitor.web-1', null],
    // Before 3.1 the monitor had none.
    ['/lxc/web-1', null],
    ['/', null],
  ])('%s: %s', (path, cgroup) => {
    expect(lxcCgroupOf(path, 'web-1', 'payload')).toBe(cgroup);
  });
});

test('a host of LXC before 3.1, or whose cgroups have other names, tells nothing', () => {
  mkdirSync(join(root, 'self'));
  writeFileSync(
    join(root, 'self/mountinfo'),
    '30 24 0:26 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n',
  );
  for (const [pid, cgroup, parent] of [
    [200, '/lxc/web-1', 100],
    [100, '/', 1],
  ] as const) {
    mkdirSync(join(root, String(pid)));
    writeFileSync(join(root, `${pid}/cgroup`), `5:freezer:${cgroup}\n`);
    const before = Array.from({ length: 17 }, () => '0').join(' ');
    writeFileSync(join(root, `${pid}/stat`), `${pid} (x) S ${parent} ${before} 7 0`);
  }
  expect(lifeCgroups(root, 'web-1', { bootId: '', initPid: 200, startTime: '7' })).toEqual([]);
  writeFileSync(join(root, '200/cgroup'), '5:freezer:/lxc.payload.web-1\n');
  writeFileSync(join(root, '100/cgroup'), '5:freezer:/lxc.monitor.web-1\n');
  expect(lifeCgroups(root, 'web-1', { bootId: '', initPid: 200, startTime: '7' })).toEqual([
    '/sys/fs/cgroup/freezer/lxc.monitor.web-1',
    '/sys/fs/cgroup/freezer/lxc.payload.web-1',
  ]);
});

describe('what is left of a container that is down', () => {
  const directories = (): string[] => [join(root, 'monitor'), join(root, 'payload')];
  const leave = (which: 'monitor' | 'payload', processes: string): void => {
    mkdirSync(join(root, which));
    writeFileSync(join(root, which, 'cgroup.procs'), processes);
  };

  test.each([
    ['both, as a monitor that is killed leaves them', '', '', true],
    ['both, and its processes are not quite gone', '', '200\n', true],
    ['nothing: it was stopped', null, null, false],
    ['what is in use by somebody else', null, '300\n', false],
    ['both, and somebody is in the monitor’s', '100\n', '', false],
    ['the monitor’s alone, which is at its end', '', null, false],
  ])('%s', (_, monitor, payload, left) => {
    if (monitor !== null) leave('monitor', monitor);
    if (payload !== null) leave('payload', payload);
    expect(isLifeLeft(directories())).toBe(left);
  });

  test('is not asked where nothing was known of it', () => {
    expect(isLifeLeft([])).toBe(false);
  });
});
