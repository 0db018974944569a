import type { Grant } from './fleet.ts';

type Fresh = 'step' | 'failed' | 'failReason' | 'waiting' | 'voidAsked' | 'suspect';

/** A grant of which nothing was heard yet. */
export const newGrant = (grant: Omit<Grant, Fresh>): Grant => ({
  ...grant,
  step: null,
  failed: false,
  failReason: null,
  waiting: null,
  voidAsked: null,
  suspect: false,
});
