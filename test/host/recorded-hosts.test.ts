import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { lxcCgroup, unitOf } from '../../src/core/stale/parse-cgroup.ts';
import { locateMapping } from '../../src/core/stale/locate-mapping.ts';
import { parseMaps } from '../../src/core/stale/parse-maps.ts';
import { mountOf, parseMountinfo } from '../../src/core/stale/parse-mountinfo.ts';
import { parseCgroupDirectories } from '../../src/host/packages/cgroup-directories.ts';
import { parseInfo } from '../../src/host/lxc/ask-monitor.ts';
import { freezerMounts, freezerPaths, isFrozen } from '../../src/host/lxc/freezer.ts';
import { payloadDirectories } from '../../src/host/lxc/leftover-processes.ts';
import { isLifeLeft, lifeCgroups } from '../../src/host/lxc/life-cgroups.ts';
import {
  findLiveNames,
  findMonitors,
  initOfMonitor,
  monitorsInCgroup,
} from '../../src/host/lxc/monitors.ts';
import { readProcessStat } from '../../src/host/lxc/process-stat.ts';
import { assignSeen, processReader, seeProcesses } from '../../src/host/proc/read-processes.ts';
import { CONTAINERS, KINDS, recordedHost } from './recorded-host.ts';

const LXC_PATH = '/var/lib/lxc';
const known = new Set<string>(CONTAINERS);

/** Of each kind: where the freezers are, and the hierarchies by which a process can be stopped or starved. */
const hierarchies = {
  v1: {
    freezers: { v1: '/sys/fs/cgroup/freezer', v2: null },
    limits: ['cpu,cpuacct', 'memory', 'pids', 'systemd'],
    // systemd in a container mounts a v2 hierarchy for itself where the host has none.
    ofSystemd: { v1: '/lxc.payload.sys-01', v2: '/init.scope' },
  },
  hybrid: {
    freezers: { v1: '/sys/fs/cgroup/freezer', v2: '/sys/fs/cgroup/unified' },
    limits: ['cpu', 'cpuacct', 'memory', 'pids', 'systemd', 'unified'],
    ofSystemd: { v1: '/lxc.payload.sys-01', v2: '/lxc.payload.sys-01/init.scope' },
  },
  v2: {
    freezers: { v1: null, v2: '/sys/fs/cgroup' },
    limits: [''],
    ofSystemd: { v1: null, v2: '/lxc.payload.sys-01/init.scope' },
  },
};

describe.each(KINDS)('a host recorded with cgroups of %s', (kind) => {
  const host = recordedHost(kind);
  const { procRoot } = host;
  const initOf = (name: string): number => parseInfo(host.info(name))?.pid ?? 0;
  const parentOf = (pid: number): number =>
    Number(/^PPid:\s*(\d+)$/m.exec(host.read(`/proc/${pid}/status`))?.[1]);
  const cgroupOf = (pid: number) => lxcCgroup(host.read(`/proc/${pid}/cgroup`));
  const seenOf = (name: string, only: string | null) => {
    const seen = assignSeen(seeProcesses(processReader(procRoot, only)), known);
    const found = seen.containers.get(name);
    const pids = (list: readonly { pid: number }[] = []): number[] => list.map(({ pid }) => pid);
    return {
      init: found?.init?.pid ?? null,
      members: pids(found?.members).sort((a, b) => a - b),
      monitors: pids(found?.monitors),
    };
  };

  test.each(CONTAINERS)('%s has the processes below its monitor', (name) => {
    const init = initOf(name);
    const members = host.family(init).sort((a, b) => a - b);
    expect(members.length).toBeGreaterThan(1);
    const wanted = { init, members, monitors: [parentOf(init)] };
    expect(seenOf(name, null)).toEqual(wanted);
    // With the table of one container alone, whatever the labels of cgroups look like.
    expect(seenOf(name, name)).toEqual(wanted);
  });

  test('shop is in a later life beside shop-1: labels of cgroups are no names', () => {
    expect(cgroupOf(initOf('shop'))).toEqual({ role: 'container', label: 'shop-1' });
    expect(cgroupOf(parentOf(initOf('shop')))).toEqual({ role: 'monitor', label: 'shop-1' });
    expect(cgroupOf(initOf('shop-1'))?.label).toBe('shop-1-1');
  });

  test('the table for one container leaves out what is in the cgroups of others', () => {
    const seen = new Set(seeProcesses(processReader(procRoot, 'web-01')).map(({ pid }) => pid));
    for (const name of CONTAINERS) expect(seen.has(initOf(name))).toBe(name === 'web-01');
    // Monitors tell which container a label means.
    for (const name of CONTAINERS) expect(seen.has(parentOf(initOf(name)))).toBe(true);
    expect(seen.has(1)).toBe(true);
  });

  test('what is neither container nor monitor is the host’s', () => {
    const found = assignSeen(seeProcesses(processReader(procRoot)), known).host;
    expect(found.map(({ status }) => status.command).sort()).toEqual(['dbus-daemon', 'systemd']);
    const units = new Map(
      found.map(({ status, cgroupText }) => [status.command, unitOf(cgroupText)]),
    );
    expect(units.get('dbus-daemon')).toBe('dbus.service');
    expect(units.get('systemd')).toBe('init.scope');
  });

  test('monitors: by title, by socket, by cgroup, and their init', () => {
    const wanted = new Map(CONTAINERS.map((name) => [name, parentOf(initOf(name))]));
    expect(findMonitors(procRoot, LXC_PATH)).toEqual(wanted);
    expect(findLiveNames(procRoot, LXC_PATH)).toEqual(known);
    const { v1, v2 } = host.mounts;
    for (const [name, monitor] of wanted)
      expect(initOfMonitor(procRoot, monitor)?.pid).toBe(initOf(name));
    // A hint, that is wrong for a later life: what it finds is checked by its title.
    expect(monitorsInCgroup(v2 ?? v1, 'web-01')).toEqual([wanted.get('web-01')]);
    expect(monitorsInCgroup(v2 ?? v1, 'shop-1')).toEqual([wanted.get('shop')]);
  });

  test('hierarchies are found in its mounts, and their paths in /proc/PID/cgroup', () => {
    const { freezers, limits, ofSystemd } = hierarchies[kind];
    expect(freezerMounts(host.mountinfo)).toEqual(freezers);
    const wanted = limits.map((name) => join('/sys/fs/cgroup', name, 'gs'));
    expect(parseCgroupDirectories(host.mountinfo, 'gs').sort()).toEqual(wanted);
    expect(freezerPaths(host.read(`/proc/${initOf('sys-01')}/cgroup`))).toEqual(ofSystemd);
  });

  test('only sys-01 is frozen, as lxc-info says too', () => {
    for (const name of CONTAINERS) {
      const frozen = name === 'sys-01';
      expect(parseInfo(host.info(name))?.state).toBe(frozen ? 'FROZEN' : 'RUNNING');
      expect(isFrozen(procRoot, initOf(name), host.mounts)).toBe(frozen);
    }
  });

  test('systemd in a container has cgroups of its own below the container’s', () => {
    const paths = host.family(initOf('sys-01')).map((pid) => host.read(`/proc/${pid}/cgroup`));
    expect(paths.map((text) => unitOf(text)).sort()).toEqual([
      'dbus.service',
      'gs-demo-web.service',
      'init.scope',
      'systemd-journald.service',
    ]);
  });

  test('a container’s cgroups are found among all of the hierarchy', () => {
    const top = (host.mounts.v1 ?? host.mounts.v2 ?? '').slice(procRoot.length - '/proc'.length);
    const all = host.directory(top);
    expect(payloadDirectories('web-01', all)).toEqual(['lxc.payload.web-01']);
    expect(payloadDirectories('shop', all)).toContain('lxc.payload.shop-1');
  });

  test('each life of a container has cgroups of its own, one of them its monitor’s', () => {
    const { v1, v2 } = hierarchies[kind].freezers;
    const labels = { 'web-01': 'web-01', 'sys-01': 'sys-01', shop: 'shop-1', 'shop-1': 'shop-1-1' };
    for (const [name, label] of Object.entries(labels)) {
      const initPid = initOf(name);
      const startTime = readProcessStat(procRoot, initPid)?.startTime ?? '';
      const instance = { bootId: '', initPid, startTime };
      const found = lifeCgroups(procRoot, name, instance);
      expect(found).toEqual(
        ['monitor', 'payload'].map((role) => `${v1 ?? v2}/lxc.${role}.${label}`),
      );
      // It runs, as the kernel says of its monitor's.
      const root = procRoot.slice(0, -'/proc'.length);
      expect(isLifeLeft(found.map((directory) => root + directory))).toBe(false);
      expect(lifeCgroups(procRoot, name, { ...instance, startTime: '1' })).toEqual([]);
      expect(lifeCgroups(procRoot, 'another', instance)).toEqual([]);
    }
  });

  test('each file that a container maps lies in its root', () => {
    const ownMounts = parseMountinfo(host.mountinfo);
    for (const pid of host.family(initOf('web-01'))) {
      const mounts = parseMountinfo(host.read(`/proc/${pid}/mountinfo`));
      const overlay = mountOf(mounts, '/')?.device ?? '';
      const layers = [mountOf(ownMounts, '/var/lib/lxc/host/rootfs')?.device ?? ''];
      const files = parseMaps(host.read(`/proc/${pid}/maps`));
      expect(files.map(({ text }) => text)).toContain('/usr/lib/x86_64-linux-gnu/libc.so.6');
      for (const { text, device } of files)
        expect(locateMapping(text, device, mounts, { overlay, layers })).toBe(text);
      // Kernels before 6.8 or so show the layer's device.
      const shown = kind === 'hybrid' ? overlay : layers[0];
      expect(new Set(files.map(({ device }) => device))).toEqual(new Set([shown]));
    }
  });
});
