import { aptEnvironment } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { nameFailure } from './name-failure.ts';
import { runQuery } from '../packages/run-query.ts';

/** Which of these packages are installed only because others need them (`apt-mark showauto`). */
export const readAutoMarks = async (
  host: AptHost,
  packages: readonly { name: string; arch: string }[],
): Promise<string[]> => {
  const names = packages.map(({ name, arch }) => (arch === 'all' ? name : `${name}:${arch}`));
  const argv = ['apt-mark', 'showauto', ...names];
  const { exitCode, all, stdout } = await runQuery(argv, {
    timeoutMs: 60_000,
    environment: aptEnvironment(host),
  });
  if (exitCode !== 0) throw new Error(`apt-mark showauto: ${nameFailure(all, exitCode).message}`);
  return stdout.split('\n').filter((line) => line !== '');
};
