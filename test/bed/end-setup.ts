import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { INSTALLING, removeOwnPolicy } from './outer-packages.ts';
import { bedMarkOf, childrenOf, signalProcess } from './processes.ts';
import { BUILD_SUFFIX, removeBuild } from './root-cache.ts';
import { waitUntil } from './wait-until.ts';

const APT_DEADLINE_MS = 600_000;

/**
 * For an interrupt: ends what this process is doing to the machine outside any bed, and takes back
 * what was half done. A package that is just being installed is finished first, since dpkg does not
 * take an interruption well; downloads and the building of a root are killed. What other processes
 * build in the same cache is left alone.
 */
export const endSetup = async (
  cacheDirectory: string,
  report: (line: string) => void,
): Promise<void> => {
  const marks = async (): Promise<{ pid: number; mark: string }[]> => {
    const pids = await childrenOf(process.pid);
    const found = await Promise.all(
      pids.map(async (pid) => ({ pid, mark: (await bedMarkOf(pid)) ?? '' })),
    );
    return found.filter(({ mark }) => mark !== '');
  };
  const own = await marks();
  for (const { pid, mark } of own) if (mark !== INSTALLING) signalProcess(-pid, 'SIGKILL');
  if (own.some(({ mark }) => mark === INSTALLING)) {
    report('apt is installing packages: waiting for its end, so that none is left half installed');
    await waitUntil(
      'the end of apt',
      async () => !(await marks()).some(({ mark }) => mark === INSTALLING),
      { deadlineMs: APT_DEADLINE_MS },
    );
  }
  await removeOwnPolicy();
  const builds = (await readdir(cacheDirectory).catch(() => []))
    .filter((name) => name.endsWith(BUILD_SUFFIX))
    .map((name) => join(cacheDirectory, name));
  for (const build of builds) if (own.some(({ mark }) => mark === build)) await removeBuild(build);
};
