import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assignSeen, processReader, seeProcesses } from '../../../src/host/proc/read-processes.ts';

let procRoot: string;

/** A process in a made-up procfs. */
const process = (pid: number, parent: number, cgroup: string, cmdline: string): void => {
  const directory = join(procRoot, String(pid));
  mkdirSync(join(directory, 'ns'), { recursive: true });
  writeFileSync(join(directory, 'cgroup'), `0::${cgroup}\n`);
  writeFileSync(join(directory, 'cmdline'), `${cmdline}\0`);
  const between = Array(12).fill(0).join(' ');
  writeFileSync(
    join(directory, 'stat'),
    `${pid} (x) S ${parent} 1 1 0 -1 0 ${between} ${pid}00 0 0`,
  );
  symlinkSync(`mnt:[${cgroup.split('/')[1] ?? ''}]`, join(directory, 'ns/mnt'));
};

const monitor = (pid: number, name: string): void => {
  process(pid, 1, `/lxc.monitor.${name}`, `[lxc monitor] /var/lib/lxc ${name}`);
};

beforeEach(() => {
  procRoot = mkdtempSync(join(tmpdir(), 'gs-proc-'));
  mkdirSync(join(procRoot, 'self'));
  writeFileSync(join(procRoot, 'self/cgroup'), '0::/system.slice/groundswell-agent.service\n');
});
afterEach(() => {
  rmSync(procRoot, { recursive: true });
});

const known = new Set(['web', 'web-1', 'db']);
const seenOf = (name: string, only: string | null) => {
  const found = assignSeen(seeProcesses(processReader(procRoot, only)), known).containers.get(name);
  const pids = (list: readonly { pid: number }[] = []): number[] => list.map(({ pid }) => pid);
  return {
    init: found?.init?.pid ?? null,
    members: pids(found?.members),
    monitors: pids(found?.monitors),
  };
};

describe('the process table for one container alone', () => {
  test('has the same as the whole table, whatever the labels of cgroups look like', () => {
    // `web` in a later life: a payload cgroup of a former one was left over, so that its own has a number.
    monitor(10, 'web');
    process(11, 10, '/lxc.payload.web-1/init.scope', '/sbin/init');
    process(12, 11, '/lxc.payload.web-1/system.slice/nginx.service', 'nginx');
    // The container of that name has to go out of its way.
    monitor(20, 'web-1');
    process(21, 20, '/lxc.payload.web-1-1/init.scope', '/sbin/init');
    monitor(30, 'db');
    process(31, 30, '/lxc.payload.db', 'postgres');
    process(40, 1, '/system.slice/cron.service', 'cron');
    expect(seenOf('web-1', 'web-1')).toEqual({ init: 21, members: [21], monitors: [20] });
    for (const name of known) expect(seenOf(name, name)).toEqual(seenOf(name, null));
  });

  test('leaves out what is in the cgroup of another', () => {
    monitor(30, 'db');
    process(31, 30, '/lxc.payload.db', 'postgres');
    process(40, 1, '/system.slice/cron.service', 'cron');
    const pids = seeProcesses(processReader(procRoot, 'web')).map(({ pid }) => pid);
    expect(pids).toEqual([30, 40]);
  });
});
