import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../versions/compare-rpm-versions.ts';
import type { Advisory, AffectedRow, Severity } from './advisory.ts';
import type { Candidate } from './candidates.ts';
import { chooseRow, isOfOtherStream, isOfSameModule } from './choose-row.ts';
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

/** Said of this package as a whole, or of the module that it is of. */
const isNotAffected = (rows: readonly AffectedRow[], installed: InventoryPackage): boolean =>
  rows.some(
    ({ status, module }) =>
      status === 'not-affected' &&
      (module === null ||
        (installed.module ?? '').startsWith(`${module}:`) ||
        installed.module === module),
  );

/** What one package is to the rows that name it: more than one finding only where each row stands for itself. */
export const judge = (
  advisory: Advisory,
  candidate: Candidate,
  named: readonly AffectedRow[],
  place: HostPlace,
): Finding[] => {
  const { installed } = candidate;
  const rows = ofProductStream(named);
  if (isNotAffected(rows, installed)) return [];
  const within = rows.filter(
    ({ introduced, status }) =>
      status !== 'not-affected' && (introduced === undefined || candidate.compare(introduced) >= 0),
  );
  const [only] = within;
  if (only === undefined) return [];
  // Streams and rebuilds are things of rpm; and most packages have one row.
  if (place.scheme === 'deb' && within.length === 1) return [findingOf(advisory, candidate, only)];
  if (isOfOtherStream(installed, within, advisory.affected)) return [];
  const exact = within.filter((row) => row.exact === true && isOfSameModule(installed, row));
  const alternatives = within.filter((row) => row.exact !== true);
  const compare = place.scheme === 'deb' ? compareDebVersions : compareRpmVersions;
  const chosen = chooseRow(installed, alternatives, compare);
  return [...exact, ...(chosen === null ? [] : [chosen])].map((row) =>
    findingOf(advisory, candidate, row),
  );
};

/**
 * What an advisory means for the packages of a host; nothing where it was withdrawn. One finding for each installed
 * package that a row names, by its binary name or that of its source.
 */
export const matchAdvisory = (advisory: Advisory, host: IndexedInventory): Finding[] => {
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
  return [...named].flatMap(([candidate, rows]) => judge(advisory, candidate, rows, host));
};
