import type { Kysely, RawBuilder } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../../core/error-text.ts';
import { repeat } from '../../jobs/repeat.ts';
import type { StoreTables } from '../../store/open-store.ts';
import { acquireLease, LeaseLost, releaseLease, renewLease } from '../../store/lease.ts';
import type { Lease } from '../../store/lease.ts';
import { startServerClock } from '../../store/server-clock.ts';
import type { ServerClock } from '../../store/server-clock.ts';

/** The active server's right to decide, and its clock. */
export interface Leadership {
  lease: Lease;
  clock: ServerClock;
  /**
   * Whether the lease was renewed lately enough, by this process's own clock. False: renew no control
   * record (R12). What is written to SQL needs no such question: it is conditional on the epoch.
   */
  leads: () => boolean;
  /** Resolves, once, when somebody else has taken the lease; the process must begin anew as a standby. */
  lost: Promise<void>;
  /** Stop renewing and give the lease back. */
  resign: () => Promise<void>;
}

export const leaseTimes = { ttlMs: 10_000, renewEveryMs: 2_000, askEveryMs: 1_000 };

/**
 * Wait until this server leads: at once where nobody does, else when the leader's lease runs out. `signal`
 * ends the waiting (rejects with an AbortError). `seize`: see `acquireLease`.
 */
export const waitToLead = async (options: {
  db: Kysely<StoreTables>;
  databaseNow: RawBuilder<number>;
  /** This process, unlike any other that ever led. */
  holder: string;
  seize: boolean;
  monotonicMs: () => number;
  onProblem: (text: string) => void;
  signal: AbortSignal;
  times?: typeof leaseTimes;
}): Promise<Leadership> => {
  const { db, databaseNow, holder, seize, monotonicMs, onProblem, signal } = options;
  const { ttlMs, renewEveryMs, askEveryMs } = options.times ?? leaseTimes;
  let renewedAt = 0;
  let lease: Lease | null = null;
  while (lease === null) {
    signal.throwIfAborted();
    // Measured before asking: on its way to the database the lease already grows old.
    renewedAt = monotonicMs();
    const acquired = await acquireLease(db, { databaseNow, holder, ttlMs, seize });
    if (acquired.kind === 'leader') lease = acquired.lease;
    else await sleep(askEveryMs, undefined, { signal });
  }
  const held = lease;
  const clock = await startServerClock(db, held, monotonicMs);
  let isLost = false;
  let tellLost: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => {
    tellLost = resolve;
  });
  const renewing = repeat(
    async () => {
      if (isLost) return;
      const askedAt = monotonicMs();
      await renewLease(db, held, databaseNow);
      renewedAt = askedAt;
      await clock.reserve();
    },
    {
      everyMs: renewEveryMs,
      onError: (error) => {
        onProblem(`lease not renewed: ${errorText(error)}`);
        if (!(error instanceof LeaseLost)) return;
        isLost = true;
        tellLost();
      },
    },
  );
  return {
    lease: held,
    clock,
    leads: () => !isLost && monotonicMs() - renewedAt < ttlMs,
    lost,
    resign: async () => {
      await renewing.stop();
      await releaseLease(db, held);
    },
  };
};
