import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../versions/compare-rpm-versions.ts';
import type { VersionScheme } from './advisory.ts';
import { originOf } from './distributor.ts';
import type { Origin } from './distributor.ts';
import type { InventoryPackage } from './inventory.ts';
import type { Present } from './kernels.ts';
import { signedSources } from './signed-source.ts';
import type { SourceIdentity } from './signed-source.ts';

/** A package under one of the names by which advisories may mean it. */
export interface Candidate extends SourceIdentity {
  installed: InventoryPackage;
  /** Its version under that name: that of the package, or of the source. */
  version: string;
  origin: Origin;
  /** The older kernel that runs in its place, and how that stands to a version. */
  running?: { installed: InventoryPackage; compare: SourceIdentity['compare'] };
}

/** A package by its own name, and by each source that it stands for. */
export interface Candidates {
  byName: Candidate;
  bySource: readonly Candidate[];
}

/** A binary was built anew of the same source: `+b1` at its end says so where no source version is known. */
const withoutRebuild = (version: string): string => version.replace(/\+b\d+$/, '');

const withoutEpoch = (version: string): string => version.replace(/^\d+:/, '');

/**
 * The source of a rpm is known by the name of its file, which has no epoch. It is that of the package where the two have the same
 * version; else a package has an epoch of its own (perl-Errno 1.30 of perl 4:5.32.1), and none of the two counts.
 */
const rpmSource = (
  version: string,
  given: string | undefined,
): Pick<Candidate, 'version' | 'compare'> => {
  const isKnown = given === undefined || /^\d+:/.test(given);
  if (isKnown || given === withoutEpoch(version)) {
    const source = isKnown ? (given ?? version) : version;
    return { version: source, compare: (other) => compareRpmVersions(source, other) };
  }
  return {
    version: given,
    compare: (other) => compareRpmVersions(given, withoutEpoch(other)),
  };
};

const debSource = (
  version: string,
  given: string | undefined,
): Pick<Candidate, 'version' | 'compare'> => {
  const source = given ?? withoutRebuild(version);
  return { version: source, compare: (other) => compareDebVersions(source, other) };
};

/** What advisories may mean a package by, on a host of that distribution. */
export const candidatesOf = (
  installed: InventoryPackage,
  scheme: VersionScheme,
  distro: string,
): Candidates => {
  const compare = scheme === 'deb' ? compareDebVersions : compareRpmVersions;
  const { name, version, sourceVersion } = installed;
  const source = installed.source ?? name;
  const common = { installed, version, origin: originOf(installed, distro) };
  const ofSource = scheme === 'deb' ? debSource : rpmSource;
  const own: Candidate = { ...common, source, ...ofSource(version, sourceVersion) };
  const signed = scheme === 'deb' ? signedSources(installed) : [];
  return {
    byName: { ...common, source, compare: (other) => compare(version, other) },
    bySource: [own, ...signed.map((one) => ({ ...common, ...one }))],
  };
};

/** The same of what is present: beside the kernel that boots next the one that runs. */
export const candidatesPresent = (
  { installed, running }: Present,
  of: (one: InventoryPackage) => Candidates,
): Candidates => {
  const next = of(installed);
  if (running === null) return next;
  const now = of(running);
  const beside = (candidate: Candidate, other: Candidate | undefined): Candidate =>
    other === undefined
      ? candidate
      : { ...candidate, running: { installed: running, compare: other.compare } };
  return {
    byName: beside(next.byName, now.byName),
    bySource: next.bySource.map((candidate) =>
      beside(
        candidate,
        now.bySource.find(({ source }) => source === candidate.source),
      ),
    ),
  };
};
