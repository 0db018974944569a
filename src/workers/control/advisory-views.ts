import type {
  AdvisoryDetail,
  AdvisoryLine,
  AffectedPackage,
  HostInventoryView,
} from '../../core/advisories/advisory-views.ts';
import { Severity } from '../../core/advisories/advisory.ts';
import type { Advisory } from '../../core/advisories/advisory.ts';
import { matchAdvisory } from '../../core/advisories/match.ts';
import type { Finding } from '../../core/advisories/match.ts';
import { isNeedOf } from '../../core/advisories/needs.ts';
import type { Need } from '../../core/advisories/needs.ts';
import { explainNeed, waveOfNeed } from '../../core/coordinator/explain-need.ts';
import type { Fleet, Host } from '../../core/coordinator/fleet.ts';
import { advisoriesCalled } from '../../store/advisories.ts';
import type { StoredAdvisory } from '../../store/advisories.ts';
import type { Store } from '../../store/open-store.ts';
import { advisoryKey } from './image-needs.ts';
import type { Matcher } from './matcher.ts';

export interface ViewSources {
  store: Store;
  matcher: Pick<Matcher, 'images' | 'imageOf' | 'isExploited'>;
  fleet: Fleet;
  wallMs: number;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** What an advisory means for each package of each host that has one of its packages. */
const affectedBy = (
  { matcher, fleet, wallMs }: ViewSources,
  advisory: Advisory,
): AffectedPackage[] => {
  const { feed, id } = advisory;
  const whyPending = (host: Host | undefined, need: Need | undefined): string =>
    host === undefined
      ? 'its host is not enrolled'
      : need === undefined
        ? 'found just now'
        : explainNeed(fleet, host, need, { feed, id }, wallMs);
  const of = (host: string, finding: Finding): AffectedPackage => {
    const known = fleet.hosts.get(host);
    const need = known?.needs?.list.find((one) => isNeedOf(one, finding));
    const isOffered = need?.offered.some((one) => one.feed === feed && one.id === id) ?? false;
    const pending = finding.state === 'pending';
    return {
      ...{ host, package: finding.package, arch: finding.arch, installed: finding.installed },
      ...{ fixed: finding.fixed, state: finding.state },
      target: pending && isOffered ? (need?.target ?? null) : null,
      wave: pending ? waveOfNeed(fleet, host, need?.name ?? finding.package) : null,
      why: pending && finding.reboot !== true ? whyPending(known, need) : finding.why,
    };
  };
  return matcher
    .images()
    .flatMap(({ needs, hosts }) => {
      const findings = matchAdvisory(advisory, needs.index);
      return hosts.flatMap((host) => findings.map((finding) => of(host, finding)));
    })
    .sort((a, b) => (a.host + a.package < b.host + b.package ? -1 : 1));
};

const unique = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();

const lineOf = (
  sources: ViewSources,
  { advisory }: StoredAdvisory,
  affected: readonly AffectedPackage[],
): AdvisoryLine => {
  const pending = affected.filter(({ state }) => state === 'pending');
  const { feed, id, title, severity, cves, published } = advisory;
  return {
    ...{ feed, id, title, severity, cves, published },
    exploited: cves.some(sources.matcher.isExploited),
    packages: unique(pending.map((one) => one.package)),
    hosts: new Set(pending.map(({ host }) => host)).size,
    notInMirror: new Set(pending.filter(({ target }) => target === null).map(({ host }) => host))
      .size,
    decisions: unique(pending.map(({ why }) => why)),
  };
};

/** Advisories of which some host lacks the fix, the gravest first. */
export const pendingAdvisories = async (sources: ViewSources): Promise<AdvisoryLine[]> => {
  const keys = new Set(
    sources.matcher
      .images()
      .flatMap(({ needs, hosts }) => (hosts.length === 0 ? [] : [...needs.pending.keys()])),
  );
  const lines: AdvisoryLine[] = [];
  for (const id of unique([...keys].map((key) => key.slice(key.indexOf(' ') + 1))))
    for (const stored of await advisoriesCalled(sources.store.db, id)) {
      if (!keys.has(advisoryKey(stored.advisory))) continue;
      const affected = affectedBy(sources, stored.advisory);
      lines.push(lineOf(sources, stored, affected));
    }
  const rank = ({ severity, exploited }: AdvisoryLine): number =>
    Severity.options.indexOf(severity) - (exploited ? Severity.options.length : 0);
  return lines.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
};

/** One advisory by its id, from each feed that has it. */
export const advisoryDetails = async (
  sources: ViewSources,
  id: string,
): Promise<AdvisoryDetail[]> =>
  (await advisoriesCalled(sources.store.db, id)).map((stored) => {
    const { advisory, firstSeen } = stored;
    const affected = affectedBy(sources, advisory);
    const hosts = unique(affected.map(({ host }) => host));
    return {
      ...lineOf(sources, stored, affected),
      ...{ vendorSeverity: advisory.vendorSeverity, withdrawn: advisory.withdrawn, affected },
      firstSeen: iso(firstSeen),
      containers: hosts.map((host) => {
        const there = [...sources.fleet.containers.values()].filter(
          (container) => container.host === host && container.view.onHostRoot,
        );
        const stale = there.filter(({ view }) => view.stale.length > 0).length;
        return { host, count: there.length, stale };
      }),
    };
  });

/** What a host last reported of its packages; null: nothing yet. */
export const hostInventoryView = (
  { matcher }: Pick<ViewSources, 'matcher'>,
  host: string,
): HostInventoryView | null => {
  const found = matcher.imageOf(host);
  if (found === null) return null;
  const { needs, row } = found;
  return {
    host,
    inventory: needs.image.inventory,
    offers: needs.image.offers,
    reportedAt: iso(row.reportedAt),
    refreshedAt: row.refreshedAt === null ? null : iso(row.refreshedAt),
    refreshProblem: row.refreshProblem,
  };
};
