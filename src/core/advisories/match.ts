import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../versions/compare-rpm-versions.ts';
import type { Advisory, AffectedRow, Severity } from './advisory.ts';
import { chooseRow, isOfSameModule } from './choose-row.ts';
import type { Candidate, IndexedInventory } from './index-inventory.ts';
import type { InventoryPackage } from './inventory.ts';
import { isRelease } from './release-of.ts';

/** `pending`: a fix is there and not installed; `applied`: it is; `no-fix`: affected, and there is none yet. */
export type FindingState = 'pending' | 'applied' | 'no-fix';

/** What an advisory means for one installed package. */
export interface Finding {
  feed: string;
  advisory: string;
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
  /** How it came to that, in words. */
  why: string;
}

export const isOffered = (row: AffectedRow, host: IndexedInventory): boolean =>
  row.distro === host.distro &&
  row.scheme === host.scheme &&
  isRelease(row.release, host.release) &&
  (row.channel === null || host.channels.has(row.channel));

/** Packages of rpm that are for every architecture, and of dpkg. */
const everywhere: ReadonlySet<string> = new Set(['noarch', 'all', '']);

export const isFor = (row: AffectedRow, { installed }: Candidate): boolean =>
  row.arch === null ||
  row.arch === installed.arch ||
  everywhere.has(row.arch) ||
  everywhere.has(installed.arch);

const whyOf = (row: AffectedRow, candidate: Candidate, state: FindingState): string => {
  const { installed, source } = candidate;
  const through =
    row.names === 'source' && source !== installed.name ? ` (of source ${row.name})` : '';
  const held = installed.held === true && state === 'pending' ? '; it is held' : '';
  const note = row.note === null ? '' : `: ${row.note}`;
  switch (state) {
    case 'pending':
      return `${installed.version}${through} is older than ${row.fixed}${held}`;
    case 'applied':
      return `${installed.version}${through} has the fix of ${row.fixed}`;
    case 'no-fix':
      return `${installed.version}${through} is affected, and there is no fix${note}`;
  }
};

const findingOf = (advisory: Advisory, candidate: Candidate, row: AffectedRow): Finding => {
  const { installed } = candidate;
  const state: FindingState =
    row.fixed === null ? 'no-fix' : candidate.compare(row.fixed) < 0 ? 'pending' : 'applied';
  return {
    ...{ feed: advisory.feed, advisory: advisory.id, cves: advisory.cves },
    ...{ package: installed.name, arch: installed.arch, installed: installed.version },
    ...{ fixed: row.fixed, state, severity: advisory.severity },
    ...{ vendorSeverity: advisory.vendorSeverity, channel: row.channel },
    why: whyOf(row, candidate, state),
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
  rows: readonly AffectedRow[],
  host: IndexedInventory,
): Finding[] => {
  const { installed } = candidate;
  if (isNotAffected(rows, installed)) return [];
  const within = rows.filter(
    ({ introduced, status }) =>
      status !== 'not-affected' && (introduced === undefined || candidate.compare(introduced) >= 0),
  );
  const [only] = within;
  if (only === undefined) return [];
  // Streams and rebuilds are things of rpm; and most packages have one row.
  if (host.scheme === 'deb' && within.length === 1) return [findingOf(advisory, candidate, only)];
  const exact = within.filter((row) => row.exact === true && isOfSameModule(installed, row));
  const alternatives = within.filter((row) => row.exact !== true);
  const compare = host.scheme === 'deb' ? compareDebVersions : compareRpmVersions;
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
      if (!isFor(row, candidate)) continue;
      const known = named.get(candidate);
      if (known === undefined) named.set(candidate, [row]);
      else known.push(row);
    }
  }
  return [...named].flatMap(([candidate, rows]) => judge(advisory, candidate, rows, host));
};
