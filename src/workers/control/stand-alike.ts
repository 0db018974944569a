import type { FleetImage } from '../../core/advisories/fleet-units.ts';
import type { Finding } from '../../core/advisories/match.ts';
import type { Need } from '../../core/advisories/needs.ts';
import { barredText } from '../../core/coordinator/barred.ts';
import type { Decisions } from '../../core/coordinator/decisions.ts';
import { explainNeed, waveOfNeed } from '../../core/coordinator/explain-need.ts';
import type { Fleet, Host, Wave } from '../../core/coordinator/fleet.ts';
import { openAdvisoryWaves } from '../../core/coordinator/open-advisory-waves.ts';
import { isOfferedIn } from '../../core/advisories/image-needs.ts';

/** What is decided about a finding on a host. */
export interface Standing {
  /** The version that the host's repositories offer with the fix; null: none. */
  target: string | null;
  /** The package that is upgraded for it. */
  from: { package: string; held: boolean } | null;
  wave: string | null;
  why: string;
}

/** Hosts of one image about which the same is decided, whatever they miss. */
export interface AlikeHosts {
  hosts: string[];
  standingOf: (finding: Finding) => Standing;
}

/** All that is said about a host's needs goes by, beside its image. */
const situationOf = (decisions: Decisions, waves: readonly Wave[], host: Host): unknown[] => [
  decisions.situationOf(host),
  barredText(host),
  host.known,
  host.needs?.unread,
  ...waves.flatMap((wave) => {
    const upgrade = wave.upgrades.get(host.id);
    return upgrade === undefined ? [] : [[wave.id, upgrade.state, upgrade.packages]];
  }),
];

const needsByPackage = (host: Host | undefined): Map<string, Need> =>
  new Map(
    host?.needs?.list.flatMap((need) =>
      [need.name, ...(need.brings ?? [])].map((name) => [`${name}:${need.arch}`, need]),
    ),
  );

const standingFor = (
  fleet: Fleet,
  image: FleetImage,
  host: Host | undefined,
  decisions: Decisions,
): AlikeHosts['standingOf'] => {
  const needs = needsByPackage(host);
  /** What is asked of one package again and again. */
  const known = new Map<string, Standing>();
  const find = (finding: Finding, isOffered: boolean): Standing => {
    const need = needs.get(`${finding.package}:${finding.arch}`);
    if (host === undefined || need === undefined)
      return {
        ...{ target: null, from: null, wave: null },
        why: host === undefined ? 'its host is not enrolled' : 'found just now',
      };
    // Any of those that wait as it does: it may be known there by the name of another feed.
    const asked = (isOffered ? need.offered : need.waiting)[0];
    const named = asked ?? { feed: finding.feed, id: finding.advisory };
    return {
      target: isOffered ? need.target : null,
      from: { package: need.name, held: need.held },
      wave: waveOfNeed(fleet, host.id, need),
      why: explainNeed(fleet, decisions, host, need, named),
    };
  };
  return (finding) => {
    const isOffered = isOfferedIn(image, finding);
    const key = `${finding.package}:${finding.arch} ${isOffered}`;
    const standing = known.get(key) ?? find(finding, isOffered);
    known.set(key, standing);
    return standing;
  };
};

/** The hosts of an image in groups about which the same is decided: few, however many hosts there are. */
export const alikeHosts = (fleet: Fleet, image: FleetImage, decisions: Decisions): AlikeHosts[] => {
  const waves = openAdvisoryWaves(fleet);
  const groups = new Map<string, string[]>();
  for (const id of image.hosts) {
    const host = fleet.hosts.get(id);
    const situation = host === undefined ? '' : JSON.stringify(situationOf(decisions, waves, host));
    const known = groups.get(situation);
    if (known === undefined) groups.set(situation, [id]);
    else known.push(id);
  }
  return [...groups.values()].map((hosts) => ({
    hosts,
    standingOf: standingFor(fleet, image, fleet.hosts.get(hosts[0] ?? ''), decisions),
  }));
};
