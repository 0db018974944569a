import { errorText } from '../../../core/error-text.ts';
import { fail, ok, warn } from '../doctor.ts';
import type { DoctorCheck } from '../doctor.ts';

export interface RedisFacts {
  /** Where it was reached, without password. */
  where: string;
  version: string;
  /** `maxmemory-policy`; null where it may not be asked for. */
  maxmemoryPolicy: string | null;
  /** Whether it keeps what it holds over a restart. */
  appendOnly: boolean | null;
}

/** Redis answers, and does not throw keys away. `ask` rejects with the reason where it does not answer. */
export const redisCheck = (ask: () => Promise<RedisFacts>): DoctorCheck => ({
  name: 'redis',
  afterSetup: true,
  run: async () => {
    let facts: RedisFacts;
    try {
      facts = await ask();
    } catch (error) {
      const reason = errorText(error);
      return [
        fail(
          `not reachable: ${reason}`,
          'start it (the embedded one is started by `groundswell up`), or set redis.url in the configuration',
        ),
      ];
    }
    const findings = [ok(`Redis ${facts.version} at ${facts.where}`)];
    if (facts.maxmemoryPolicy !== null && facts.maxmemoryPolicy !== 'noeviction')
      findings.push(
        fail(
          `maxmemory-policy is ${facts.maxmemoryPolicy}: it may throw jobs away`,
          'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf',
        ),
      );
    if (facts.appendOnly === false)
      findings.push(
        warn(
          'appendonly is off: jobs on their way are lost at its restart, and are sent again after a while',
          'CONFIG SET appendonly yes, and the same in redis.conf',
        ),
      );
    return findings;
  },
});
