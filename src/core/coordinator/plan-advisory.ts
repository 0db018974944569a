import type { NeededAdvisory } from '../advisories/needs.ts';
import type { ContainerId, HostId } from '../ids.ts';
import { serviceState } from './availability.ts';
import { decisionsNow } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { explainNeed } from './explain-need.ts';
import type { Container, Fleet, Host } from './fleet.ts';

/** What one host would get, and what of it would be restarted after that. */
export interface AdvisoryPlanHost {
  host: HostId;
  /** Its repositories offer these. */
  upgrades: { package: string; from: string; to: string }[];
  /** Other packages of the same sources, which come along with these. */
  along: string[];
  /** Missing, and not offered there yet. */
  notOffered: { package: string; from: string }[];
  /** What is decided about it, or what it waits for. */
  decisions: string[];
  /** Containers on the host's root: those of them that run code of these packages are restarted. */
  containers: { container: ContainerId; service: string; impossible: string | null }[];
}

/** Dry run of what an advisory would lead to (`groundswell plan --advisory`). */
export interface AdvisoryPlan {
  hosts: AdvisoryPlanHost[];
  /** Estimate in ms, if every container of these hosts were to be restarted. */
  atMostMs: number;
}

const isSame = (a: NeededAdvisory, b: NeededAdvisory): boolean => a.id === b.id;

const containersOf = (fleet: Fleet, host: Host): Container[] =>
  [...fleet.containers.values()].filter(
    (container) => container.host === host.id && container.view.onHostRoot,
  );

const impossibleFor = ({ view, parked }: Container): string | null =>
  view.optOut !== null ? `opted out: ${view.optOut.reason}` : parked ? 'parked' : null;

const planHost = (
  fleet: Fleet,
  decisions: Decisions,
  host: Host,
  advisory: NeededAdvisory,
): AdvisoryPlanHost | null => {
  const named = (all: readonly NeededAdvisory[]): boolean =>
    all.some((one) => isSame(one, advisory));
  const needs = (host.needs?.list ?? []).filter(
    ({ offered, waiting }) => named(offered) || named(waiting),
  );
  if (needs.length === 0) return null;
  const upgraded = needs.filter(({ target, offered }) => target !== null && named(offered));
  const names = new Set(upgraded.map(({ name }) => name));
  const siblings = new Set(upgraded.flatMap((need) => need.siblings));
  const said = needs.map((need) => {
    const meant = [...need.offered, ...need.waiting].find((one) => isSame(one, advisory));
    return explainNeed(fleet, decisions, host, need, meant ?? advisory);
  });
  return {
    host: host.id,
    upgrades: upgraded.flatMap(({ name, installed, target }) =>
      target === null ? [] : [{ package: name, from: installed, to: target }],
    ),
    along: [...siblings].filter((name) => !names.has(name)).sort(),
    notOffered: needs.flatMap(({ name, installed, waiting }) =>
      named(waiting) ? [{ package: name, from: installed }] : [],
    ),
    decisions: [...new Set(said)].sort(),
    containers: containersOf(fleet, host).map((container) => ({
      ...{ container: container.id, service: container.service },
      impossible: impossibleFor(container),
    })),
  };
};

/**
 * What an advisory would lead to: which hosts would be upgraded to which versions, what is decided about that, which
 * containers come into question, and how long their restarts would take at most. Nothing is begun.
 */
export const planAdvisory = (
  fleet: Fleet,
  id: string,
  moment: { now: number; wallMs: number },
  meanRestartMs: (service: string) => number,
): AdvisoryPlan => {
  const decisions = decisionsNow(fleet, moment.wallMs);
  const hosts = [...fleet.hosts.values()].flatMap(
    (host) => planHost(fleet, decisions, host, { feed: '', id }) ?? [],
  );
  const work = new Map<string, { ms: number; capacity: number }>();
  const add = (key: string, ms: number, capacity: number): void => {
    const sum = work.get(key) ?? { ms: 0, capacity };
    work.set(key, { ms: sum.ms + ms, capacity: sum.capacity });
  };
  let longest = 0;
  for (const { host, containers } of hosts)
    for (const { service, impossible } of containers) {
      if (impossible !== null) continue;
      const ms = meanRestartMs(service);
      longest = Math.max(longest, ms);
      add(`service ${service}`, ms, serviceState(fleet, service, moment.now).limit);
      add(`host ${host}`, ms, fleet.hosts.get(host)?.cap ?? fleet.settings.hostCap);
    }
  const bounds = [...work.values()].map(({ ms, capacity }) => ms / Math.max(1, capacity));
  return { hosts, atMostMs: Math.max(longest, 0, ...bounds) };
};
