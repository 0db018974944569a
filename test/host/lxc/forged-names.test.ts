import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findStopsAtWork } from '../../../src/host/lxc/child-identity.ts';
import { findMonitors } from '../../../src/host/lxc/monitors.ts';
import { readStates } from '../../../src/host/lxc/read-state.ts';
import { madeUpHost } from '../proc/made-up-container.ts';
import type { MadeUpHost, MadeUpProcess } from '../proc/made-up-container.ts';

let host: MadeUpHost;
let procRoot: string;
let lxcPath: string;

/** What calls itself a monitor. */
const title = (name: string): Pick<MadeUpProcess, 'command' | 'cmdline'> => ({
  command: 'lxc-start',
  cmdline: `[lxc monitor] ${lxcPath} ${name}`,
});

beforeEach(() => {
  host = madeUpHost();
  procRoot = join(host.top, 'proc');
  lxcPath = join(host.top, 'lxc');
  host.run({ pid: 100, container: null, ...title('web-01'), children: [101] });
  host.run({ pid: 101, container: 'web-01', parent: 100, below: '1' });
  // A process of web-01, whose child has a pid namespace of its own.
  host.run({ pid: 900, container: 'web-01', ...title('web-02'), parent: 101, children: [901] });
  host.run({ pid: 901, container: 'web-01', parent: 900, below: '8 1' });
});
afterEach(() => {
  host.remove();
});

describe('names that a container gives its processes', () => {
  test('make no monitor of another container', () => {
    host.run({ pid: 200, container: null, ...title('web-02'), children: [201] });
    expect(findMonitors(procRoot, lxcPath)).toEqual(
      new Map([
        ['web-01', 100],
        ['web-02', 200],
      ]),
    );
  });

  test('nor do those of another user of the host', () => {
    host.run({ pid: 950, container: null, ...title('web-03'), uid: 54_321 });
    expect(findMonitors(procRoot, lxcPath).has('web-03')).toBe(false);
  });

  test('give no other container an instance', async () => {
    host.run({ pid: 200, container: null, ...title('web-02'), children: [201] });
    host.run({ pid: 201, container: 'web-02', parent: 200, below: '1' });
    for (const name of ['web-01', 'web-02']) host.put(`lxc/${name}/config`);
    const sockets = ['web-01', 'web-02'].map(
      (name) => `0: 2 0 10000 1 1 1 @${lxcPath}/${name}/command`,
    );
    host.put('proc/self/net/unix', sockets.join('\n'));
    host.put('proc/sys/kernel/random/boot_id', 'boot\n');
    // What was seen last may be anybody's by now.
    const monitorPids = new Map([['web-02', 900]]);
    const places = { lxcPath, procRoot, monitorPids, openFiles: new Map<string, number>() };
    const states = await readStates(places, ['web-01', 'web-02']);
    expect(states.get('web-01')?.instance?.initPid).toBe(101);
    expect(states.get('web-02')?.instance?.initPid).toBe(201);
  });

  test('make no stop of ours of a process', () => {
    host.run({ pid: 910, container: 'web-01', cmdline: 'lxc-stop\0-n\0web-02' });
    host.put('proc/910/environ', 'GROUNDSWELL_STOP=1\0');
    host.run({ pid: 300, container: null, cmdline: 'lxc-stop\0-n\0web-02' });
    expect(findStopsAtWork(procRoot).map(({ pid }) => pid)).toEqual([300]);
  });
});
