import type { Need } from '../advisories/needs.ts';
import type { HostId } from '../ids.ts';
import { platformValue } from '../platform-value.ts';
import { barred } from './barred.ts';
import type { AdvisoriesCause, Fleet, Host, Wave, WaveUpgrade } from './fleet.ts';
import { modeFor } from './may-grant.ts';
import { decideNeed } from './policy.ts';
import type { PolicyRule } from './policy.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { openWave, tell } from './waves.ts';

/** A need that may be met now, and to which version. */
interface Due {
  need: Need;
  target: string;
  rule: PolicyRule;
  startBy: number | null;
}

export const needKey = (name: string, version: string): string => `${name}=${version}`;

const noPackages: ReadonlySet<string> = new Set();

/** What is decided about each of a host's needs; equal hosts share their list, and so the answer. */
const dueOf = ({ fleet: { settings }, wall }: Turn, platform: string, list: readonly Need[]) =>
  list.flatMap((need): Due[] => {
    const rules = platformValue(settings.policies, platform) ?? [];
    const core = platformValue(settings.corePackages, platform) ?? noPackages;
    const decision = decideNeed(rules, core, need, wall.ms);
    return decision.kind === 'wait' || need.target === null
      ? []
      : [{ need, target: need.target, rule: decision.rule, startBy: decision.startBy }];
  });

type AdvisoryWave = Wave & { cause: AdvisoriesCause };

const isAdvisoryWave = (wave: Wave): wave is AdvisoryWave => wave.cause.kind === 'advisories';

/** Waves that advisories have opened and that are not over. */
export const openAdvisoryWaves = (fleet: Fleet): AdvisoryWave[] =>
  [...fleet.waves.values()].filter(
    (wave): wave is AdvisoryWave =>
      isAdvisoryWave(wave) && (wave.state === 'open' || wave.state === 'stopping'),
  );

const hasBegun = ({ wall, upgrades }: Wave): boolean =>
  wall.startedMs !== null || [...upgrades.values()].some(({ state }) => state !== 'pending');

const entryOf = ({ packages }: WaveUpgrade, name: string): WaveUpgrade['packages'][number] | null =>
  packages.find((one) => one.name === name) ?? null;

/** Whether some wave sees to it already, so that no other one is needed. */
const isSeenTo = (waves: readonly AdvisoryWave[], host: Host, { need, target }: Due): boolean =>
  host.tried.includes(needKey(need.name, target)) ||
  waves.some((wave) => {
    const upgrade = wave.upgrades.get(host.id);
    const entry = upgrade === undefined ? null : entryOf(upgrade, need.name);
    if (upgrade === undefined || entry === null) return false;
    const proved = wave.cause.proved[need.name];
    // What runs brings what it brings, and what failed waits for a person: nothing else is decided before.
    if (upgrade.state === 'running' || upgrade.state === 'failed') return true;
    if (entry.version === target || proved === target) return true;
    // A wave that has begun gives each host what its first one proved, and something newer comes after it.
    return proved !== undefined && upgrade.state === 'pending';
  });

/** A host may be upgraded without a person only where all that is to be restarted after it may be, too. */
const mayGoAlone = (fleet: Fleet): ((hostId: HostId) => boolean) => {
  const asked = new Set<HostId>();
  for (const container of fleet.containers.values())
    if (container.view.onHostRoot && modeFor(fleet, container) !== 'auto')
      asked.add(container.host);
  return (hostId) => !asked.has(hostId);
};

/** Put what is due on a host into a wave. */
const joinAdvisories = (turn: Turn, wave: AdvisoryWave, host: Host, due: readonly Due[]): void => {
  const upgrade: WaveUpgrade = wave.upgrades.get(host.id) ?? {
    ...{ state: 'pending', mode: 'packages', packages: [], allowRemove: false, reason: '' },
  };
  wave.upgrades.set(host.id, upgrade);
  const { cause } = wave;
  for (const { need, target, startBy } of due) {
    const entry = entryOf(upgrade, need.name);
    if (entry === null)
      upgrade.packages.push({ name: need.name, want: 'at-least', version: target });
    else entry.version = target;
    const before = cause.packages.find(({ source }) => source === need.name);
    if (before === undefined) cause.packages.push({ source: need.name, to: target });
    else before.to = target;
    for (const one of need.offered)
      if (!cause.advisories.some(({ feed, id }) => feed === one.feed && id === one.id))
        cause.advisories.push(one);
    if (startBy !== null) cause.startBy = Math.min(cause.startBy ?? startBy, startBy);
  }
  touch(turn, { table: 'waves', key: wave.id });
};

/** A wave that what is due can join: one that has not begun, or that gives other hosts just this. */
const waveFor = (
  waves: readonly AdvisoryWave[],
  host: Host,
  due: readonly Due[],
  { mode, whenMirrorMoved }: Pick<AdvisoriesCause, 'mode' | 'whenMirrorMoved'>,
): AdvisoryWave | undefined =>
  waves.find((wave) => {
    const { cause, state, upgrades } = wave;
    if (state !== 'open' || cause.platform !== host.platform || cause.mode !== mode) return false;
    if (cause.whenMirrorMoved !== whenMirrorMoved) return false;
    if (!hasBegun(wave)) return true;
    return (
      !upgrades.has(host.id) &&
      due.every(({ need, target }) =>
        cause.packages.some(({ source, to }) => source === need.name && to === target),
      )
    );
  });

const sendToWaves = (turn: Turn, host: Host, due: readonly Due[], goesAlone: boolean): void => {
  const modeOf = ({ rule }: Due): AdvisoriesCause['mode'] =>
    rule.mode === 'auto' && goesAlone ? 'auto' : 'approve';
  const kinds = (['approve', 'auto'] as const).flatMap((mode) =>
    (['wait', 'start-over'] as const).map((whenMirrorMoved) => ({ mode, whenMirrorMoved })),
  );
  for (const { mode, whenMirrorMoved } of kinds) {
    const group = due.filter(
      (one) => modeOf(one) === mode && one.rule.whenMirrorMoved === whenMirrorMoved,
    );
    if (group.length === 0) continue;
    const found = waveFor(openAdvisoryWaves(turn.fleet), host, group, { mode, whenMirrorMoved });
    if (found !== undefined) {
      const known = found.cause.advisories.length;
      joinAdvisories(turn, found, host, group);
      const { advisories } = found.cause;
      audit(turn, {
        action: 'wave-joined',
        subject: `wave ${found.id}`,
        waveId: found.id,
        details: { host: host.id, advisories: advisories.slice(known).map(({ id }) => id) },
      });
      continue;
    }
    const cause: AdvisoriesCause = {
      ...{ kind: 'advisories', platform: host.platform, mode, whenMirrorMoved },
      ...{ advisories: [], packages: [], changes: [], proved: {}, startBy: null },
    };
    for (const { need, target } of group) {
      cause.packages.push({ source: need.name, to: target });
      cause.advisories.push(...need.offered);
    }
    joinAdvisories(turn, openWave(turn, cause, false, null) as AdvisoryWave, host, group);
  }
};

/** What a wave was to bring and is no more missing: by hand, or because the advisory was taken back. */
const settleUpgrade = (turn: Turn, wave: AdvisoryWave, hostId: HostId): void => {
  const upgrade = wave.upgrades.get(hostId);
  const host = turn.fleet.hosts.get(hostId);
  if (upgrade?.state !== 'pending' || host === undefined || !isCurrent(host)) return;
  const missing = new Set(host.needs?.list.map(({ name }) => name));
  const rest = upgrade.packages.filter(({ name }) => missing.has(name));
  if (rest.length === upgrade.packages.length) return;
  upgrade.packages = rest;
  if (rest.length === 0)
    Object.assign(upgrade, { state: 'done', reason: 'nothing of it is missing any more' });
  touch(turn, { table: 'waves', key: wave.id });
};

/** Needs from before a transaction of the host say nothing about it as it is now. */
const isCurrent = ({ needs, transactions }: Host): boolean =>
  needs !== null && needs.transaction >= transactions;

/** A host whose mirror lacks a published fix is asked to look there again, now and then. */
const askToRefresh = (turn: Turn, host: Host): void => {
  const { now, fleet } = turn;
  const last = host.refreshAskedAt;
  if (host.incarnation === null || (last !== null && now - last < fleet.settings.refreshEveryMs))
    return;
  host.refreshAskedAt = now;
  touch(turn, { table: 'hosts', key: host.id });
  const jobId = `${host.id}_${turn.newId()}`;
  // Answered by a whole observation; one that is lost is asked for again.
  if (host.observeJob !== null) turn.closes.push(host.observeJob);
  host.observeJob = jobId;
  turn.sends.push({
    ...{ host: host.id, jobId, incarnation: host.incarnation },
    ...{ expiresAt: now + fleet.settings.beginBeforeMs, kind: 'observe-host' },
    payload: { refresh: true },
  });
};

/**
 * Level-triggered: what hosts need, and no wave sees to yet, is put into waves as the policy of their platform says; equal
 * hosts are decided about once. A need that was tried to that very version is left to a person.
 */
export const reviewNeeds = (turn: Turn, only: ReadonlySet<HostId> | null = null): void => {
  const { fleet } = turn;
  const waves = openAdvisoryWaves(fleet);
  for (const wave of waves)
    for (const hostId of only ?? wave.upgrades.keys()) settleUpgrade(turn, wave, hostId);
  const decided = new Map<readonly Need[], Due[]>();
  let goesAlone: ((hostId: HostId) => boolean) | null = null;
  for (const hostId of only ?? fleet.hosts.keys()) {
    const host = fleet.hosts.get(hostId);
    if (host === undefined) continue;
    const { needs } = host;
    if (needs === null || needs.list.length === 0) continue;
    if (barred(host) !== null || !host.known || !isCurrent(host)) continue;
    if (needs.list.some(({ waiting }) => waiting.length > 0)) askToRefresh(turn, host);
    const known = decided.get(needs.list);
    const due = known ?? dueOf(turn, host.platform, needs.list);
    if (known === undefined) decided.set(needs.list, due);
    const open = due.filter((one) => !isSeenTo(openAdvisoryWaves(fleet), host, one));
    if (open.length === 0) continue;
    goesAlone ??= mayGoAlone(fleet);
    sendToWaves(turn, host, open, goesAlone(host.id));
  }
};

/** Whether a wave of advisories waits for a person before it begins. */
export const waitsForApproval = ({ cause, approvedBy, state, upgrades }: Wave): boolean =>
  state === 'open' &&
  approvedBy === null &&
  cause.kind === 'advisories' &&
  cause.mode === 'approve' &&
  [...upgrades.values()].some((upgrade) => upgrade.state === 'pending');

/** A host of the wave was upgraded: the others get exactly what the first one got. */
export const noteProved = (
  wave: Wave,
  changes: readonly { name: string; to: string | null }[],
): void => {
  const { cause } = wave;
  if (cause.kind !== 'advisories') return;
  for (const { name, to } of changes) if (to !== null) cause.proved[name] ??= to;
};

/**
 * A host's mirror has no more what the first host proved. Answers whether the wave starts over with what is there now; else
 * it waits, and the reason says so.
 */
export const mirrorMoved = (turn: Turn, wave: Wave, hostId: HostId, reason: string): boolean => {
  const { cause } = wave;
  if (cause.kind !== 'advisories' || cause.whenMirrorMoved !== 'start-over') return false;
  cause.proved = {};
  wave.stage = 'canary';
  wave.goodCanaries = 0;
  const upgrade = wave.upgrades.get(hostId);
  if (upgrade !== undefined) Object.assign(upgrade, { state: 'pending', reason });
  touch(turn, { table: 'waves', key: wave.id });
  audit(turn, {
    action: 'wave-started-over',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    details: { host: hostId, reason },
  });
  tell(turn, wave, 'failed', `wave ${wave.id} starts over: the mirror of ${hostId}: ${reason}`);
  return true;
};

/** A wave is over: what it did not bring, or brought to no avail, is not begun anew by itself. */
export const rememberTried = (turn: Turn, wave: Wave): void => {
  if (wave.cause.kind !== 'advisories') return;
  for (const [hostId, upgrade] of wave.upgrades) {
    const host = turn.fleet.hosts.get(hostId);
    if (host === undefined) continue;
    const keys = upgrade.packages.map(({ name, version }) => needKey(name, version ?? ''));
    host.tried = [...new Set([...host.tried, ...keys])].slice(-mostTried);
    touch(turn, { table: 'hosts', key: hostId });
  }
};

/** Newer versions come under other keys, so old ones lose their meaning. */
const mostTried = 500;
