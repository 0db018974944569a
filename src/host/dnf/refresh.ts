import { errorText } from '../../core/error-text.ts';
import type { Refreshed } from '../packages/package-manager.ts';
import { runQuery } from '../packages/run-query.ts';
import { dnfEnvironment } from './dnf-host.ts';
import type { DnfHost } from './dnf-host.ts';
import { dnfFailure, nameFailure } from './name-failure.ts';

/** dnf 4 says so, leaves that file out and is content. */
const LEFT_OUT = /failed loading '.*\.repo'/;

/**
 * Fetches what the repositories offer (`dnf makecache`). One that cannot be fetched or whose signature is wrong is a
 * failure, also where its configuration says `skip_if_unavailable`: an upgrade without it would look as if there were
 * nothing to do. No key is imported. Never longer than `timeoutMs`.
 */
export const refresh = async (
  host: DnfHost,
  { timeoutMs }: { timeoutMs: number },
): Promise<Refreshed> => {
  const seconds = Math.max(5, Math.min(60, Math.ceil(timeoutMs / 4000)));
  const options = ['skip_if_unavailable=0', `timeout=${seconds}`, 'retries=2'].flatMap((option) => [
    `--setopt=${option}`,
    `--setopt=*.${option}`,
  ]);
  try {
    const argv = [host.program, ...options, '--setopt=assumeyes=0', 'makecache', '--refresh'];
    const { exitCode, all } = await runQuery(argv, {
      timeoutMs,
      environment: dnfEnvironment(host),
    });
    if (exitCode !== 0 || LEFT_OUT.test(all))
      return { ok: false, reason: nameFailure(all, exitCode) };
    return { ok: true, output: all };
  } catch (error) {
    return { ok: false, reason: dnfFailure('timeout', errorText(error)) };
  }
};
