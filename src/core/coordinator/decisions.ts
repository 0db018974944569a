import type { Need } from '../advisories/needs.ts';
import type { HostId } from '../ids.ts';
import { platformValue } from '../platform-value.ts';
import type { AdvisoriesCause, Fleet, Host } from './fleet.ts';
import { modeFor } from './may-grant.ts';
import { decideTogether } from './policy.ts';
import type { NeedDecision } from './policy.ts';
import { packageKey, triedOn } from './tried.ts';

/** A need of a host, what policy says of it, and all needs of its source, which are upgraded with it. */
export interface Decided {
  need: Need;
  decision: NeedDecision;
  together: readonly Need[];
}

/** What is decided about the needs of hosts at one moment: by package, and equal hosts are decided about once. */
export interface Decisions {
  of: (host: Host) => ReadonlyMap<string, Decided>;
  /** `approve`: not without a person, by the policy, by what would be restarted, or since a person has decided before. */
  modeOf: (host: Host, decided: Decided) => AdvisoriesCause['mode'];
  /** All that decisions about a host go by, as a text: hosts of which it is the same are decided about alike. */
  situationOf: (host: Host) => string;
}

const noPackages: ReadonlySet<string> = new Set();
const noNeeds: readonly Need[] = [];

/** Lists are never changed in place, so each is put in order once. */
const groupsOf = new WeakMap<readonly Need[], readonly (readonly Need[])[]>();

const bySource = (list: readonly Need[]): readonly (readonly Need[])[] => {
  const made = groupsOf.get(list);
  if (made !== undefined) return made;
  const groups = new Map<string, Need[]>();
  for (const need of list) {
    const known = groups.get(need.source);
    if (known === undefined) groups.set(need.source, [need]);
    else known.push(need);
  }
  const all = [...groups.values()];
  groupsOf.set(list, all);
  return all;
};

const decideAll = (
  { settings }: Fleet,
  platform: string,
  list: readonly Need[],
  wallMs: number,
): Map<string, Decided> => {
  const rules = platformValue(settings.policies, platform) ?? [];
  const core = platformValue(settings.corePackages, platform) ?? noPackages;
  return new Map(
    bySource(list).flatMap((together) =>
      [...decideTogether(rules, core, together, wallMs)].map(([need, decision]) => [
        packageKey(need),
        { need, decision, together },
      ]),
    ),
  );
};

/** A host may be upgraded without a person only where all that is to be restarted after it may be, too. */
const hostsThatAsk = (fleet: Fleet): Set<HostId> => {
  const asking = new Set<HostId>();
  for (const container of fleet.containers.values())
    if (container.view.onHostRoot && modeFor(fleet, container) !== 'auto')
      asking.add(container.host);
  return asking;
};

/** The decisions of this moment, each made when it is first asked for. */
export const decisionsNow = (fleet: Fleet, wallMs: number): Decisions => {
  /** By platform too: its rules are others. */
  const known = new Map<string, Map<readonly Need[], ReadonlyMap<string, Decided>>>();
  const numbers = new Map<readonly Need[], number>();
  let asking: Set<HostId> | null = null;
  const asks = (hostId: HostId): boolean => (asking ??= hostsThatAsk(fleet)).has(hostId);
  const listOf = ({ needs }: Host): readonly Need[] => needs?.list ?? noNeeds;
  return {
    of: (host) => {
      const list = listOf(host);
      const there = known.get(host.platform) ?? new Map<readonly Need[], Map<string, Decided>>();
      known.set(host.platform, there);
      const made = there.get(list) ?? decideAll(fleet, host.platform, list, wallMs);
      there.set(list, made);
      return made;
    },
    situationOf: (host) => {
      const list = listOf(host);
      const number = numbers.get(list) ?? numbers.size;
      numbers.set(list, number);
      const refused = host.refused.length === 0 ? '' : JSON.stringify(host.refused);
      const isRead = (host.needs?.unread ?? null) === null;
      return `${host.platform} ${number} ${isCurrent(host)} ${isRead} ${asks(host.id)} ${host.tried.join(' ')} ${refused}`;
    },
    modeOf: (host, { decision, together }) => {
      if (decision.rule.mode !== 'auto' || together.some((need) => triedOn(host, need) !== 'no'))
        return 'approve';
      return asks(host.id) ? 'approve' : 'auto';
    },
  };
};

/** Why nothing is decided about a host of which they are not current. */
export const notCurrentText = 'what it needs is not known yet: its packages are looked at';

/** Needs from before a transaction of the host say nothing about it as it is now. */
export const isCurrent = ({ needs, transactions }: Host): boolean =>
  needs !== null && needs.transaction >= transactions;
