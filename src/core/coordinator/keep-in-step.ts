import type { HostId } from '../ids.ts';
import { hasBegun, refreshCause } from './advisories-cause.ts';
import { isCurrent } from './decisions.ts';
import type { Decided, Decisions } from './decisions.ts';
import { notMissing, verdictOn } from './entry-verdict.ts';
import type { Host, WantedUpgrade, WaveUpgrade } from './fleet.ts';
import { askVoid } from './grants.ts';
import { broughtVersion, isJoinable, openAdvisoryWaves } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { packageKey } from './tried.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { tell } from './waves.ts';

/** The same list for all hosts of a turn that are to get the same: there may be thousands of them. */
export const shared = (turn: Turn, packages: WantedUpgrade[]): readonly WantedUpgrade[] => {
  const key = JSON.stringify(packages);
  const known = turn.wanted.get(key);
  if (known !== undefined) return known;
  turn.wanted.set(key, packages);
  return packages;
};

const leaveWave = (turn: Turn, wave: AdvisoryWave, hostId: HostId, reason: string): void =>
  audit(turn, {
    action: 'wave-left',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    details: { host: hostId, reason },
  });

/** What is asked about a whole wave while it is looked at: found out once, and only where it matters. */
type Review = Pick<Parameters<typeof verdictOn>[1], 'hasBegun' | 'mayFollow'>;

const once = <Answer>(find: () => Answer): (() => Answer) => {
  let found: { answer: Answer } | null = null;
  return () => (found ??= { answer: find() }).answer;
};

/** What the waiting hosts of a wave are offered by now of each package that it brings them; null: one of them has not said. */
const offeredTo = (
  { fleet }: Turn,
  decisions: Decisions,
  { upgrades }: AdvisoryWave,
): Map<string, Set<string | null>> => {
  const offered = new Map<string, Set<string | null>>();
  const seen = new Map<WaveUpgrade['packages'], Set<string>>();
  for (const [hostId, { state, packages }] of upgrades) {
    const host = fleet.hosts.get(hostId);
    if (state !== 'pending' || host === undefined) continue;
    const situations = seen.get(packages) ?? new Set<string>();
    const situation = decisions.situationOf(host);
    if (situations.has(situation)) continue;
    seen.set(packages, situations.add(situation));
    const needs = isCurrent(host) ? decisions.of(host) : null;
    for (const entry of packages) {
      const key = packageKey(entry);
      const versions = offered.get(key) ?? new Set<string | null>();
      offered.set(key, versions.add(needs?.get(key)?.need.target ?? null));
    }
  }
  return offered;
};

/** A version takes the place of another in all of a wave, or its hosts go to the wave that brings it. */
const reviewOf = (turn: Turn, decisions: Decisions, wave: AdvisoryWave): Review => {
  const offered = once(() => offeredTo(turn, decisions, wave));
  const others = once(() =>
    openAdvisoryWaves(turn.fleet).filter((one) => one !== wave && isJoinable(one, wave.cause)),
  );
  return {
    hasBegun: once(() => hasBegun(wave)),
    mayFollow: (key, version) =>
      offered().get(key)?.size === 1 &&
      others().every((other) => broughtVersion(other, key) !== version),
  };
};

/**
 * What a wave is to bring to a host that waits, as it is decided now: without what is missing no more, by hand or because the
 * advisory was taken back, and without what policy does not give by now; in a newer version where that took the place of one that
 * nobody has approved or got, for all of its hosts. Answers whether anything of it is another.
 */
const keepInStep = (
  turn: Turn,
  decisions: Decisions,
  { wave, review }: { wave: AdvisoryWave; review: Review },
  [hostId, upgrade]: [HostId, WaveUpgrade],
): boolean => {
  const host = turn.fleet.hosts.get(hostId);
  if (upgrade.state !== 'pending' || host === undefined || !isCurrent(host)) return false;
  const asked = {
    ...review,
    ...{ fleet: turn.fleet, wave, host, upgrade },
    ...{ now: turn.now, wallMs: turn.wall.ms },
  };
  const left: string[] = [];
  const kept = upgrade.packages.flatMap((entry): WantedUpgrade[] => {
    const verdict = verdictOn(decisions, { ...asked, entry });
    if (verdict.kind === 'leave') {
      left.push(verdict.reason);
      return [];
    }
    const key = packageKey(entry);
    const version = verdict.kind === 'follow' ? verdict.version : entry.version;
    const exploited = decisions.of(host).get(key)?.need.exploited === true;
    if (version === entry.version && exploited === entry.exploited) return [entry];
    return [{ ...entry, version, exploited }];
  });
  if (left.length === 0 && kept.every((one, at) => one === upgrade.packages[at])) return false;
  upgrade.packages = shared(turn, kept);
  if (left.length === 0) return true;
  const reason = left.find((one) => one !== notMissing);
  if (reason !== undefined) leaveWave(turn, wave, hostId, reason);
  if (kept.length === 0)
    Object.assign(upgrade, {
      state: reason === undefined ? 'done' : 'left-out',
      reason: reason ?? notMissing,
    });
  return true;
};

const decidedOf = (decisions: Decisions, wave: AdvisoryWave, host: Host): Decided[] =>
  (wave.upgrades.get(host.id)?.packages ?? []).flatMap(
    (entry) => decisions.of(host).get(packageKey(entry)) ?? [],
  );

/** An order that was given out is asked back where policy only observes by now: it may not have begun. */
const takeBack = (turn: Turn, decisions: Decisions, wave: AdvisoryWave, host: Host): void => {
  const observed = decidedOf(decisions, wave, host).find(
    ({ decision }) => decision.kind === 'wait' && decision.code === 'observe',
  );
  if (observed?.decision.kind !== 'wait') return;
  const grant = [...turn.fleet.grants.values()].find(
    ({ kind, waveId, host: of }) => kind === 'upgrade' && waveId === wave.id && of === host.id,
  );
  if (grant !== undefined) askVoid(turn, grant, observed.decision.reason);
};

/** What has failed waits for a person, who is told once more when it becomes known to be exploited. */
const tellOfExploited = (
  turn: Turn,
  decisions: Decisions,
  wave: AdvisoryWave,
  host: Host,
): void => {
  const { packages = [] } = wave.upgrades.get(host.id) ?? {};
  const was = packages.some(({ exploited }) => exploited === true);
  const is = decidedOf(decisions, wave, host).some(({ together }) =>
    together.some(({ exploited }) => exploited),
  );
  if (was || !is) return;
  const text = `upgrade of ${host.id} has failed, and is of what is known to be exploited by now: groundswell retry ${wave.id}`;
  tell(turn, wave, 'failed', text, `exploited on ${host.id}`);
};

/** Keep a wave in step with what those of its hosts need that wait. */
export const reviewWave = (
  turn: Turn,
  decisions: Decisions,
  wave: AdvisoryWave,
  told: ReadonlySet<HostId> | null,
): void => {
  let changed = false;
  const review = reviewOf(turn, decisions, wave);
  /** Of which nothing was another, and so it is of hosts that are alike. */
  const inStep = new Map<WaveUpgrade['packages'], Set<string>>();
  for (const hostId of told ?? wave.upgrades.keys()) {
    const upgrade = wave.upgrades.get(hostId);
    const host = turn.fleet.hosts.get(hostId);
    if (upgrade === undefined || host === undefined) continue;
    if (upgrade.state === 'running') takeBack(turn, decisions, wave, host);
    if (upgrade.state === 'failed') tellOfExploited(turn, decisions, wave, host);
    if (upgrade.state !== 'pending') continue;
    changed ||= told !== null;
    const situation = decisions.situationOf(host);
    const { packages } = upgrade;
    const known = inStep.get(packages) ?? new Set<string>();
    if (known.has(situation)) continue;
    if (keepInStep(turn, decisions, { wave, review }, [hostId, upgrade])) {
      changed = true;
      touch(turn, { table: 'waves', key: wave.id });
    } else inStep.set(packages, known.add(situation));
  }
  if (changed) refreshCause(turn, decisions, wave);
};
