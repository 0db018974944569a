import type { Grant } from './fleet.ts';

type Fresh = 'step' | 'failed' | 'failReason' | 'voidAsked' | 'suspect';

/** A grant of which nothing was heard yet. */
export const newGrant = (grant: Omit<Grant, Fresh>): Grant => ({
  ...grant,
  step: null,
  failed: false,
  failReason: null,
  voidAsked: null,
  suspect: false,
});
