import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf } from './lock-holders.ts';
import type { LockHolder } from './lock-holders.ts';
import type { ManagedHost } from './managed-host.ts';

const readOrEmpty = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended, or there is no such group.
    return '';
  }
};

/**
 * Scripts of packages in the control group of our transactions, which go on after the package manager that ran them was
 * killed: its locks are gone with it. `script` is the path that such a one is run from.
 */
export const scriptsAtWork = (
  { cgroupDirectories }: Pick<ManagedHost, 'cgroupDirectories'>,
  script: RegExp,
): LockHolder[] =>
  cgroupDirectories.flatMap((directory) =>
    readOrEmpty(join(directory, 'cgroup.procs'))
      .split('\n')
      .filter((pid) => pid !== '')
      .flatMap((pid) => {
        const path = readOrEmpty(`/proc/${pid}/cmdline`)
          .split('\0')
          .find((word) => script.test(word));
        return path === undefined
          ? []
          : [{ path, pid: Number(pid), command: commandOf(Number(pid)) }];
      }),
  );
