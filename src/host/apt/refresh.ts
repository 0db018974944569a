import { aptFailure, nameFailure } from './name-failure.ts';
import type { Refreshed } from '../packages/package-manager.ts';
import { aptEnvironment, lockOption } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { runQuery } from '../packages/run-query.ts';

/**
 * Fetches the repositories' indexes (`apt-get update`). One that cannot be fetched or whose
 * signature is wrong is a failure, though apt itself only warns and goes on with the old index
 * (so a later upgrade still works offline, with what was known). Never longer than `timeoutMs`.
 */
export const refresh = async (
  host: AptHost,
  { timeoutMs }: { timeoutMs: number },
): Promise<Refreshed> => {
  const seconds = Math.max(5, Math.min(60, Math.ceil(timeoutMs / 4000)));
  const options = [
    'APT::Update::Error-Mode=any',
    `Acquire::http::Timeout=${seconds}`,
    `Acquire::https::Timeout=${seconds}`,
    'Acquire::Retries=1',
  ].flatMap((option) => ['-o', option]);
  try {
    const argv = ['apt-get', '-q', ...lockOption(host), ...options, 'update'];
    const { exitCode, all } = await runQuery(argv, {
      timeoutMs,
      environment: aptEnvironment(host),
    });
    // apt before 2.1 has no Error-Mode: there only the warning tells.
    const distrusted = /^W: .*(?:GPG error|NO_PUBKEY|BADSIG|EXPKEYSIG)/m.test(all);
    if (exitCode !== 0 || distrusted) return { ok: false, reason: nameFailure(all, exitCode) };
    return { ok: true, output: all };
  } catch (error) {
    return {
      ok: false,
      reason: aptFailure('timeout', error instanceof Error ? error.message : String(error)),
    };
  }
};
