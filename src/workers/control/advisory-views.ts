import type {
  AdvisoryDetail,
  AdvisoryLine,
  AffectedPackage,
  HostInventoryView,
} from '../../core/advisories/advisory-views.ts';
import { Severity } from '../../core/advisories/advisory.ts';
import type { Advisory } from '../../core/advisories/advisory.ts';
import { advisoryKey } from '../../core/advisories/advisory-key.ts';
import type { FleetImage } from '../../core/advisories/fleet-units.ts';
import type { Finding } from '../../core/advisories/match.ts';
import { decisionsNow } from '../../core/coordinator/decisions.ts';
import type { Decisions } from '../../core/coordinator/decisions.ts';
import type { Container, Fleet } from '../../core/coordinator/fleet.ts';
import { advisoriesCalled, advisoriesOf } from '../../store/advisories.ts';
import type { AdvisoryKey } from '../../store/advisories.ts';
import { inventoryDocument } from '../../store/inventories.ts';
import type { Store } from '../../store/open-store.ts';
import { missingIn } from '../../core/advisories/image-needs.ts';
import { Image } from './inventories-in.ts';
import type { Matcher } from './matcher.ts';
import { createPace } from './pace.ts';
import { alikeHosts } from './stand-alike.ts';

export interface ViewSources {
  store: Store;
  matcher: Pick<Matcher, 'images' | 'findings' | 'inventoryOf' | 'isExploited'>;
  fleet: Fleet;
  wallMs: number;
}

const iso = (ms: number): string => new Date(ms).toISOString();

const unique = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();

/** What the fleet lacks of one advisory. */
interface Missing {
  key: AdvisoryKey;
  packages: Set<string>;
  hosts: number;
  notInMirror: number;
  decisions: Set<string>;
}

const newMissing = (key: AdvisoryKey): Missing => ({
  ...{ key, packages: new Set(), hosts: 0, notInMirror: 0, decisions: new Set() },
});

/** Count what hosts of an image lack, by the advisory; those about which the same is decided are looked at once. */
const countMissing = (
  { fleet }: ViewSources,
  decisions: Decisions,
  image: FleetImage,
  findings: readonly Finding[],
  into: Map<string, Missing>,
): void => {
  const alike = alikeHosts(fleet, image, decisions);
  const byAdvisory = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = advisoryKey({ feed: finding.feed, id: finding.advisory });
    const known = byAdvisory.get(key);
    if (known === undefined) byAdvisory.set(key, [finding]);
    else known.push(finding);
  }
  for (const [key, missing] of byAdvisory) {
    const [first] = missing;
    if (first === undefined) continue;
    const counted = into.get(key) ?? newMissing({ feed: first.feed, id: first.advisory });
    into.set(key, counted);
    for (const { package: name } of missing) counted.packages.add(name);
    for (const { hosts, standingOf } of alike) {
      const standings = missing.map(standingOf);
      counted.hosts += hosts.length;
      if (standings.some(({ target }) => target === null)) counted.notInMirror += hosts.length;
      for (const { why } of standings) counted.decisions.add(why);
    }
  }
};

const lineOf = (
  { matcher }: ViewSources,
  { feed, id, title, severity, cves, published }: Advisory,
  missing: Missing,
): AdvisoryLine => ({
  ...{ feed, id, title, severity, cves, published },
  exploited: cves.some(matcher.isExploited),
  packages: unique(missing.packages),
  hosts: missing.hosts,
  notInMirror: missing.notInMirror,
  decisions: unique(missing.decisions),
});

const readAtOnce = 50;

/** Advisories of which some host lacks the fix, the gravest first. */
export const pendingAdvisories = async (sources: ViewSources): Promise<AdvisoryLine[]> => {
  const pace = createPace();
  const decisions = decisionsNow(sources.fleet, sources.wallMs);
  const missing = new Map<string, Missing>();
  for (const image of sources.matcher.images()) {
    countMissing(sources, decisions, image, missingIn(image), missing);
    await pace();
  }
  const lines: AdvisoryLine[] = [];
  const keys = [...missing.values()].map(({ key }) => key);
  for (let from = 0; from < keys.length; from += readAtOnce) {
    for (const { advisory } of await advisoriesOf(
      sources.store.db,
      keys.slice(from, from + readAtOnce),
    )) {
      const counted = missing.get(advisoryKey(advisory));
      if (counted !== undefined) lines.push(lineOf(sources, advisory, counted));
    }
    await pace();
  }
  const rank = ({ severity, exploited }: AdvisoryLine): number =>
    Severity.options.indexOf(severity) - (exploited ? Severity.options.length : 0);
  return lines.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
};

/** What an advisory means for each package of each host of an image that has one of its packages. */
const affectedIn = (
  { fleet }: ViewSources,
  decisions: Decisions,
  image: FleetImage,
  findings: readonly Finding[],
): AffectedPackage[] =>
  alikeHosts(fleet, image, decisions).flatMap(({ hosts, standingOf }) =>
    findings.flatMap((finding) => {
      const { package: name, arch, installed, fixed, state } = finding;
      const standing = state === 'pending' ? standingOf(finding) : null;
      const what = {
        ...{ package: name, arch, installed, fixed, state },
        ...{ target: standing?.target ?? null, wave: standing?.wave ?? null },
        from: standing?.from ?? null,
        reboot: finding.reboot === true,
        why: standing === null || finding.reboot === true ? finding.why : standing.why,
      };
      return hosts.map((host) => ({ host, ...what }));
    }),
  );

const containersByHost = ({ containers }: Fleet): Map<string, Container[]> => {
  const byHost = new Map<string, Container[]>();
  for (const container of containers.values()) {
    if (!container.view.onHostRoot) continue;
    const known = byHost.get(container.host);
    if (known === undefined) byHost.set(container.host, [container]);
    else known.push(container);
  }
  return byHost;
};

/** One advisory by its id, from each feed that has it. */
export const advisoryDetails = async (
  sources: ViewSources,
  id: string,
): Promise<AdvisoryDetail[]> => {
  const pace = createPace();
  const decisions = decisionsNow(sources.fleet, sources.wallMs);
  const containers = containersByHost(sources.fleet);
  const details: AdvisoryDetail[] = [];
  for (const { advisory, firstSeen } of await advisoriesCalled(sources.store.db, id)) {
    const missing = newMissing(advisory);
    const counted = new Map([[advisoryKey(advisory), missing]]);
    const affected: AffectedPackage[] = [];
    for (const [image, findings] of sources.matcher.findings(advisory)) {
      const pending = findings.filter(({ state }) => state === 'pending');
      countMissing(sources, decisions, image, pending, counted);
      for (const one of affectedIn(sources, decisions, image, findings)) affected.push(one);
      await pace();
    }
    affected.sort((a, b) => (a.host + a.package < b.host + b.package ? -1 : 1));
    details.push({
      ...lineOf(sources, advisory, missing),
      ...{ vendorSeverity: advisory.vendorSeverity, withdrawn: advisory.withdrawn, affected },
      firstSeen: iso(firstSeen),
      containers: unique(affected.map(({ host }) => host)).map((host) => {
        const there = containers.get(host) ?? [];
        const stale = there.filter(({ view }) => view.stale.length > 0);
        return { host, count: there.length, stale: unique(stale.map(({ view }) => view.name)) };
      }),
    });
  }
  return details;
};

/** What a host last reported of its packages; null: nothing yet. */
export const hostInventoryView = async (
  { matcher, store }: Pick<ViewSources, 'matcher' | 'store'>,
  host: string,
): Promise<HostInventoryView | null> => {
  const row = matcher.inventoryOf(host);
  const doc = row === null ? null : await inventoryDocument(store.db, row.hash);
  if (row === null || doc === null) return null;
  const { inventory, offers } = Image.parse(JSON.parse(doc));
  return {
    ...{ host, inventory, offers, reportedAt: iso(row.reportedAt) },
    refreshedAt: row.refreshedAt === null ? null : iso(row.refreshedAt),
    refreshProblem: row.refreshProblem,
  };
};
