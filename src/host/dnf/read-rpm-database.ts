import { setTimeout as sleep } from 'node:timers/promises';
import { runQuery } from '../packages/run-query.ts';
import { dnfEnvironment } from './dnf-host.ts';
import { parseRpmPackages, rpmDatabaseFormat } from './parse-rpm-packages.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import { rpmDirectory, rpmSignature } from './rpm-place.ts';
import type { RpmPlace } from './rpm-place.ts';

const ATTEMPTS = 20;
const PAUSE_MS = 100;
const TIMEOUT_MS = 60_000;

/** What rpm(8) answers to a query of this host's database; throws what it says where it fails. */
export const askRpm = async (
  place: RpmPlace,
  args: readonly string[],
  allowedExitCodes: readonly number[] = [0],
  more: Record<string, string> = {},
): Promise<string> => {
  const argv = ['rpm', '--dbpath', rpmDirectory(place), ...args];
  const environment = dnfEnvironment({ environment: more });
  const { exitCode, all, stdout } = await runQuery(argv, { timeoutMs: TIMEOUT_MS, environment });
  if (!allowedExitCodes.includes(exitCode))
    throw new Error(`rpm: ${all.trim().split('\n').at(-1) ?? `it ended with status ${exitCode}`}`);
  return stdout;
};

/** Lists rpm's database; what it answers is remembered for as long as that is not written. */
export type RpmReader = (place: RpmPlace) => Promise<RpmPackage[]>;

/**
 * Lists rpm's database, again while it is being written. Throws when there is none, when rpm cannot read it,
 * or when it did not stand still for two seconds.
 */
export const rpmReader = (): RpmReader => {
  let known: { signature: string; packages: RpmPackage[] } | null = null;
  return async (place) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (attempt > 0) await sleep(PAUSE_MS);
      const before = `${rpmDirectory(place)} ${rpmSignature(place)}`;
      if (known?.signature === before) return known.packages;
      const text = await askRpm(place, ['-qa', '--queryformat', rpmDatabaseFormat]);
      if (`${rpmDirectory(place)} ${rpmSignature(place)}` !== before) continue;
      known = { signature: before, packages: parseRpmPackages(text) };
      return known.packages;
    }
    throw new Error(`the rpm database in ${rpmDirectory(place)} is being written all the time`);
  };
};
