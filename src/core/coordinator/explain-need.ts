import type { Need, NeededAdvisory } from '../advisories/needs.ts';
import { barredText } from './barred.ts';
import { isCurrent, notCurrentText } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import type { Fleet, Host } from './fleet.ts';
import { entryOf, openAdvisoryWaves } from './open-advisory-waves.ts';
import { packageKey, triedOn } from './tried.ts';

const isSame = (a: NeededAdvisory, b: NeededAdvisory): boolean =>
  a.feed === b.feed && a.id === b.id;

/** The wave that brings a package to a host, or has just brought it; null: none does. */
export const waveOfNeed = (fleet: Fleet, hostId: string, need: Need): string | null =>
  openAdvisoryWaves(fleet).find(({ upgrades }) => {
    const upgrade = upgrades.get(hostId);
    const entry = upgrade === undefined ? undefined : entryOf(upgrade, packageKey(need));
    if (upgrade === undefined || entry === undefined || upgrade.state === 'left-out') return false;
    return upgrade.state !== 'done' || entry.version === need.target;
  })?.id ?? null;

/** Where the mirror cannot be read, nobody knows whether it has the fix by now. */
const notOffered = ({ needs }: Host): string =>
  `published, not in the mirror of this host yet${
    needs === null || needs.unread === null
      ? ''
      : `; its repositories cannot be read: ${needs.unread}`
  }`;

/** What is decided about a host's need, in words; `advisory`: with this one in mind. */
export const explainNeed = (
  fleet: Fleet,
  decisions: Decisions,
  host: Host,
  need: Need,
  advisory: NeededAdvisory,
): string => {
  const { decision, together = [] } = decisions.of(host).get(packageKey(need)) ?? {};
  if (need.waiting.some((one) => isSame(one, advisory)))
    return decision?.kind === 'wait' && decision.code === 'observe'
      ? decision.reason
      : notOffered(host);
  const wave = waveOfNeed(fleet, host.id, need);
  if (wave !== null) return `in wave ${wave}`;
  const barred = barredText(host);
  if (barred !== null) return barred;
  if (decision?.kind === 'wait') return decision.reason;
  if (triedOn(host, need) === 'yes')
    return `a wave for ${need.target ?? ''} is over without it: groundswell upgrade ${host.id} ${need.name}`;
  // Whatever is built from one source is upgraded together.
  for (const one of together) {
    const other = waveOfNeed(fleet, host.id, one);
    if (other !== null) return `waits for ${one.name} in wave ${other}`;
  }
  if (!host.known) return 'it has not reported yet';
  return isCurrent(host) ? 'a wave begins' : notCurrentText;
};
