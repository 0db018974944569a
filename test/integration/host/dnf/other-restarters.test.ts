import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findOtherRestarters } from '../../../../src/host/packages/other-restarters.ts';

let root: string;
const put = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};
const found = async (): Promise<string[]> =>
  (await findOtherRestarters(root)).map(
    ({ kind, path, line }) => `${kind} ${path.slice(root.length + 1)}:${line}`,
  );
const dnf4 = 'etc/dnf/plugins/post-transaction-actions.d';
const dnf5 = 'etc/dnf/libdnf5-plugins/actions.d';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-restarters-'));
  await put('etc/os-release', 'ID=almalinux\nID_LIKE="rhel centos fedora"\n');
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('our own hooks, comments and other files are none', async () => {
  const ours = (name: string): Promise<string> => readFile(`packaging/hooks/${name}`, 'utf8');
  await put(`${dnf4}/groundswell.action`, await ours('groundswell.action'));
  await put(`${dnf5}/groundswell.actions`, await ours('groundswell.actions'));
  await put(`${dnf4}/off.action`, '# *:any:lxc-autostart -r -a\n');
  await put(`${dnf4}/off.disabled`, '*:any:lxc-autostart -r -a\n');
  // An apt hook on a dnf host does nothing.
  await put('etc/apt/apt.conf.d/99x', 'DPkg::Post-Invoke { "lxc-autostart -r -a"; };\n');
  await put('etc/dnf/automatic.conf', '[commands]\nreboot = never\n#reboot = when-needed\n');
  expect(await found()).toEqual([]);
});

test('actions of either plugin, and a script that one calls', async () => {
  await put('usr/local/sbin/after', '#!/bin/sh\nfor c in $(lxc-ls); do lxc-stop -n $c; done\n');
  await put(`${dnf4}/a.action`, '\n*:any:systemctl restart lxc.service\n');
  await put(`${dnf4}/b.action`, 'glibc:in:/usr/local/sbin/after $name\n');
  await put(`${dnf5}/c.actions`, 'post_transaction::::/bin/sh -c lxc-autostart\\ -r\\ -a\n');
  expect(await found()).toEqual([
    `dnf-hook ${dnf4}/a.action:2`,
    `dnf-hook ${dnf4}/b.action:1`,
    `dnf-hook ${dnf5}/c.actions:1`,
  ]);
});

test('reboots by dnf-automatic', async () => {
  await put('etc/dnf/automatic.conf', '[commands]\nreboot = when-needed\n');
  expect(await found()).toEqual(['automatic-reboot etc/dnf/automatic.conf:2']);
});
