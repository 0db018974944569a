import { readdirSync, readFileSync } from 'node:fs';
import type { LockHolder } from './lock-holders.ts';
import { beganAtMs } from './process-identity.ts';

/** A package manager at work, and the script of a package that it waits for. */
export interface PackageWork {
  pid: number;
  /** Its name, empty where it is hidden. */
  command: string;
  /** Null: it runs none right now, or none that can be told. */
  script: { what: string; pid: number; beganAtMs: number } | null;
}

/** So many processes below a package manager are looked at: a script may start anything. */
const mostProcesses = 1_000;

/** Scripts as dpkg runs them: of a package that is installed, of one that it unpacks; and as rpm does, which names none. */
const scriptOf = (words: readonly string[]): string | null => {
  for (const word of words) {
    const [, name, kind] =
      /^\/var\/lib\/dpkg\/info\/(.+)\.(preinst|postinst|prerm|postrm)$/.exec(word) ?? [];
    if (name !== undefined && kind !== undefined) return `the ${kind} of ${name}`;
    const unpacked = /^\/var\/lib\/dpkg\/tmp\.ci\/([a-z]+)$/.exec(word)?.[1];
    if (unpacked !== undefined) return `the ${unpacked} of a package that is unpacked`;
    if (/^\/var\/tmp\/rpm-tmp\.\w+$/.test(word)) return 'a script of a package';
  }
  return null;
};

const readOrEmpty = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended meanwhile.
    return '';
  }
};

const threadsOf = (procRoot: string, pid: number): string[] => {
  try {
    return readdirSync(`${procRoot}/${pid}/task`);
  } catch {
    return [];
  }
};

/** Children of all of its threads: unattended-upgrades and dnf have several. */
const childrenOf = (procRoot: string, pid: number): number[] =>
  threadsOf(procRoot, pid).flatMap((thread) =>
    readOrEmpty(`${procRoot}/${pid}/task/${thread}/children`)
      .split(' ')
      .filter((text) => /^\d+$/.test(text))
      .map(Number),
  );

/**
 * What a package manager that holds a lock is at: the first script of a package among it and what it has started. `procRoot` is
 * `/proc`, another one only in tests.
 */
export const workOf = (
  { pid, command }: Pick<LockHolder, 'pid' | 'command'>,
  procRoot = '/proc',
): PackageWork => {
  const pids = pid > 0 ? [pid] : [];
  // It grows while it is gone through, so that the nearest are looked at first.
  for (const one of pids) {
    const what = scriptOf(readOrEmpty(`${procRoot}/${one}/cmdline`).split('\0'));
    const began = what === null ? null : beganAtMs(one, procRoot);
    if (what !== null && began !== null)
      return { pid, command, script: { what, pid: one, beganAtMs: began } };
    if (pids.length < mostProcesses) pids.push(...childrenOf(procRoot, one));
  }
  return { pid, command, script: null };
};
