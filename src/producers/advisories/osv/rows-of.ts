import type { AffectedRow } from '../../../core/advisories/advisory.ts';
import { parseDebVersion } from '../../../core/versions/compare-deb-versions.ts';
import { evrOfText } from '../rpm-row.ts';
import { scopeOf } from './ecosystem.ts';
import type { Scope } from './ecosystem.ts';
import type { OsvAffected } from './osv-record.ts';

const without = (version: string): string => version.replace(/^0:/, '');

/** One span of affected versions: from an `introduced` to what ends it. */
interface Span {
  introduced: string;
  fixed: string | null;
  /** A last version that is affected, where none is named that is not. */
  last: string | null;
}

/** Events in the order of the record, which is that of versions. */
const spansOf = (events: readonly Record<string, unknown>[]): Span[] => {
  const spans: Span[] = [];
  for (const { introduced, fixed, last_affected: last } of events) {
    if (typeof introduced === 'string') spans.push({ introduced, fixed: null, last: null });
    const open = spans.at(-1);
    if (open === undefined) continue;
    if (typeof fixed === 'string') open.fixed = fixed;
    else if (typeof last === 'string') open.last = last;
  }
  return spans;
};

const rowOf = (scope: Scope, name: string, { introduced, fixed, last }: Span): AffectedRow => {
  const end = fixed === null || /^<.*>$/.test(fixed) ? null : fixed;
  const subject = { ...scope, name, arch: null, module: null };
  // Before every version there is: it never was affected.
  if (end === '0') return { ...subject, status: 'not-affected', fixed: null, note: null };
  return {
    ...subject,
    status: end === null ? 'affected' : 'fixed',
    fixed: end === null ? null : scope.scheme === 'rpm' ? without(end) : end,
    ...(introduced === '0'
      ? {}
      : { introduced: scope.scheme === 'rpm' ? without(introduced) : introduced }),
    note:
      last === null
        ? fixed === null || end !== null
          ? null
          : fixed.slice(1, -1)
        : `up to ${last}`,
  };
};

/** Why the versions of a row are none of its distribution's; null: they are. */
export const versionProblem = ({ scheme, fixed, introduced }: AffectedRow): string | null => {
  for (const version of [fixed, introduced]) {
    if (version === null || version === undefined) continue;
    if (scheme === 'deb') {
      const parsed = parseDebVersion(version);
      if (!parsed.ok) return parsed.error;
    } else if (evrOfText(version) === null)
      return `${JSON.stringify(version.slice(0, 100))} is no version with a release`;
  }
  return null;
};

/**
 * The rows of one `affected`; none where it is of no distribution that we know, or where the distributor does not
 * take it for an issue of security (`unimportant`).
 */
export const rowsOf = ({
  package: named,
  ranges,
  ecosystem_specific: specific,
}: OsvAffected): AffectedRow[] => {
  const scope = scopeOf(named.ecosystem, named.purl);
  if (scope === null || specific?.urgency === 'unimportant') return [];
  const livepatch = /livepatch/i.test(specific?.availability ?? '');
  const place: Scope = livepatch ? { ...scope, channel: 'livepatch' } : scope;
  return (ranges ?? [])
    .filter(({ type }) => type === 'ECOSYSTEM')
    .flatMap(({ events }) => spansOf(events))
    .map((span) => rowOf(place, named.name, span));
};
