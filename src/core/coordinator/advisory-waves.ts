import type { Need } from '../advisories/needs.ts';
import type { HostId } from '../ids.ts';
import { addToCause } from './advisories-cause.ts';
import { barred } from './barred.ts';
import { decisionsNow, isCurrent } from './decisions.ts';
import { createQuestions } from './due-on-hosts.ts';
import type { Due, Group, Questions } from './due-on-hosts.ts';
import type { AdvisoriesCause, Host, WantedUpgrade, Wave, WaveUpgrade } from './fleet.ts';
import { reviewWave, shared } from './keep-in-step.ts';
import { askToRefresh } from './mirror-moved.ts';
import { broughtVersion, isJoinable, openAdvisoryWaves } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { forgetTried } from './tried.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { openWave } from './waves.ts';

/** Put what is due on a host into a wave, source by source. */
const joinAdvisories = (
  turn: Turn,
  asked: Questions,
  { wave, host, sources }: { wave: AdvisoryWave; host: Host; sources: readonly (readonly Due[])[] },
): void => {
  const there = wave.upgrades.get(host.id);
  const upgrade: WaveUpgrade =
    there?.state === 'pending'
      ? there
      : { ...{ state: 'pending', mode: 'packages', packages: [], allowRemove: false, reason: '' } };
  wave.upgrades.set(host.id, upgrade);
  const more = sources
    .flat()
    .map(({ need: { name, arch, installed, exploited }, target }): WantedUpgrade => ({
      ...{ name, arch, want: 'exact', version: target, installed, exploited },
    }));
  upgrade.packages = shared(turn, [...upgrade.packages, ...more]);
  for (const due of sources) asked.addOnce(wave, due);
  touch(turn, { table: 'waves', key: wave.id });
};

/**
 * A wave that what is due of one source can join: the one that brings some of it already, so that what has not been proved, or
 * has failed, is not begun beside it; else one that has not begun. Each package comes to one version in a wave.
 */
const waveFor = (
  asked: Questions,
  host: Host,
  { isLate, mode, whenMirrorMoved }: Group,
  due: readonly Due[],
): AdvisoryWave | undefined => {
  const kind = { platform: host.platform, mode, whenMirrorMoved };
  const possible = asked.waves().flatMap((wave) => {
    // What waits for its window no longer takes nothing else out of it.
    if (!isJoinable(wave, kind) || asked.isLate(wave) !== isLate) return [];
    const brought = due.map(({ key }) => broughtVersion(wave, key));
    if (brought.some((to, at) => to !== undefined && to !== due[at]?.target)) return [];
    return [{ wave, bringsSome: brought.some((to) => to !== undefined) }];
  });
  const mayWait = ({ upgrades }: AdvisoryWave): boolean =>
    ['left-out', 'pending', undefined].includes(upgrades.get(host.id)?.state);
  return (
    possible.find(
      ({ wave, bringsSome }) => bringsSome && (!asked.hasBegun(wave) || mayWait(wave)),
    ) ?? possible.find(({ wave }) => !asked.hasBegun(wave))
  )?.wave;
};

const sendToWaves = (turn: Turn, asked: Questions, host: Host, group: Group): void => {
  const { sources, mode, whenMirrorMoved } = group;
  const found = new Map<AdvisoryWave, (readonly Due[])[]>();
  const others: (readonly Due[])[] = [];
  for (const due of sources) {
    const wave = waveFor(asked, host, group, due);
    if (wave === undefined) others.push(due);
    else found.set(wave, [...(found.get(wave) ?? []), due]);
  }
  for (const [wave, more] of found) {
    const known = wave.cause.advisories.length;
    joinAdvisories(turn, asked, { wave, host, sources: more });
    audit(turn, {
      action: 'wave-joined',
      subject: `wave ${wave.id}`,
      waveId: wave.id,
      details: {
        host: host.id,
        advisories: wave.cause.advisories.slice(known).map(({ id }) => id),
      },
    });
  }
  if (others.length === 0) return;
  const cause: AdvisoriesCause = {
    ...{ kind: 'advisories', platform: host.platform, mode, whenMirrorMoved },
    ...{ advisories: [], packages: [], changes: [], proved: {}, startBy: null },
  };
  for (const one of others.flat()) addToCause(cause, one);
  const wave = openWave(turn, cause, false, null) as AdvisoryWave;
  joinAdvisories(turn, asked, { wave, host, sources: others });
  asked.forgetWaves();
};

/**
 * Level-triggered: waves are kept in step with what their hosts need and policy says now, and what hosts need and no wave sees
 * to is put into waves; equal hosts are decided about once. `told`: the needs of
 * these hosts were just told, and those of no other one; null: all are looked at.
 */
export const reviewNeeds = (turn: Turn, told: ReadonlySet<HostId> | null): void => {
  const { fleet } = turn;
  const decisions = decisionsNow(fleet, turn.wall.ms);
  for (const hostId of told ?? []) {
    const host = fleet.hosts.get(hostId);
    if (host !== undefined && isCurrent(host)) forgetTried(turn, host);
  }
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
    for (const group of asked.groupsFor(host)) sendToWaves(turn, asked, host, group);
  }
};

/** So many hosts are asked in one turn to look at their mirrors, which are mostly the same: the others soon after. */
const refreshesAtOnce = 100;

/** Lists are never changed in place, and equal hosts share one, so each is looked through once. */
const lacking = new WeakMap<readonly Need[], boolean>();

/** Whether the mirror of hosts that need this lacks a published fix. */
const lacksFix = (list: readonly Need[]): boolean => {
  const known = lacking.get(list) ?? list.some(({ waiting }) => waiting.length > 0);
  lacking.set(list, known);
  return known;
};

/** A host whose mirror lacks a published fix is asked to look there again, now and then. */
const isToRefresh = ({ fleet, now }: Turn, { needs, refreshAskedAt: last }: Host): boolean =>
  needs !== null &&
  lacksFix(needs.list) &&
  (last === null || now - last >= fleet.settings.refreshEveryMs);

/** Whether a wave of advisories waits for a person before it begins. */
export const waitsForApproval = ({ cause, approvedBy, state, upgrades }: Wave): boolean =>
  state === 'open' &&
  approvedBy === null &&
  cause.kind === 'advisories' &&
  cause.mode === 'approve' &&
  [...upgrades.values()].some((upgrade) => upgrade.state === 'pending');
