import { readFile } from 'node:fs/promises';

/** Hierarchies by which a process can be stopped or starved; cpuset needs set-up of its own. */
const CONTROLLERS = ['name=systemd', 'memory', 'pids', 'cpu', 'cpuacct'];

/** A mount point as mountinfo writes it: blanks and backslashes are octal. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/**
 * Directories of a control group `name` at the root of each hierarchy in `mountinfo` (proc(5)) that
 * matters: the one of cgroup v2, and on v1 and hybrid machines those of systemd and of limits.
 */
export const parseCgroupDirectories = (mountinfo: string, name: string): string[] =>
  mountinfo.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [type, , options = ''] = right.split(' ');
    const mountPoint = unescape(left.split(' ')[4] ?? '');
    if (type === 'cgroup2') return [`${mountPoint}/${name}`];
    if (type !== 'cgroup') return [];
    return options.split(',').some((option) => CONTROLLERS.includes(option))
      ? [`${mountPoint}/${name}`]
      : [];
  });

/** The same for this machine. */
export const findCgroupDirectories = async (name: string): Promise<string[]> =>
  parseCgroupDirectories(await readFile('/proc/self/mountinfo', 'utf8'), name);
