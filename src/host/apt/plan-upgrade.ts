import type { WantedPackage } from '../../core/messages.ts';
import { compareDebVersions } from '../../core/versions/compare-deb-versions.ts';
import { aptFailure } from './name-failure.ts';
import { missingVersions } from '../packages/failure.ts';
import type { PackageFailure } from '../packages/failure.ts';
import type { DpkgPackage } from './parse-dpkg-status.ts';
import type { Offer, PackageOffers } from './read-offers.ts';

export interface UpgradeTarget {
  name: string;
  arch: string;
  from: string;
  to: string;
}

export type UpgradePlan =
  { ok: true; targets: UpgradeTarget[]; held: string[] } | { ok: false; reason: PackageFailure };

const label = ({ name, arch }: { name: string; arch: string }): string => `${name}:${arch}`;
const newer = (a: string, b: string): boolean => compareDebVersions(a, b) > 0;
const newest = (offers: readonly Offer[]): Offer | undefined =>
  [...offers].sort((a, b) => compareDebVersions(b.version, a.version))[0];

/** What may be installed: a repository has it, and no pin forbids it. */
const installable = (offers: PackageOffers | undefined): Offer[] =>
  (offers?.offers ?? []).filter(({ available, priority }) => available && priority >= 0);

const matches = (one: DpkgPackage, name: string): boolean =>
  one.name === name || label(one) === name;

/** The wanted packages and every installed binary of their sources: those are upgraded together. */
export const relatedPackages = (
  installed: readonly DpkgPackage[],
  wanted: readonly WantedPackage[],
): DpkgPackage[] => {
  const sources = new Set(
    installed
      .filter((one) => wanted.some(({ name }) => matches(one, name)))
      .map(({ source }) => source),
  );
  return installed.filter(({ source }) => sources.has(source));
};

type Choice =
  | { kind: 'satisfied' }
  | { kind: 'offer'; offer: Offer }
  | { kind: 'failure'; reason: PackageFailure };

const choose = (one: DpkgPackage, wanted: WantedPackage, offers: PackageOffers): Choice => {
  const { want, version } = wanted;
  const list = installable(offers);
  const candidate = list.find((offer) => offer.version === offers.candidate);
  if (want === 'newest')
    return candidate !== undefined && newer(candidate.version, one.version)
      ? { kind: 'offer', offer: candidate }
      : { kind: 'satisfied' };
  if (version === null)
    return {
      kind: 'failure',
      reason: aptFailure('unknown-version', `${label(one)}: ${want} needs a version`),
    };
  const order = compareDebVersions(version, one.version);
  if (order === 0 || (want === 'at-least' && order < 0)) return { kind: 'satisfied' };
  if (order < 0)
    return {
      kind: 'failure',
      reason: aptFailure(
        'would-downgrade',
        `${label(one)} is at ${one.version}, newer than ${version}`,
      ),
    };
  const fits = ({ version: offered }: Offer): boolean =>
    want === 'exact' ? offered === version : compareDebVersions(offered, version) >= 0;
  // At least: what apt itself would take, else the smallest step that is enough.
  const lowest = newest(
    list.filter(fits).filter((a) => !list.some((b) => fits(b) && newer(a.version, b.version))),
  );
  const offer = candidate !== undefined && fits(candidate) ? candidate : lowest;
  if (offer !== undefined) return { kind: 'offer', offer };
  const known = list.map((each) => each.version).join(', ');
  const least = want === 'at-least' ? ' or newer' : '';
  return {
    kind: 'failure',
    reason: aptFailure(
      'unknown-version',
      `${label(one)}: the repositories offer ${known || 'nothing'}, not ${version}${least}`,
    ),
  };
};

/** What is collected while a plan is made. */
interface Draft {
  installed: readonly DpkgPackage[];
  offers: ReadonlyMap<string, PackageOffers>;
  targets: Map<string, UpgradeTarget>;
  held: Set<string>;
}

const take = (draft: Draft, one: DpkgPackage, offer: Offer): void => {
  const { name, arch, version } = one;
  draft.targets.set(label(one), { name, arch, from: version, to: offer.version });
};

/** Adds the other installed binaries that were built from the same source version. */
const takeSiblings = (draft: Draft, one: DpkgPackage, target: Offer): void => {
  for (const sibling of draft.installed) {
    if (sibling.source !== one.source || draft.targets.has(label(sibling))) continue;
    const offer = newest(
      installable(draft.offers.get(label(sibling))).filter(
        ({ source, sourceVersion, version }) =>
          source === target.source &&
          sourceVersion === target.sourceVersion &&
          newer(version, sibling.version),
      ),
    );
    if (offer === undefined) continue;
    if (sibling.want === 'hold') draft.held.add(label(sibling));
    else take(draft, sibling, offer);
  }
};

const draftOf = (installed: readonly DpkgPackage[], offers: readonly PackageOffers[]): Draft => ({
  installed,
  offers: new Map(offers.map((one) => [label(one), one])),
  targets: new Map(),
  held: new Set(),
});

const planOf = ({ targets, held }: Draft): UpgradePlan => ({
  ok: true,
  targets: [...targets.values()],
  held: [...held].sort(),
});

/**
 * Versions to install so that each wanted package, and every other binary of its source, is as
 * asked for. Nothing to do is an empty plan. A held package that would have to change, one that is
 * not installed, a version that is not offered or older than the installed one: a failure. A held
 * sibling is left out and named.
 */
export const planUpgrade = (
  installed: readonly DpkgPackage[],
  offers: readonly PackageOffers[],
  wanted: readonly WantedPackage[],
): UpgradePlan => {
  const draft = draftOf(installed, offers);
  const chosen: { one: DpkgPackage; offer: Offer }[] = [];
  const missing: Parameters<typeof missingVersions>[0][number][] = [];
  for (const want of wanted) {
    const found = installed.filter((one) => matches(one, want.name));
    if (found.length === 0)
      return { ok: false, reason: aptFailure('not-installed', `${want.name} is not installed`) };
    for (const one of found) {
      const offered = draft.offers.get(label(one)) ?? { ...one, candidate: null, offers: [] };
      const choice = choose(one, want, offered);
      if (choice.kind === 'failure') {
        if (choice.reason.kind !== 'unknown-version') return { ok: false, reason: choice.reason };
        missing.push({ name: one.name, arch: one.arch, reason: choice.reason });
        continue;
      }
      if (choice.kind === 'satisfied') continue;
      if (one.want === 'hold')
        return {
          ok: false,
          reason: aptFailure('held', `${label(one)} is held at ${one.version}`),
        };
      chosen.push({ one, offer: choice.offer });
      take(draft, one, choice.offer);
    }
  }
  const reason = missingVersions(missing);
  if (reason !== null) return { ok: false, reason };
  for (const { one, offer } of chosen) takeSiblings(draft, one, offer);
  return planOf(draft);
};

/**
 * Every installed package for which a repository of security updates has a newer version, to the
 * newest such version; newer ones that only other repositories have are not taken. Held packages
 * are left out and named.
 */
export const planSecurityUpgrade = (
  installed: readonly DpkgPackage[],
  offers: readonly PackageOffers[],
): UpgradePlan => {
  const draft = draftOf(installed, offers);
  const chosen: { one: DpkgPackage; offer: Offer }[] = [];
  for (const one of installed) {
    const offer = newest(
      installable(draft.offers.get(label(one))).filter(
        ({ security, version }) => security && newer(version, one.version),
      ),
    );
    if (offer === undefined) continue;
    if (one.want === 'hold') {
      draft.held.add(label(one));
      continue;
    }
    chosen.push({ one, offer });
    take(draft, one, offer);
  }
  for (const { one, offer } of chosen) takeSiblings(draft, one, offer);
  return planOf(draft);
};

/** The operands for apt-get(8): each package with its exact version. */
export const aptOperands = (targets: readonly UpgradeTarget[]): string[] =>
  targets.map(({ name, arch, to }) => `${arch === 'all' ? name : `${name}:${arch}`}=${to}`);
