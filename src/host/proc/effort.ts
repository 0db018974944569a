/** What containers may cost in one scan. */
export interface EffortLimits {
  /** Bytes of one file whose content is compared. */
  fileBytes: number;
  /** Bytes of all files of one container. */
  bytes: number;
  /** Milliseconds for everything that is looked at for the sake of one container. */
  timeMs: number;
  /** Milliseconds for all containers together; each has `leastMs` however long others took. */
  togetherMs: number;
  leastMs: number;
}

export const DEFAULT_EFFORT_LIMITS: EffortLimits = {
  fileBytes: 512 << 20,
  bytes: 2 ** 32,
  timeMs: 10_000,
  togetherMs: 60_000,
  leastMs: 1_000,
};

/** Why a container could not be judged whole. */
export class EffortError extends Error {}

/** Work for the sake of one container. */
export interface Effort {
  limits: EffortLimits;
  /** Says that so many bytes were read, or none; throws `EffortError` beyond the limits. */
  spend: (bytes: number) => void;
  /** Works for the container: only the time in here counts. */
  during: <T>(work: () => T) => T;
}

/**
 * Answers what begins the work for one container. Its owner can put anything into it, and one thread
 * scans all: so that the others are scanned too, the work for this one has an end.
 */
export const effortKeeper = (limits: EffortLimits, now: () => number): (() => Effort) => {
  let togetherLeft = limits.togetherMs;
  return () => {
    let bytesLeft = limits.bytes;
    let timeLeft = limits.timeMs;
    let deadline = Infinity;
    return {
      limits,
      spend: (bytes) => {
        bytesLeft -= bytes;
        if (bytesLeft < 0) throw new EffortError(`more than ${limits.bytes} bytes to compare`);
        if (now() > deadline) throw new EffortError('it takes too long');
      },
      during: (work) => {
        const begin = now();
        deadline = begin + Math.min(timeLeft, Math.max(togetherLeft, limits.leastMs));
        try {
          return work();
        } finally {
          const took = now() - begin;
          timeLeft -= took;
          togetherLeft -= took;
          deadline = Infinity;
        }
      },
    };
  };
};
