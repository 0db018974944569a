import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, killAll } from './processes.ts';
import { waitUntil } from './wait-until.ts';

const CGROUP_ROOT = '/sys/fs/cgroup';

const folders = async (path: string): Promise<string[]> => {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
};

/** Every hierarchy's top: the root itself on v2, one folder per controller on v1 and hybrid. */
const hierarchies = async (): Promise<string[]> => [
  CGROUP_ROOT,
  ...(await folders(CGROUP_ROOT))
    .filter((name) => !name.startsWith('lxc.'))
    .map((name) => join(CGROUP_ROOT, name)),
];

/** The cgroups that LXC made for a host outside; after an unclean end with a number appended. */
export const hostCgroups = async (lxcName: string): Promise<string[]> => {
  const wanted = new RegExp(`^lxc\\.(payload|monitor)\\.${lxcName}(-\\d+)?$`);
  const found = await Promise.all(
    (await hierarchies()).map(async (top) =>
      (await folders(top)).filter((name) => wanted.test(name)).map((name) => join(top, name)),
    ),
  );
  return found.flat();
};

/** A cgroup and all below it, the deepest first. */
const withDescendants = async (cgroup: string): Promise<string[]> => {
  const below = await Promise.all(
    (await folders(cgroup)).map((name) => withDescendants(join(cgroup, name))),
  );
  return [...below.flat(), cgroup];
};

const livingMembers = async (cgroups: readonly string[]): Promise<number[]> => {
  const texts = await Promise.all(
    cgroups.map((cgroup) => readFile(join(cgroup, 'cgroup.procs'), 'utf8').catch(() => '')),
  );
  const pids = [...new Set(texts.flatMap((text) => text.split('\n').filter(Boolean).map(Number)))];
  const alive = await Promise.all(pids.map((pid) => isAlive(pid)));
  return pids.filter((_, index) => alive[index]);
};

/**
 * Lets everything in a host go on that somebody has frozen there. In the freezer of v1 what is frozen takes not
 * even SIGKILL, and whoever ends the host waits for it without end.
 */
export const thawHostCgroups = async (lxcName: string): Promise<void> => {
  const all = (await Promise.all((await hostCgroups(lxcName)).map(withDescendants))).flat();
  for (const cgroup of all) {
    // Each has one of them, or none: no other hierarchy freezes.
    await writeFile(join(cgroup, 'freezer.state'), 'THAWED', { flag: 'r+' }).catch(() => undefined);
    await writeFile(join(cgroup, 'cgroup.freeze'), '0', { flag: 'r+' }).catch(() => undefined);
  }
};

/** Kills what still runs in a host's cgroups and removes them; they must be gone in 20 s. */
export const removeHostCgroups = async (lxcName: string): Promise<void> => {
  const tops = await hostCgroups(lxcName);
  const all = (await Promise.all(tops.map(withDescendants))).flat();
  await killAll(() => livingMembers(all), 10_000, `processes of host ${lxcName}`);
  for (const cgroup of all)
    // Busy for a moment after its last process has died.
    await waitUntil(
      `removal of ${cgroup}`,
      () =>
        rmdir(cgroup).then(
          () => true,
          (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT',
        ),
      { deadlineMs: 10_000 },
    );
};

/** LXC leaves an empty `lxc.pivot`; it is shared, so it goes only when no LXC container is left. */
export const removePivotCgroups = async (): Promise<void> => {
  for (const top of await hierarchies()) {
    const names = await folders(top);
    if (!names.includes('lxc.pivot') || names.some((name) => name.startsWith('lxc.payload.')))
      continue;
    // Another bed may just be using it: then it stays.
    await rmdir(join(top, 'lxc.pivot')).catch(() => undefined);
  }
};
