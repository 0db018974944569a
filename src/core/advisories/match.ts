import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../versions/compare-rpm-versions.ts';
import type { Advisory, AffectedRow, Severity } from './advisory.ts';
import type { Candidate } from './candidates.ts';
import { chooseRow, isOfSameModule, ofModules, streamOfAdvisory } from './choose-row.ts';
import type { HostPlace, IndexedInventory } from './index-inventory.ts';
import type { InventoryPackage } from './inventory.ts';
import { isFor, isOffered, ofProductStream } from './is-offered.ts';

/** `pending`: a fix is there and not installed; `applied`: it is; `no-fix`: affected, and there is none yet. */
export type FindingState = 'pending' | 'applied' | 'no-fix';

/** What an advisory means for one installed package. */
export interface Finding {
  feed: string;
  advisory: string;
  kind: Advisory['kind'];
  cves: readonly string[];
  package: string;
  arch: string;
  /** The version that is there. */
  installed: string;
  /** The first version with the fix, of the package that `source` or binary name stands for in the advisory. */
  fixed: string | null;
  state: FindingState;
  severity: Severity;
  vendorSeverity: string | null;
  channel: string | null;
  /** The fix is installed and an older kernel runs: no upgrade helps, a reboot does. */
  reboot?: true;
  /** How it came to that, in words. */
  why: string;
}

const whyOf = (
  row: AffectedRow,
  candidate: Candidate,
  state: FindingState,
  running: InventoryPackage | null,
): string => {
  const { installed, source } = candidate;
  const through =
    row.names === 'source' && source !== installed.name ? ` (of source ${row.name})` : '';
  const held = installed.held === true && state === 'pending' ? '; it is held' : '';
  const note = row.note === null ? '' : `: ${row.note}`;
  if (running !== null)
    return `${installed.version}${through} has the fix of ${row.fixed}, but ${running.version} runs: installed, not running: reboot`;
  switch (state) {
    case 'pending':
      return `${installed.version}${through} is older than ${row.fixed}${held}`;
    case 'applied':
      return `${installed.version}${through} has the fix of ${row.fixed}`;
    case 'no-fix':
      return `${installed.version}${through} is affected, and there is no fix${note}`;
  }
};

/** The older kernel that runs without the fix, where the installed one has it. */
const runningWithout = (row: AffectedRow, { running }: Candidate): InventoryPackage | null =>
  running === undefined ||
  row.fixed === null ||
  running.compare(row.fixed) >= 0 ||
  (row.introduced !== undefined && running.compare(row.introduced) < 0)
    ? null
    : running.installed;

const findingOf = (advisory: Advisory, candidate: Candidate, row: AffectedRow): Finding => {
  const { installed } = candidate;
  const has: FindingState =
    row.fixed === null ? 'no-fix' : candidate.compare(row.fixed) < 0 ? 'pending' : 'applied';
  const running = has === 'applied' ? runningWithout(row, candidate) : null;
  const state = running === null ? has : 'pending';
  return {
    ...{ feed: advisory.feed, advisory: advisory.id, kind: advisory.kind, cves: advisory.cves },
    ...{ package: installed.name, arch: installed.arch, installed: installed.version },
    ...{ fixed: row.fixed, state, severity: advisory.severity },
    ...{ vendorSeverity: advisory.vendorSeverity, channel: row.channel },
    ...(running === null ? {} : { reboot: true as const }),
    why: whyOf(row, candidate, state, running),
  };
};

/** The row that says of this package as a whole, or of the module that it is of, that it is not affected. */
const sparingRow = (
  rows: readonly AffectedRow[],
  { module: label, likelyModule }: InventoryPackage,
): AffectedRow | null => {
  const own = label ?? likelyModule ?? null;
  return (
    rows.find(
      ({ status, module }) =>
        status === 'not-affected' &&
        (module === null || own === module || own?.startsWith(`${module}:`) === true),
    ) ?? null
  );
};

/** Whether a row speaks of the installed version: of it as one that is affected, or as one that came after. */
const isWithin = (
  { status, introduced, lastAffected, versions }: AffectedRow,
  { compare }: Candidate,
): boolean =>
  status !== 'not-affected' &&
  (introduced === undefined || compare(introduced) >= 0) &&
  (lastAffected === undefined || compare(lastAffected) <= 0) &&
  (versions === undefined || versions.some((one) => compare(one) === 0));

/** Of several spans of affected versions those that came after a fix count, where the installed version is one of theirs. */
const withoutFormer = (
  within: readonly AffectedRow[],
  compare: (a: string, b: string) => number,
): readonly AffectedRow[] => {
  const begun = within.flatMap(({ introduced }) => introduced ?? []);
  return begun.length === 0
    ? within
    : within.filter(
        ({ fixed }) => fixed === null || !begun.some((one) => compare(fixed, one) <= 0),
      );
};

const findingsOf = (
  advisory: Advisory,
  candidate: Candidate,
  rows: readonly AffectedRow[],
  place: HostPlace,
): Finding[] => {
  const { installed } = candidate;
  const compare = place.scheme === 'deb' ? compareDebVersions : compareRpmVersions;
  const within = withoutFormer(
    rows.filter((row) => isWithin(row, candidate)),
    compare,
  );
  const [only] = within;
  if (only === undefined) return [];
  // Streams and rebuilds are things of rpm; and most packages have one row.
  if (place.scheme === 'deb' && within.length === 1) return [findingOf(advisory, candidate, only)];
  const stream = streamOfAdvisory(installed, within, advisory.affected);
  if (stream === 'other') return [];
  const exact = within.filter((row) => row.exact === true && isOfSameModule(candidate, row));
  const alternatives = within.filter((row) => row.exact !== true);
  const chosen = chooseRow(candidate, alternatives, compare, stream === 'own');
  return [...exact, ...(chosen === null ? [] : [chosen])].map((row) =>
    findingOf(advisory, candidate, row),
  );
};

/** What one package is to the rows that name it. */
export interface Judged {
  by: Candidate;
  names: AffectedRow['names'];
  /** What says that it is not affected. */
  sparedBy: AffectedRow | null;
  /** More than one only where each row stands for itself. */
  findings: Finding[];
}

/** What one package is to the rows that name it, all by the same of its names. */
export const judge = (
  advisory: Advisory,
  candidate: Candidate,
  named: readonly AffectedRow[],
  place: HostPlace,
): Judged => {
  const rows = ofModules(candidate.installed, ofProductStream(named));
  const sparedBy = sparingRow(rows, candidate.installed);
  const findings = sparedBy === null ? findingsOf(advisory, candidate, rows, place) : [];
  return { by: candidate, names: named[0]?.names ?? 'binary', sparedBy, findings };
};

/** How closely an advisory means a package by a name: by its own, by that of its source, by that of what its source was signed from. */
const distanceOf = ({ by: { installed, source }, names }: Judged): number =>
  names === 'binary' ? 0 : source === (installed.source ?? installed.name) ? 1 : 2;

/** A word on a fix comes before each that there is none, and of two such the one that means the package more closely. */
const placeIn = (judged: Judged, { state }: Finding): number =>
  (state === 'no-fix' ? 3 : 0) + distanceOf(judged);

/**
 * What an advisory says of a host's packages, by whichever of their names. What it says of a package by its own name counts more
 * than what it says of the source; and none is without a fix that has one by another of its names.
 */
export const together = (judged: readonly Judged[]): Finding[] => {
  if (judged.length < 2) return judged.flatMap(({ findings }) => findings);
  const spared = new Set<InventoryPackage>();
  const first = new Map<InventoryPackage, number>();
  for (const one of judged) {
    const { installed } = one.by;
    if (one.sparedBy !== null && one.names === 'binary') spared.add(installed);
    for (const finding of one.findings)
      first.set(installed, Math.min(first.get(installed) ?? Infinity, placeIn(one, finding)));
  }
  return judged.flatMap((one) => {
    const { installed } = one.by;
    return spared.has(installed) && one.names === 'source'
      ? []
      : one.findings.filter((finding) => placeIn(one, finding) === first.get(installed));
  });
};

/** What the packages of a host that an advisory names are to it, each by each of its names; nothing where it was withdrawn. */
export const judgeAdvisory = (advisory: Advisory, host: IndexedInventory): Judged[] => {
  if (advisory.withdrawn) return [];
  const named = new Map<Candidate, AffectedRow[]>();
  for (const row of advisory.affected) {
    if (!isOffered(row, host)) continue;
    const index = row.names === 'source' ? host.bySource : host.byName;
    for (const candidate of index.get(row.name) ?? []) {
      if (!isFor(row, candidate, host)) continue;
      const known = named.get(candidate);
      if (known === undefined) named.set(candidate, [row]);
      else known.push(row);
    }
  }
  return [...named].map(([candidate, rows]) => judge(advisory, candidate, rows, host));
};

/**
 * What an advisory means for the packages of a host. One finding for each installed package that a row names, by its binary
 * name or that of its source.
 */
export const matchAdvisory = (advisory: Advisory, host: IndexedInventory): Finding[] =>
  together(judgeAdvisory(advisory, host));
