import type { ParsedRecord } from '../../core/advisories/advisory.ts';
import { errorText } from '../../core/error-text.ts';

/** A file that cannot be read any further: what was read of it before stays. */
export const problemOf = (file: string, error: unknown): ParsedRecord => ({
  kind: 'problem',
  problem: { file, record: '', field: '', reason: errorText(error) },
});
