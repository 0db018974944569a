/** What one look at host and spool found. */
export interface Look {
  /** Changes with every sign of activity: database written, spool file come. */
  activity: string;
  /** When the newest of these was, by the wall clock. */
  activityAtMs: number;
  atRest: boolean;
}

/** How long nothing has happened, on the monotonic clock: the wall clock may be set. */
export interface IdleTime {
  activity: string;
  sinceMs: number;
}

/**
 * R30: since when the package manager has been idle. A look that finds it at work, or signs of
 * activity that were not there before, begins anew: with the time that has passed since that
 * activity, which may have been before we looked at all, and with none if the clock says it lies
 * in the future.
 */
export const idleSince = (
  idle: IdleTime | null,
  look: Look,
  clocks: { monotonicMs: number; wallMs: number },
): IdleTime => {
  const { monotonicMs, wallMs } = clocks;
  if (!look.atRest) return { activity: look.activity, sinceMs: monotonicMs };
  if (idle?.activity === look.activity) return idle;
  const passedMs = Math.max(0, wallMs - look.activityAtMs);
  return { activity: look.activity, sinceMs: monotonicMs - passedMs };
};
