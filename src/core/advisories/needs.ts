import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../versions/compare-rpm-versions.ts';
import { AdvisoryKind } from './advisory.ts';
import type { Severity, VersionScheme } from './advisory.ts';
import { graver } from './combine-parts.ts';
import type { Trackers } from './denials.ts';
import type { InventoryPackage } from './inventory.ts';
import type { Finding } from './match.ts';
import { mergeFindings } from './merge-findings.ts';

/** An advisory that a host has a package for, and not its fix. */
export interface NeededAdvisory {
  feed: string;
  id: string;
}

/** One package of a host that fixes are missing of. */
export interface Need {
  name: string;
  arch: string;
  /** The source package that the target is built from; its own name where that is not known. */
  source: string;
  /** Other packages of that source for which something newer is offered: they are upgraded together with it. */
  siblings: string[];
  installed: string;
  /** The version that the host's own repositories offer, where it brings a fix; null: they have none of them yet. */
  target: string | null;
  /** What the target fixes. */
  offered: NeededAdvisory[];
  /** The same with each thing once, whichever feeds have it, and however many names it has there. */
  fixes: NeededAdvisory[];
  /** Published, and not in the host's repositories yet. */
  waiting: NeededAdvisory[];
  cves: string[];
  /** What it is about: security, where one of the advisories counted here is. */
  kind: AdvisoryKind;
  /** The gravest of the advisories that the target fixes; where there is no target, of all. */
  severity: Severity;
  /** One of its vulnerabilities is known to be exploited. */
  exploited: boolean;
  /** When the target was first seen (wall clock, ms): the age of the update counts from here. Null: there is none. */
  firstSeen: number | null;
  held: boolean;
  /** Packages that it brings under other names than those that the host has, which are meant by what it fixes. */
  brings?: string[];
}

const keyOf = ({ name, arch }: { name: string; arch: string }): string => `${name}:${arch}`;

const isNewer = (scheme: VersionScheme, a: string, b: string): boolean =>
  (scheme === 'deb' ? compareDebVersions : compareRpmVersions)(a, b) > 0;

interface Collected {
  first: Finding;
  findings: Finding[];
}

const collect = (findings: readonly Finding[]): Map<string, Collected> => {
  const byPackage = new Map<string, Collected>();
  for (const finding of findings) {
    const key = `${finding.package}:${finding.arch}`;
    const known = byPackage.get(key);
    if (known === undefined) byPackage.set(key, { first: finding, findings: [finding] });
    else known.findings.push(finding);
  }
  return byPackage;
};

const named = (findings: readonly Finding[]): NeededAdvisory[] => {
  const known = new Map(
    findings.map(({ feed, advisory }) => [`${feed} ${advisory}`, { feed, id: advisory }]),
  );
  return [...known.keys()].sort().flatMap((key) => known.get(key) ?? []);
};

/** Each advisory under one name. */
const once = (findings: readonly Finding[], trackers: Trackers): NeededAdvisory[] => {
  const byId = new Map(named(mergeFindings(findings, trackers)).map((one) => [one.id, one]));
  return [...byId.values()];
};

/** Names of what else is built from the same source, and offered newer. */
const siblingsOf = (
  offers: readonly InventoryPackage[],
  held: ReadonlySet<string>,
): ((name: string, source: string) => string[]) => {
  const bySource = new Map<string, Set<string>>();
  for (const one of offers) {
    // One that is held stays as it is, and one that another brings is none of its own.
    if (held.has(keyOf(one)) || one.through !== undefined) continue;
    const names = bySource.get(one.source ?? one.name) ?? new Set<string>();
    bySource.set(one.source ?? one.name, names.add(one.name));
  }
  return (name, source) => [...(bySource.get(source) ?? [])].filter((one) => one !== name).sort();
};

export interface NeedsOptions {
  scheme: VersionScheme;
  /** Names of feeds that are Debian's tracker. */
  trackers: Trackers;
  /** Findings of the inventory that are `pending`. */
  pending: readonly Finding[];
  /** `feed advisory package:arch` of what is applied once the offers are installed. */
  appliedByOffers: Pick<ReadonlySet<string>, 'has'>;
  offers: readonly InventoryPackage[];
  held: ReadonlySet<string>;
  isExploited: (cve: string) => boolean;
  /** When a version of a package was first seen; null: just now. */
  firstSeen: (name: string, version: string) => number | null;
  now: number;
}

export const findingKey = ({ feed, advisory, package: name, arch }: Finding): string =>
  `${feed} ${advisory} ${name}:${arch}`;

/** The same as findings of the packages that bring what is offered, where those are others. */
const throughOthers = (
  { pending, appliedByOffers }: NeedsOptions,
  offers: ReadonlyMap<string, InventoryPackage>,
): Pick<NeedsOptions, 'pending' | 'appliedByOffers'> & {
  brings: ReadonlyMap<string, ReadonlySet<string>>;
} => {
  const applied = new Set<string>();
  const brings = new Map<string, Set<string>>();
  const moved = pending.map((one) => {
    const { package: name, arch } = one;
    const through = offers.get(keyOf({ name, arch }))?.through;
    if (through === undefined || !appliedByOffers.has(findingKey(one))) return one;
    const finding = { ...one, package: through.name, installed: through.installed };
    applied.add(findingKey(finding));
    const key = keyOf({ name: through.name, arch });
    brings.set(key, (brings.get(key) ?? new Set()).add(name));
    return finding;
  });
  const has = (key: string): boolean => applied.has(key) || appliedByOffers.has(key);
  return { pending: moved, appliedByOffers: { has }, brings };
};

/**
 * What a host needs, one entry a package: the version to upgrade to is the one that its own repositories offer, never one
 * that an advisory names, since only that can be installed, and binary versions differ from those of sources. In the order
 * of names, so that equal hosts have equal needs.
 */
export const needsOf = (options: NeedsOptions): Need[] => {
  const offers = new Map(options.offers.map((one) => [keyOf(one), one]));
  const { pending, appliedByOffers, brings } = throughOthers(options, offers);
  const siblings = siblingsOf(options.offers, options.held);
  return [...collect(pending)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { first, findings }]) => {
      const offer = offers.get(key);
      const usable =
        offer !== undefined && isNewer(options.scheme, offer.version, first.installed)
          ? findings.filter((one) => appliedByOffers.has(findingKey(one)))
          : [];
      const target = usable.length > 0 ? (offer?.version ?? null) : null;
      const counted = target === null ? findings : usable;
      const cves = [...new Set(counted.flatMap((one) => one.cves))].sort();
      const source = offer?.source ?? first.package;
      const settled = new Set(usable);
      const rest = findings.filter((one) => !settled.has(one));
      return {
        ...{ name: first.package, arch: first.arch, installed: first.installed, target, cves },
        ...{ source, siblings: target === null ? [] : siblings(first.package, source) },
        ...{ offered: named(usable), fixes: once(usable, options.trackers), waiting: named(rest) },
        kind:
          AdvisoryKind.options.find((kind) => counted.some((one) => one.kind === kind)) ??
          'security',
        severity: counted.map((one) => one.severity).reduce(graver, 'unknown'),
        exploited: cves.some(options.isExploited),
        firstSeen:
          target === null ? null : (options.firstSeen(first.package, target) ?? options.now),
        held: options.held.has(key),
        ...(brings.has(key) ? { brings: [...(brings.get(key) ?? [])].sort() } : {}),
      };
    });
};
