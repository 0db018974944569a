import type { Severity } from '../../core/advisories/advisory.ts';

const known: Record<string, Severity> = {
  ...{
    critical: 'critical',
    urgent: 'critical',
    important: 'high',
    high: 'high',
    moderate: 'medium',
    medium: 'medium',
  },
  ...{ low: 'low', negligible: 'low', minor: 'low' },
} as const;

/** A distributor's word for how bad it is, as one of ours. */
export const severityOf = (word: string | null): Severity =>
  known[(word ?? '').trim().toLowerCase()] ?? 'unknown';
