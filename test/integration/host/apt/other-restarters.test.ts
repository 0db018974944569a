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

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-restarters-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('an empty host has none', async () => {
  expect(await found()).toEqual([]);
});

test.each([
  ['// a comment\nDPkg::Post-Invoke { "lxc-autostart -r -a"; };\n', 2],
  ['DPkg::Post-Invoke { "for c in $(lxc-ls); do lxc-stop -n $c; lxc-start -n $c; done"; };', 1],
  ['DPkg::Post-Invoke {\n"systemctl restart lxc.service || true";\n};', 2],
  ['DPkg::Post-Invoke { "systemctl --no-block try-restart lxc@web-01"; };', 1],
  ['DPkg::Post-Invoke { "service lxc restart"; };', 1],
])('a hook of apt: %j', async (text, line) => {
  await put('etc/apt/apt.conf.d/99restart', text);
  expect(await found()).toEqual([`apt-hook etc/apt/apt.conf.d/99restart:${line}`]);
});

test('a hook whose script restarts, and one of dpkg', async () => {
  await put(
    'usr/local/sbin/after-upgrade',
    '#!/bin/sh\n# lxc-stop is not here\nlxc-autostart -r\n',
  );
  await put('etc/apt/apt.conf', 'DPkg::Post-Invoke { "/usr/local/sbin/after-upgrade || true"; };');
  await put('etc/dpkg/dpkg.cfg.d/local', 'post-invoke="lxc-autostart -a -r"\n');
  const all = await findOtherRestarters(root);
  expect(all.map(({ kind }) => kind)).toEqual(['apt-hook', 'dpkg-hook']);
  expect(all[0]?.what).toContain('/usr/local/sbin/after-upgrade, which does `lxc-autostart -r`');
});

test('comments, other files and our own hook are none', async () => {
  await put(
    'etc/apt/apt.conf.d/10x',
    '// lxc-stop\n# lxc-stop\n/* lxc-stop\nlxc-start */\nDPkg::Post-Invoke { "systemctl restart nginx"; };',
  );
  await put('etc/apt/apt.conf.d/20x.dpkg-old', 'DPkg::Post-Invoke { "lxc-stop -n a"; };');
  const ours = await readFile('packaging/hooks/50groundswell.apt.conf', 'utf8');
  await put('etc/apt/apt.conf.d/50groundswell', ours);
  await put('etc/dpkg/dpkg.cfg.d/x', '#post-invoke="lxc-stop -n a"\n');
  expect(await found()).toEqual([]);
});

test('reboots by unattended-upgrades', async () => {
  await put('etc/apt/apt.conf.d/52local', '\nUnattended-Upgrade::Automatic-Reboot "true";\n');
  expect(await found()).toEqual(['automatic-reboot etc/apt/apt.conf.d/52local:2']);
  await put('etc/apt/apt.conf.d/52local', '//Unattended-Upgrade::Automatic-Reboot "true";\n');
  expect(await found()).toEqual([]);
});

test('needrestart: the last word counts, and our drop-in has it', async () => {
  const conf = 'etc/needrestart/needrestart.conf';
  await put('usr/sbin/needrestart', '#!/usr/bin/perl\n');
  await put(conf, "#$nrconf{restart} = 'a';\n$nrconf{override_cont} = {\n};\n");
  expect(await found()).toEqual([`needrestart ${conf}:0`]);
  await put('etc/needrestart/conf.d/auto.conf', "$nrconf{restart} = 'a';\n");
  expect(await findOtherRestarters(root)).toMatchObject([
    { line: 1, what: 'needrestart restarts services and containers by itself' },
  ]);
  const ours = await readFile('packaging/hooks/needrestart-groundswell.conf', 'utf8');
  await put('etc/needrestart/conf.d/zz-groundswell.conf', ours);
  expect(await found()).toEqual([]);
  await put('etc/needrestart/conf.d/zzz.conf', "$nrconf{restart} = 'a';\n");
  expect(await findOtherRestarters(root)).toMatchObject([
    { line: 1, what: 'needrestart restarts services by itself' },
  ]);
});

test('needrestart as Ubuntu calls it restarts in every mode, until a user interface is chosen', async () => {
  const hook = 'etc/apt/apt.conf.d/99needrestart';
  await put('usr/sbin/needrestart', '#!/usr/bin/perl\n');
  await put('etc/needrestart/needrestart.conf', "$nrconf{restart} = 'l';\n");
  await put(hook, '# Ubuntu\nDPkg::Post-Invoke {"/usr/lib/needrestart/apt-pinvoke || true"; };\n');
  expect(await found()).toEqual([]);
  await put(
    hook,
    '# Ubuntu\nDPkg::Post-Invoke {"/usr/lib/needrestart/apt-pinvoke -m u || true"; };',
  );
  expect(await findOtherRestarters(root)).toMatchObject([
    {
      ...{ kind: 'needrestart', path: join(root, hook), line: 2 },
      what: 'needrestart restarts services and containers by itself',
    },
  ]);
  const ours = await readFile('packaging/hooks/needrestart-groundswell.conf', 'utf8');
  await put('etc/needrestart/conf.d/zz-groundswell.conf', ours);
  expect(await found()).toEqual([]);
});

test('needrestart as Ubuntu calls it now heeds a mode that somebody has chosen, not its own default', async () => {
  const hook = 'etc/apt/apt.conf.d/99needrestart';
  await put(
    'usr/sbin/needrestart',
    "    if(defined $nrconf{restart}) {\n        $nrconf{restart} = 'a';\n",
  );
  await put(hook, 'DPkg::Post-Invoke {"/usr/lib/needrestart/apt-pinvoke -m u || true"; };\n');
  await put('etc/needrestart/needrestart.conf', "#$nrconf{restart} = 'l';\n");
  expect(await found()).toEqual([`needrestart ${hook}:1`]);
  await put('etc/needrestart/needrestart.conf', "$nrconf{restart} = 'l';\n");
  expect(await found()).toEqual([]);
});
