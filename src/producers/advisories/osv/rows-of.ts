import type { AffectedRow, VersionScheme } from '../../../core/advisories/advisory.ts';
import {
  compareDebVersions,
  parseDebVersion,
} from '../../../core/versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../../../core/versions/compare-rpm-versions.ts';
import { evrOfText } from '../rpm-row.ts';
import { scopeOf } from './ecosystem.ts';
import type { Scope } from './ecosystem.ts';
import type { OsvAffected } from './osv-record.ts';

const without = (version: string): string => version.replace(/^0:/, '');

/** One span of affected versions: from an `introduced` to what ends it. */
interface Span {
  introduced: string;
  fixed: string | null;
  /** The last version that is affected, where none is named that is not. */
  last: string | null;
}

/** At one version what ended before it comes first, and what ends with it last; but before `0` there is nothing to end. */
const KINDS = ['fixed', 'introduced', 'last_affected'] as const;
interface Event {
  kind: (typeof KINDS)[number];
  version: string;
}

/** `0` is before every version, `<unfixed>` and the like after each. */
const rankOf = (version: string): number => (version === '0' ? 0 : /^<.*>$/.test(version) ? 2 : 1);

const inOrder = (a: Event, b: Event, scheme: VersionScheme): number => {
  const [x, y] = [rankOf(a.version), rankOf(b.version)];
  const compare = scheme === 'deb' ? compareDebVersions : compareRpmVersions;
  const versions = x === y && x === 1 ? compare(a.version, b.version) : x - y;
  if (versions !== 0) return versions;
  const at = KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);
  return x === 0 ? Number(a.kind !== 'introduced') - Number(b.kind !== 'introduced') || at : at;
};

/** The spans that a range's events make, which the schema asks to be put in order first. */
const spansOf = (events: readonly Record<string, unknown>[], scheme: VersionScheme): Span[] => {
  const all = events.flatMap((event) =>
    KINDS.flatMap((kind): Event[] => {
      const version = event[kind];
      return typeof version === 'string' ? [{ kind, version }] : [];
    }),
  );
  const spans: Span[] = [];
  let open: Span | null = null;
  for (const { kind, version } of all.sort((a, b) => inOrder(a, b, scheme))) {
    if (kind === 'introduced') {
      if (open === null) spans.push((open = { introduced: version, fixed: null, last: null }));
    } else if (open !== null) {
      if (kind === 'fixed') open.fixed = version;
      else open.last = version;
      open = null;
    }
  }
  return spans;
};

const rowOf = (scope: Scope, name: string, { introduced, fixed, last }: Span): AffectedRow => {
  const end = fixed === null || /^<.*>$/.test(fixed) ? null : fixed;
  const subject = { ...scope, name, arch: null, module: null };
  const written = (version: string): string =>
    scope.scheme === 'rpm' ? without(version) : version;
  // Before every version there is: it never was affected.
  if (end === '0') return { ...subject, status: 'not-affected', fixed: null, note: null };
  return {
    ...subject,
    status: end === null ? 'affected' : 'fixed',
    fixed: end === null ? null : written(end),
    ...(introduced === '0' ? {} : { introduced: written(introduced) }),
    ...(last === null ? {} : { lastAffected: written(last) }),
    note:
      last === null
        ? fixed === null || end !== null
          ? null
          : fixed.slice(1, -1)
        : `up to ${last}`,
  };
};

/** Where there is no range, just the versions that are listed are affected. */
const listedRow = (scope: Scope, name: string, versions: readonly string[]): AffectedRow => ({
  ...{ ...scope, name, arch: null, module: null, status: 'affected', fixed: null, note: null },
  versions: versions.map((version) => (scope.scheme === 'rpm' ? without(version) : version)),
});

/** Why the versions of a row are none of its distribution's; null: they are. */
export const versionProblem = ({
  scheme,
  fixed,
  introduced,
  lastAffected,
}: AffectedRow): string | null => {
  for (const version of [fixed, introduced, lastAffected]) {
    if (version === null || version === undefined) continue;
    if (scheme === 'deb') {
      const parsed = parseDebVersion(version);
      if (!parsed.ok) return parsed.error;
    } else if (evrOfText(version) === null)
      return `${JSON.stringify(version.slice(0, 100))} is no version with a release`;
  }
  return null;
};

/** Which of Ubuntu Pro's archives has a fix, as far as words tell it where the ecosystem says no more than that it is one of them. */
const archives: readonly (readonly [RegExp, string])[] = [
  [/\(infra-only\)/i, 'esm-infra'],
  [/\blegacy\b/i, 'esm-infra-legacy'],
];

/** Livepatches have ids of their own; they patch the kernel that runs, and no package. */
const channelOf = (id: string, channel: string | null, availability: string): string | null =>
  id.startsWith('LSN-') || /livepatch/i.test(availability)
    ? 'livepatch'
    : channel === 'pro'
      ? (archives.find(([words]) => words.test(availability))?.[1] ?? channel)
      : channel;

/**
 * The rows of one `affected` of a record; none where it is of no distribution that we know, or where the distributor does not
 * take it for an issue of security (`unimportant`).
 */
export const rowsOf = (
  id: string,
  { package: named, ranges, versions, ecosystem_specific: specific }: OsvAffected,
): AffectedRow[] => {
  const scope = scopeOf(named.ecosystem, named.purl);
  if (scope === null || specific?.urgency === 'unimportant') return [];
  const channel = channelOf(id, scope.channel, specific?.availability ?? '');
  const place: Scope = { ...scope, channel };
  const spans = (ranges ?? [])
    .filter(({ type }) => type === 'ECOSYSTEM')
    .flatMap(({ events }) => spansOf(events, scope.scheme));
  if (spans.length > 0) return spans.map((span) => rowOf(place, named.name, span));
  return (versions ?? []).length === 0 ? [] : [listedRow(place, named.name, versions ?? [])];
};
