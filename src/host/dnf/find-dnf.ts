import { runQuery } from '../packages/run-query.ts';
import { dnfEnvironment } from './dnf-host.ts';
import type { DnfGeneration, DnfHost } from './dnf-host.ts';

/** By preference: where there are two, `dnf` is what the distribution wants to be used. */
const PROGRAMS = ['dnf', 'dnf5', 'yum'];
const TIMEOUT_MS = 30_000;

/** The generation that `--version` tells of; null: another program, or yum 3, which is none. */
export const parseDnfVersion = (output: string): DnfGeneration | null => {
  const version = /^(?:dnf5 version )?(\d+)\.\d+/m.exec(output)?.[1];
  return version === '4' ? 4 : version === '5' ? 5 : null;
};

/** Which dnf this host has. Throws where it has none that is known. */
export const findDnf = async (
  environment: DnfHost['environment'],
): Promise<Pick<DnfHost, 'program' | 'generation'>> => {
  for (const program of PROGRAMS) {
    const answer = await runQuery([program, '--version'], {
      timeoutMs: TIMEOUT_MS,
      environment: dnfEnvironment({ environment }),
    }).catch(() => null);
    const generation = answer?.exitCode === 0 ? parseDnfVersion(answer.stdout) : null;
    if (generation !== null) return { program, generation };
  }
  throw new Error(
    'packages of this host cannot be upgraded: there is no dnf 4 or 5, nor a yum that is one',
  );
};
