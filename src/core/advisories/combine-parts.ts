import type { Advisory, AffectedRow } from './advisory.ts';
import { Severity } from './advisory.ts';

/** The graver of two: `critical` before `high`, and anything before `unknown`. */
export const graver = (a: Severity, b: Severity): Severity =>
  Severity.options.indexOf(a) <= Severity.options.indexOf(b) ? a : b;

const later = (a: string | null, b: string | null): string | null =>
  a === null || (b !== null && b > a) ? b : a;

const earlier = (a: string | null, b: string | null): string | null =>
  a === null || (b !== null && b < a) ? b : a;

const distinct = (rows: readonly AffectedRow[]): AffectedRow[] => {
  const known = new Map(rows.map((row) => [JSON.stringify(row), row]));
  return [...known.keys()].sort().flatMap((key) => known.get(key) ?? []);
};

/**
 * An advisory from the parts in which its feed has it, as of two repositories: their rows together, in an order that does
 * not depend on theirs. Where one part is withdrawn, the advisory is. Throws where there is none.
 */
export const combineParts = (parts: readonly Advisory[]): Advisory => {
  const [first, ...more] = parts;
  if (first === undefined) throw new Error('an advisory has at least one part');
  const combined = more.reduce<Advisory>(
    (all, part) => ({
      ...all,
      cves: [...all.cves, ...part.cves],
      published: earlier(all.published, part.published),
      modified: later(all.modified, part.modified),
      withdrawn: all.withdrawn || part.withdrawn,
      severity: graver(all.severity, part.severity),
      vendorSeverity: all.vendorSeverity ?? part.vendorSeverity,
      ...(part.rebootSuggested === true ? { rebootSuggested: true } : {}),
      affected: [...all.affected, ...part.affected],
    }),
    first,
  );
  return {
    ...combined,
    cves: [...new Set(combined.cves)].sort(),
    affected: distinct(combined.affected),
  };
};
