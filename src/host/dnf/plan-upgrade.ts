import type { WantedPackage } from '../../core/messages.ts';
import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import { missingVersions } from '../packages/failure.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { dnfFailure } from './name-failure.ts';
import type { OfferedAdvisory, RpmOffer } from './parse-offers.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import type { RpmOffers } from './read-offers.ts';

export interface RpmTarget {
  name: string;
  arch: string;
  from: string;
  to: string;
}

export type RpmPlan =
  { ok: true; targets: RpmTarget[]; held: string[] } | { ok: false; reason: PackageFailure };

type Named = Pick<RpmPackage, 'name' | 'arch'>;
const label = ({ name, arch }: Named): string => `${name}.${arch}`;
const newer = (a: string, b: string): boolean => compareRpmVersions(a, b) > 0;
const atLeast = (a: string, b: string): boolean => compareRpmVersions(a, b) >= 0;
const sorted = <T extends { version: string }>(some: readonly T[]): T[] =>
  [...some].sort((a, b) => compareRpmVersions(a.version, b.version));

/** Of packages that are installed in several versions (kernels) only the newest counts. */
export const newestOfEach = (packages: readonly RpmPackage[]): RpmPackage[] => {
  const newest = new Map<string, RpmPackage>();
  for (const one of packages) {
    const known = newest.get(label(one));
    if (known === undefined || newer(one.version, known.version)) newest.set(label(one), one);
  }
  return [...newest.values()];
};

const matches = (one: Named, name: string): boolean =>
  one.name === name || label(one) === name || `${one.name}:${one.arch}` === name;

/** The wanted packages and every installed binary of their sources: those are upgraded together. */
export const relatedPackages = (
  installed: readonly RpmPackage[],
  names: readonly string[],
): RpmPackage[] => {
  const wanted = installed.filter((one) => names.some((name) => matches(one, name)));
  const sources = new Set(wanted.map(({ source }) => source));
  return installed.filter(({ source }) => sources.has(source));
};

/** Those of one package that are newer than what is installed, oldest first. */
const newerThan = (one: RpmPackage, offers: readonly RpmOffer[]): RpmOffer[] =>
  sorted(
    offers.filter((offer) => label(offer) === label(one) && newer(offer.version, one.version)),
  );

type Choice =
  | { kind: 'satisfied' }
  | { kind: 'offer'; offer: RpmOffer }
  | { kind: 'failure'; reason: PackageFailure };

const failure = (kind: PackageFailure['kind'], message: string): Choice => ({
  ...{ kind: 'failure', reason: dnfFailure(kind, message) },
});

const choose = (one: RpmPackage, { want, version }: WantedPackage, found: RpmOffers): Choice => {
  const list = newerThan(one, found.offers);
  const candidate = list.find((offer) => offer.version === found.candidates.get(label(one)));
  const fits = (offered: string): boolean =>
    version === null ||
    (want === 'exact' ? compareRpmVersions(offered, version) === 0 : atLeast(offered, version));
  if (want !== 'newest') {
    if (version === null)
      return failure('unknown-version', `${label(one)}: ${want} needs a version`);
    const order = compareRpmVersions(version, one.version);
    if (order === 0 || (want === 'at-least' && order < 0)) return { kind: 'satisfied' };
    if (order < 0)
      return failure(
        'would-downgrade',
        `${label(one)} is at ${one.version}, newer than ${version}`,
      );
  }
  const isFit = ({ version: offered }: RpmOffer): boolean => fits(offered);
  if (candidate !== undefined && isFit(candidate)) return { kind: 'offer', offer: candidate };
  // What dnf itself would take, else the smallest step that is enough; the newest is dnf's own choice alone.
  const lowest = want === 'newest' ? undefined : list.find(isFit);
  if (lowest !== undefined) return { kind: 'offer', offer: lowest };
  if (newerThan(one, found.excluded).some(isFit))
    return failure('held', `${label(one)} is kept at ${one.version} by an exclude or versionlock`);
  if (want === 'newest') return { kind: 'satisfied' };
  const wanted = `${version ?? ''}${want === 'at-least' ? ' or newer' : ''}`;
  if (newerThan(one, found.otherStreams).some(isFit))
    return failure(
      'unknown-version',
      `${label(one)}: ${wanted} is of a module stream that is not enabled (\`dnf module list\`)`,
    );
  const known = list.map((offer) => offer.version).join(', ');
  return failure(
    'unknown-version',
    `${label(one)}: the repositories offer ${known || 'nothing newer'}, not ${wanted}`,
  );
};

/** What is collected while a plan is made. */
interface Draft {
  installed: readonly RpmPackage[];
  found: RpmOffers;
  targets: Map<string, RpmTarget>;
  held: Set<string>;
}

const take = (draft: Draft, one: RpmPackage, { version: to }: RpmOffer): void => {
  const { name, arch, version: from } = one;
  draft.targets.set(label(one), { name, arch, from, to });
};

/** Adds the other installed binaries that were built from the same source version. */
const takeSiblings = (draft: Draft, one: RpmPackage, target: RpmOffer): void => {
  const sameSource = ({ source, sourceVersion }: RpmOffer): boolean =>
    source === target.source && sourceVersion === target.sourceVersion;
  for (const sibling of draft.installed) {
    if (sibling.source !== one.source || draft.targets.has(label(sibling))) continue;
    const offer = newerThan(sibling, draft.found.offers).findLast(sameSource);
    if (offer !== undefined) take(draft, sibling, offer);
    else if (newerThan(sibling, draft.found.excluded).some(sameSource))
      draft.held.add(label(sibling));
  }
};

const planOf = (draft: Draft, chosen: readonly { one: RpmPackage; offer: RpmOffer }[]): RpmPlan => {
  for (const { one, offer } of chosen) take(draft, one, offer);
  for (const { one, offer } of chosen) takeSiblings(draft, one, offer);
  return { ok: true, targets: [...draft.targets.values()], held: [...draft.held].sort() };
};

const draftOf = (installed: readonly RpmPackage[], found: RpmOffers): Draft => ({
  ...{ installed: newestOfEach(installed), found, targets: new Map(), held: new Set() },
});

/**
 * Versions to install so that each wanted package, and every other binary of its source, is as asked for. Nothing to do
 * is an empty plan. One that an exclude or versionlock keeps, one that is not installed, a version that is not
 * offered or older than the installed one: a failure. A sibling that is kept is left out and named.
 */
export const planUpgrade = (
  installed: readonly RpmPackage[],
  found: RpmOffers,
  wanted: readonly WantedPackage[],
): RpmPlan => {
  const draft = draftOf(installed, found);
  const chosen: { one: RpmPackage; offer: RpmOffer }[] = [];
  const missing: Parameters<typeof missingVersions>[0][number][] = [];
  for (const want of wanted) {
    const some = draft.installed.filter((one) => matches(one, want.name));
    if (some.length === 0)
      return { ok: false, reason: dnfFailure('not-installed', `${want.name} is not installed`) };
    for (const one of some) {
      const choice = choose(one, want, found);
      if (choice.kind === 'failure') {
        if (choice.reason.kind !== 'unknown-version') return { ok: false, reason: choice.reason };
        missing.push({ name: one.name, arch: one.arch, reason: choice.reason });
        continue;
      }
      if (choice.kind === 'offer') chosen.push({ one, offer: choice.offer });
    }
  }
  const reason = missingVersions(missing);
  if (reason !== null) return { ok: false, reason };
  return planOf(draft, chosen);
};

/**
 * Every installed package for which one of `advisories` names a newer version, to the smallest version that has all of
 * their fixes and is offered; versions that only bring other changes are not taken. Packages that are kept are left
 * out and named.
 */
export const planByAdvisories = (
  installed: readonly RpmPackage[],
  found: RpmOffers,
  advisories: readonly OfferedAdvisory[],
): RpmPlan => {
  const draft = draftOf(installed, found);
  const chosen: { one: RpmPackage; offer: RpmOffer }[] = [];
  for (const one of draft.installed) {
    const fixes = sorted(
      advisories.filter((fix) => label(fix) === label(one) && newer(fix.version, one.version)),
    );
    const [first, last] = [fixes.at(0), fixes.at(-1)];
    if (first === undefined || last === undefined) continue;
    const list = newerThan(one, found.offers);
    const whole = list.find(({ version }) => atLeast(version, last.version));
    // Where the latest fix is not offered, an earlier one is better than none.
    const offer = whole ?? list.findLast(({ version }) => atLeast(version, first.version));
    if (offer !== undefined) chosen.push({ one, offer });
    const kept = newerThan(one, found.excluded).some(({ version }) =>
      atLeast(version, last.version),
    );
    if (whole === undefined && kept) draft.held.add(label(one));
  }
  return planOf(draft, chosen);
};

/** The operands for dnf: each package with its exact version. */
export const dnfOperands = (targets: readonly RpmTarget[]): string[] =>
  targets.map(({ name, arch, to }) => `${name}-${to}.${arch}`);
