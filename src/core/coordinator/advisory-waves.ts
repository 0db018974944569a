import type { HostId } from '../ids.ts';
import { addToCause, hasBegun, refreshCause } from './advisories-cause.ts';
import { barred } from './barred.ts';
import { decisionsNow, isCurrent } from './decisions.ts';
import type { Decided, Decisions } from './decisions.ts';
import { notMissing, verdictOn } from './entry-verdict.ts';
import type { AdvisoriesCause, Host, WantedUpgrade, Wave, WaveUpgrade } from './fleet.ts';
import { askToRefresh } from './mirror-moved.ts';
import { entryOf, openAdvisoryWaves, seenBy } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { packageKey, triedOn } from './tried.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { openWave } from './waves.ts';

/** A need that may be met now, and to which version. */
interface Due extends Decided {
  key: string;
  target: string;
}

/** What may be begun on a host and no wave sees to. */
const unseenDue = (decisions: Decisions, waves: readonly AdvisoryWave[], host: Host): Due[] =>
  [...decisions.of(host)].flatMap(([key, decided]): Due[] => {
    const { need, decision, together } = decided;
    const { target } = need;
    if (decision.kind === 'wait' || target === null || triedOn(host, need) === 'yes') return [];
    if (seenBy(waves, host.id, key, target) !== 'no') return [];
    const isTaken = together.some(
      (one) => seenBy(waves, host.id, packageKey(one), one.target) === 'taken',
    );
    return isTaken ? [] : [{ ...decided, key, target }];
  });

/** The same list for all hosts of a turn that are to get the same: there may be thousands of them. */
const shared = (turn: Turn, packages: WantedUpgrade[]): readonly WantedUpgrade[] => {
  const key = JSON.stringify(packages);
  const known = turn.wanted.get(key);
  if (known !== undefined) return known;
  turn.wanted.set(key, packages);
  return packages;
};

/** Put what is due on a host into a wave. */
const joinAdvisories = (
  turn: Turn,
  asked: Questions,
  { wave, host, due }: { wave: AdvisoryWave; host: Host; due: readonly Due[] },
): void => {
  const there = wave.upgrades.get(host.id);
  const upgrade: WaveUpgrade =
    there?.state === 'pending'
      ? there
      : { ...{ state: 'pending', mode: 'packages', packages: [], allowRemove: false, reason: '' } };
  wave.upgrades.set(host.id, upgrade);
  const more = due.map(({ need: { name, arch, exploited }, target }): WantedUpgrade => ({
    ...{ name, arch, want: 'exact', version: target, exploited },
  }));
  upgrade.packages = shared(turn, [...upgrade.packages, ...more]);
  asked.addOnce(wave, due);
  touch(turn, { table: 'waves', key: wave.id });
};

/**
 * A wave that what is due can join: one that has not begun, or that gives other hosts just this. None that a person has approved:
 * what they approved is never more than they saw.
 */
const waveFor = (
  asked: Questions,
  host: Host,
  { due, mode, whenMirrorMoved }: Group,
): AdvisoryWave | undefined =>
  asked.waves().find((wave) => {
    const { cause, state, approvedBy, upgrades } = wave;
    if (state !== 'open' || approvedBy !== null) return false;
    if (cause.platform !== host.platform || cause.mode !== mode) return false;
    if (cause.whenMirrorMoved !== whenMirrorMoved) return false;
    if (!asked.hasBegun(wave)) return true;
    const there = upgrades.get(host.id);
    return (
      (there === undefined || there.state === 'left-out') &&
      due.every(
        ({ key, need, target }) =>
          (cause.proved[key] ?? target) === target &&
          cause.packages.some(
            ({ source, arch, to }) => source === need.name && arch === need.arch && to === target,
          ),
      )
    );
  });

/** What is due on hosts and may go into one wave. */
interface Group extends Pick<AdvisoriesCause, 'mode' | 'whenMirrorMoved'> {
  due: Due[];
}

/** What is asked about one host after another in one turn: each is answered once for all that are alike. */
interface Questions {
  groupsFor: (host: Host) => readonly Group[];
  waves: () => readonly AdvisoryWave[];
  hasBegun: (wave: AdvisoryWave) => boolean;
  /** What is due comes to what a wave is for; that of hosts that are alike once. */
  addOnce: (wave: AdvisoryWave, due: readonly Due[]) => void;
  /** A wave was opened. */
  forgetWaves: () => void;
}

const createQuestions = ({ fleet }: Turn, decisions: Decisions): Questions => {
  let waves: readonly AdvisoryWave[] | null = null;
  const openWaves = (): readonly AdvisoryWave[] => (waves ??= openAdvisoryWaves(fleet));
  const begun = new Map<AdvisoryWave, boolean>();
  const added = new Map<AdvisoryWave, Set<readonly Due[]>>();
  const known = new Map<string, readonly Group[]>();
  const numbers = new Map<WaveUpgrade['packages'], number>();
  const numberOf = (packages: WaveUpgrade['packages']): number => {
    const number = numbers.get(packages) ?? numbers.size;
    numbers.set(packages, number);
    return number;
  };
  const groupsOf = (host: Host): Group[] => {
    const due = unseenDue(decisions, openWaves(), host);
    return kindsOfWaves.flatMap(({ mode, whenMirrorMoved }) => {
      const group = due.filter(
        (one) =>
          decisions.modeOf(host, one) === mode &&
          one.decision.rule.whenMirrorMoved === whenMirrorMoved,
      );
      return group.length === 0 ? [] : [{ mode, whenMirrorMoved, due: group }];
    });
  };
  return {
    groupsFor: (host) => {
      const inWaves = openWaves().flatMap(({ id, upgrades }) => {
        const upgrade = upgrades.get(host.id);
        return upgrade === undefined
          ? []
          : [`${id} ${upgrade.state} ${numberOf(upgrade.packages)}`];
      });
      const key = [...inWaves, decisions.situationOf(host)].join('\n');
      const groups = known.get(key) ?? groupsOf(host);
      known.set(key, groups);
      return groups;
    },
    waves: openWaves,
    hasBegun: (wave) => {
      const known = begun.get(wave) ?? hasBegun(wave);
      begun.set(wave, known);
      return known;
    },
    addOnce: (wave, due) => {
      const there = added.get(wave) ?? new Set<readonly Due[]>();
      if (there.has(due)) return;
      added.set(wave, there.add(due));
      for (const one of due) addToCause(wave.cause, one);
    },
    forgetWaves: () => {
      waves = null;
    },
  };
};

const kindsOfWaves = (['approve', 'auto'] as const).flatMap((mode) =>
  (['wait', 'start-over'] as const).map((whenMirrorMoved) => ({ mode, whenMirrorMoved })),
);

const sendToWave = (turn: Turn, asked: Questions, host: Host, group: Group): void => {
  const { due, mode, whenMirrorMoved } = group;
  const found = waveFor(asked, host, group);
  if (found !== undefined) {
    const known = found.cause.advisories.length;
    joinAdvisories(turn, asked, { wave: found, host, due });
    audit(turn, {
      action: 'wave-joined',
      subject: `wave ${found.id}`,
      waveId: found.id,
      details: {
        host: host.id,
        advisories: found.cause.advisories.slice(known).map(({ id }) => id),
      },
    });
    return;
  }
  const cause: AdvisoriesCause = {
    ...{ kind: 'advisories', platform: host.platform, mode, whenMirrorMoved },
    ...{ advisories: [], packages: [], changes: [], proved: {}, startBy: null },
  };
  for (const one of due) addToCause(cause, one);
  const wave = openWave(turn, cause, false, null) as AdvisoryWave;
  joinAdvisories(turn, asked, { wave, host, due });
  asked.forgetWaves();
};

const leaveWave = (turn: Turn, wave: AdvisoryWave, hostId: HostId, reason: string): void =>
  audit(turn, {
    action: 'wave-left',
    subject: `wave ${wave.id}`,
    waveId: wave.id,
    details: { host: hostId, reason },
  });

/**
 * What a wave is to bring to a host that waits, as it is decided now: without what is missing no more, by hand or because the
 * advisory was taken back, and without what policy does not give by now; in a newer version where that took the place of one that
 * nobody has approved or got. Answers whether anything of it is another.
 */
const keepInStep = (
  turn: Turn,
  decisions: Decisions,
  wave: AdvisoryWave,
  [hostId, upgrade]: [HostId, WaveUpgrade],
): boolean => {
  const host = turn.fleet.hosts.get(hostId);
  if (upgrade.state !== 'pending' || host === undefined || !isCurrent(host)) return false;
  const asked = { wave, host, upgrade, now: turn.now, wallMs: turn.wall.ms };
  const left: string[] = [];
  let changed = false;
  const kept = upgrade.packages.flatMap((entry): WantedUpgrade[] => {
    const verdict = verdictOn(decisions, { ...asked, entry });
    if (verdict.kind === 'leave') {
      left.push(verdict.reason);
      return [];
    }
    const key = packageKey(entry);
    const isDecided = verdict.kind === 'order' && wave.cause.proved[key] === undefined;
    const version = isDecided ? verdict.version : entry.version;
    const exploited = decisions.of(host).get(key)?.need.exploited === true;
    if (version === entry.version && exploited === entry.exploited) return [entry];
    changed = true;
    return [{ ...entry, version, exploited }];
  });
  if (changed || left.length > 0) upgrade.packages = shared(turn, kept);
  if (left.length === 0) return changed;
  const reason = left.find((one) => one !== notMissing);
  if (reason !== undefined) leaveWave(turn, wave, hostId, reason);
  if (kept.length === 0)
    Object.assign(upgrade, {
      state: reason === undefined ? 'done' : 'left-out',
      reason: reason ?? notMissing,
    });
  return true;
};

/**
 * Level-triggered: waves are kept in step with what their hosts need and policy says now, and what hosts need and no wave sees
 * to is put into waves; equal hosts are decided about once. `told`: the needs of
 * these hosts were just told, and those of no other one; null: all are looked at.
 */
export const reviewNeeds = (turn: Turn, told: ReadonlySet<HostId> | null): void => {
  const { fleet } = turn;
  const decisions = decisionsNow(fleet, turn.wall.ms);
  for (const wave of openAdvisoryWaves(fleet))
    if (wave.state === 'open') reviewWave(turn, decisions, wave, told);
  const asked = createQuestions(turn, decisions);
  let refreshes = refreshesAtOnce;
  for (const hostId of told ?? fleet.hosts.keys()) {
    const host = fleet.hosts.get(hostId);
    const needs = host?.needs ?? null;
    if (host === undefined || needs === null || needs.list.length === 0) continue;
    if (barred(host) !== null || !host.known || !isCurrent(host)) continue;
    if (refreshes > 0 && isToRefresh(turn, host)) {
      refreshes -= 1;
      askToRefresh(turn, host);
    }
    for (const group of asked.groupsFor(host)) sendToWave(turn, asked, host, group);
  }
};

/** Keep a wave in step with what those of its hosts need that wait. */
const reviewWave = (
  turn: Turn,
  decisions: Decisions,
  wave: AdvisoryWave,
  told: ReadonlySet<HostId> | null,
): void => {
  let changed = false;
  /** Of which nothing was another, and so it is of hosts that are alike. */
  const inStep = new Map<WaveUpgrade['packages'], Set<string>>();
  for (const hostId of told ?? wave.upgrades.keys()) {
    const upgrade = wave.upgrades.get(hostId);
    const host = turn.fleet.hosts.get(hostId);
    if (upgrade?.state !== 'pending' || host === undefined) continue;
    changed ||= told !== null;
    const situation = decisions.situationOf(host);
    const { packages } = upgrade;
    const known = inStep.get(packages) ?? new Set<string>();
    if (known.has(situation)) continue;
    if (keepInStep(turn, decisions, wave, [hostId, upgrade])) {
      changed = true;
      touch(turn, { table: 'waves', key: wave.id });
    } else inStep.set(packages, known.add(situation));
  }
  if (changed) refreshCause(turn, decisions, wave);
};

/** So many hosts are asked in one turn to look at their mirrors, which are mostly the same: the others soon after. */
const refreshesAtOnce = 100;

/** A host whose mirror lacks a published fix is asked to look there again, now and then. */
const isToRefresh = ({ fleet, now }: Turn, { needs, refreshAskedAt: last }: Host): boolean =>
  needs?.list.some(({ waiting }) => waiting.length > 0) === true &&
  (last === null || now - last >= fleet.settings.refreshEveryMs);

/** Whether a wave of advisories waits for a person before it begins. */
export const waitsForApproval = ({ cause, approvedBy, state, upgrades }: Wave): boolean =>
  state === 'open' &&
  approvedBy === null &&
  cause.kind === 'advisories' &&
  cause.mode === 'approve' &&
  [...upgrades.values()].some((upgrade) => upgrade.state === 'pending');

/** A host of the wave was upgraded: the others get exactly what the first one got. */
export const noteProved = (
  turn: Turn,
  wave: Wave | undefined,
  hostId: HostId,
  changes: readonly { name: string; arch: string; to: string | null }[],
): void => {
  const upgrade = wave?.upgrades.get(hostId);
  if (wave?.cause.kind !== 'advisories' || wave.state !== 'open' || upgrade === undefined) return;
  const { proved } = wave.cause;
  for (const change of changes) {
    const key = packageKey(change);
    if (change.to !== null && entryOf(upgrade, key) !== undefined) proved[key] ??= change.to;
  }
  touch(turn, { table: 'waves', key: wave.id });
};
