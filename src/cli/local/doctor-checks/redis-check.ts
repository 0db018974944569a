import { errorText } from '../../../core/error-text.ts';
import { faultOfError } from '../../../core/redis-fault.ts';
import type { RedisFault } from '../../../core/redis-fault.ts';
import { fail, ok, warn } from '../doctor.ts';
import type { DoctorCheck } from '../doctor.ts';

export interface RedisFacts {
  /** Where it was reached, without password. */
  where: string;
  version: string;
  /** What is wrong with it for those who work over it. */
  faults: RedisFault[];
  /** Whether it keeps what it holds over a restart. */
  appendOnly: boolean | null;
}

/** Redis answers, takes writes, and does not throw keys away. `ask` rejects with the reason where it does not answer. */
export const redisCheck = (ask: () => Promise<RedisFacts>): DoctorCheck => ({
  name: 'redis',
  afterSetup: true,
  run: async () => {
    let facts: RedisFacts;
    try {
      facts = await ask();
    } catch (error) {
      const { kind, what, remedy } = faultOfError(errorText(error));
      return kind === 'unreachable' || kind === 'other'
        ? [
            fail(
              `not reachable: ${errorText(error)}`,
              'start it (the embedded one is started by `groundswell up`), or set redis.url in the configuration',
            ),
          ]
        : [fail(what, remedy)];
    }
    const findings = [ok(`Redis ${facts.version} at ${facts.where}`)];
    for (const { kind, what, remedy } of facts.faults)
      findings.push(kind === 'nearly-full' ? warn(what, remedy) : fail(what, remedy));
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
