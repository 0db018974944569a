import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { AptRepository } from './apt-repository.ts';
import type { Commands } from './command.ts';
import { hostInitScript, hostInitUnit } from './host-config.ts';
import type { HostNames } from './host-config.ts';
import { NOW } from './shell-clock.ts';

const putFile = async (path: string, text: string, mode = 0o644): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  // A link there would lead out of the root.
  await rm(path, { force: true });
  await writeFile(path, text);
  await chmod(path, mode);
};

/** Appends container starts and stops as LXC itself performed them; see `readWitness`. */
const WITNESS_SCRIPT = [
  '#!/bin/sh',
  `echo "${NOW} $LXC_NAME $LXC_HOOK_TYPE" >> /var/lib/gsbed/witness.log`,
  '',
].join('\n');

/**
 * Libraries that this machine's Node needs and the root lacks (a Node from a distribution package
 * has many) go to /usr/local/lib, which the loader searches by default.
 */
const addNodeLibraries = async (commands: Commands, root: string): Promise<void> => {
  const needed = await commands.must(['ldd', process.execPath]);
  const wanted = [...needed.matchAll(/=> (\/\S+)/g)].map((match) => match[1] ?? '');
  const cache = await commands.must(['ldconfig', '-r', root, '-p']);
  const missing = wanted.filter((path) => !cache.includes(`\t${basename(path)} `));
  for (const path of missing) await copyFile(path, join(root, 'usr/local/lib', basename(path)));
  if (missing.length > 0) await commands.must(['ldconfig', '-r', root]);
};

const prepareSystemd = async (root: string, hostName: string): Promise<void> => {
  const units = join(root, 'etc/systemd/system');
  await rm(join(root, 'usr/sbin/policy-rc.d'), { force: true });
  await putFile(join(units, 'gs-bed-host-init.service'), hostInitUnit(hostName));
  await mkdir(join(units, 'multi-user.target.wants'), { recursive: true });
  await symlink(
    '../gs-bed-host-init.service',
    join(units, 'multi-user.target.wants/gs-bed-host-init.service'),
  );
  // lxc.service polls for its own bridge; apt's timers fire at the first boot and take apt's lock;
  // of redis-server only the program is wanted, for those who start one of their own.
  const masked = ['lxc', 'lxc-net', 'lxc-monitord', 'redis-server'].map(
    (name) => `${name}.service`,
  );
  for (const unit of [...masked, 'apt-daily.timer', 'apt-daily-upgrade.timer']) {
    await rm(join(units, unit), { force: true });
    await symlink('/dev/null', join(units, unit));
  }
};

/** Fills an empty root directory: unpacks the cached root and makes it this host's own. */
export const unpackRoot = async (
  commands: Commands,
  names: HostNames,
  rootTar: string,
  repository: AptRepository,
  init: 'tini' | 'systemd',
): Promise<void> => {
  const root = names.rootDirectory;
  await commands.must(['tar', '-C', root, '--numeric-owner', '-xf', rootTar]);
  const put = (path: string, text: string, mode?: number): Promise<void> =>
    putFile(join(root, path), text, mode);
  await put('etc/hostname', `${names.name}\n`);
  await put('etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${names.name}\n`);
  await put('etc/resolv.conf', await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
  await put('usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
  await put('etc/apt/keyrings/bed.asc', await readFile(repository.keyPath, 'utf8'));
  // Only the bed's repository: a host has no network beyond the bed, and tests must not hang on it.
  const lists = join(root, 'etc/apt/sources.list.d');
  for (const name of await readdir(lists)) await rm(join(lists, name));
  await put('etc/apt/sources.list', `${repository.sourceLine}\n`);
  await put('usr/local/sbin/host-init', hostInitScript(names.number, init), 0o755);
  await put('usr/local/lib/gsbed/witness', WITNESS_SCRIPT, 0o755);
  await mkdir(join(root, 'var/lib/gsbed'), { recursive: true });
  await mkdir(join(root, 'var/lib/lxc/host/rootfs'), { recursive: true });
  await addNodeLibraries(commands, root);
  if (init === 'systemd') await prepareSystemd(root, names.name);
};
