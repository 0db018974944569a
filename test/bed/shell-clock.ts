/** The time in shell, in nanoseconds: the date of uutils 0.8 writes all nine digits for `%3N`, too. */
export const NOW = '$(date +%s%N)';

/** What `NOW` has written, in the milliseconds of `Date.now()`. */
export const readNow = (nanoseconds: string): number => Math.floor(Number(nanoseconds) / 1e6);
