import type { Severity } from '../../core/advisories/advisory.ts';

/** A map: a word may be `constructor`, which every object has. */
const known = new Map<string, Severity>([
  ['critical', 'critical'],
  ['urgent', 'critical'],
  ['important', 'high'],
  ['high', 'high'],
  ['moderate', 'medium'],
  ['medium', 'medium'],
  ['low', 'low'],
  ['negligible', 'low'],
  ['minor', 'low'],
]);

/** A distributor's word for how bad it is, as one of ours. */
export const severityOf = (word: string | null): Severity =>
  known.get((word ?? '').trim().toLowerCase()) ?? 'unknown';
