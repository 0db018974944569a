import { stat } from 'node:fs/promises';
import { bedCommands } from './command.ts';

/**
 * Whether this process stands in a chroot(2). lxc-attach(1) enters a host's mount namespace with
 * setns(2), which goes back to the namespace's own root: in a chroot that is the root of the machine
 * around it, so commands meant for a bed's host would run on that machine. Containers of Docker, LXC
 * and systemd-nspawn have a root of their own and are no chroot in this sense.
 */
export const standsInChroot = async (): Promise<boolean> => {
  const own = await stat('/');
  const command = ['nsenter', '--mount=/proc/self/ns/mnt', 'stat', '-c', '%d:%i', '/'];
  const seen = await bedCommands('real-root').run(command);
  return seen.exitCode === 0 && seen.stdout.trim() !== `${own.dev}:${own.ino}`;
};
