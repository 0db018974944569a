import { readFile } from 'node:fs/promises';
import { plainEnvironment } from '../run-bounded.ts';
import type { RunBounded } from '../run-bounded.ts';

/** Whether containers are confined by AppArmor, and what loads their profiles is there (package `apparmor`). */
export type AppArmor = 'off' | 'complete' | 'without parser';

/** As LXC finds it out before it starts a container; `sysRoot` is `/sys`. */
export const readAppArmor = async (sysRoot: string, run: RunBounded): Promise<AppArmor> => {
  const path = `${sysRoot}/module/apparmor/parameters/enabled`;
  // A kernel without it has no such file.
  const enabled = await readFile(path, 'utf8').catch(() => 'N');
  if (!enabled.startsWith('Y')) return 'off';
  const options = { timeoutMs: 5_000, env: plainEnvironment, maxOutputBytes: 1_000 };
  const { exitCode } = await run(['apparmor_parser', '--version'], options);
  return exitCode === 0 ? 'complete' : 'without parser';
};
