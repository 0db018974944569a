import { expect, test } from '@jest/globals';
import { staleProcessLines, staleProcessNote } from '../../src/cli/stale-processes.ts';
import type { HostView } from '../../src/cli/views.ts';

const process = (command: string, pid: number, unit: string | null) => ({
  ...{ pid, command, unit },
  paths: ['/usr/lib/libssl.so.3'],
});

const host = (staleHostProcesses: HostView['staleHostProcesses']): HostView => ({
  ...{ id: 'h1', zone: '', cap: null, platform: 'debian-12', state: 'ok', heardAgoMs: 0 },
  ...{ containers: 0, stale: 0, atRest: true, atRestReason: '', gate: null, suspects: 0 },
  ...{ rebootRequired: [], agentStale: false, staleHostProcesses },
});

test('old code of the host itself is named by unit, with what mends each kind', () => {
  const stale = [
    process('sshd', 1, 'ssh.service'),
    process('nginx', 2, 'nginx.service'),
    process('nginx', 3, 'nginx.service'),
    process('dbus-daemon', 4, 'dbus.service'),
    process('bash', 5, 'session-3.scope'),
    process('systemd', 6, 'user@1000.service'),
    process('systemd', 1, 'init.scope'),
    process('dhclient', 7, null),
  ];
  expect(staleProcessLines(host(stale))).toEqual([
    'h1 itself runs old code in what Groundswell does not restart:',
    '  ssh.service (sshd), nginx.service (nginx, 2 processes): systemctl restart ssh.service nginx.service',
    '  session-3.scope (bash), user@1000.service (systemd): ends with that session: log out there, or reboot the host',
    '  init.scope (systemd): systemctl daemon-reexec',
    '  dbus.service (dbus-daemon): reboot the host: they are not safely restarted',
    '  dhclient (process 7): restart each by hand, or reboot the host',
  ]);
  expect(staleProcessNote(stale)).toBe('old code in ssh.service, nginx.service and 5 more');
});

test('many are folded, and none is none', () => {
  const many = Array.from({ length: 9 }, (_, pid) => process('x', pid, null));
  expect(staleProcessLines(host(many))[1]).toMatch(/x \(process 5\) and 3 more: restart each/);
  expect(staleProcessNote(many)).toBe('old code in 9 without a unit');
  expect(staleProcessLines(host([]))).toEqual([]);
  expect(staleProcessNote([])).toBe('');
});
