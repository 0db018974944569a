import type { z } from 'zod';
import { Advisory, type AffectedRow, type ParsedRecord } from '../../core/advisories/advisory.ts';

/** Says what of a record cannot be used, and why. */
export const problem = (
  file: string,
  record: string,
  field: string,
  reason: string,
): ParsedRecord => ({ kind: 'problem', problem: { file, record, field, reason } });

/** Each field of a record that is not as it must be. */
export const fieldProblems = (
  file: string,
  record: string,
  error: z.ZodError,
  within: (string | number)[] = [],
): ParsedRecord[] =>
  error.issues.map(({ path, message }) =>
    problem(file, record, [...within, ...path].map(String).join('.'), message),
  );

const keyOf = (row: AffectedRow): string =>
  JSON.stringify([
    row.distro,
    row.release,
    row.channel,
    row.names,
    row.name,
    row.arch,
    row.module,
    row.status,
    row.fixed,
  ]);

/** The rows without those that say the same once more. */
export const distinctRows = (rows: Iterable<AffectedRow>): AffectedRow[] => {
  const distinct = new Map<string, AffectedRow>();
  for (const row of rows) distinct.set(keyOf(row), row);
  return [...distinct.values()];
};

/** An advisory as a parser's last step: one that is not as advisories must be is a problem, never handed on. */
export const asAdvisory = (file: string, advisory: Advisory): ParsedRecord[] => {
  const checked = Advisory.safeParse(advisory);
  return checked.success
    ? [{ kind: 'advisory', advisory: checked.data }]
    : fieldProblems(file, advisory.id, checked.error);
};
