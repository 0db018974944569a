import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf } from '../packages/lock-holders.ts';
import type { LockHolder } from '../packages/lock-holders.ts';
import type { AptHost } from './apt-host.ts';

/** Where dpkg runs the scripts of packages from: those that are installed, and of one that it unpacks. */
const SCRIPT = /^\/var\/lib\/dpkg\/(?:info\/.+\.(?:preinst|postinst|prerm|postrm)|tmp\.ci\/.+)$/;

const readOrEmpty = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended, or there is no such group.
    return '';
  }
};

/**
 * Scripts of packages in the control group of our transactions, which go on after the dpkg that ran them was killed: its
 * locks are gone with it.
 */
export const scriptsAtWork = ({ cgroupDirectories }: AptHost): LockHolder[] =>
  cgroupDirectories.flatMap((directory) =>
    readOrEmpty(join(directory, 'cgroup.procs'))
      .split('\n')
      .filter((pid) => pid !== '')
      .flatMap((pid) => {
        const script = readOrEmpty(`/proc/${pid}/cmdline`)
          .split('\0')
          .find((word) => SCRIPT.test(word));
        return script === undefined
          ? []
          : [{ path: script, pid: Number(pid), command: commandOf(Number(pid)) }];
      }),
  );
