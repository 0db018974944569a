import type { HostId } from '../ids.ts';
import { addToCause } from './advisories-cause.ts';
import { barred } from './barred.ts';
import { decisionsNow, isCurrent } from './decisions.ts';
import { createQuestions } from './due-on-hosts.ts';
import type { Due, Group, Questions } from './due-on-hosts.ts';
import type { AdvisoriesCause, Host, WantedUpgrade, Wave, WaveUpgrade } from './fleet.ts';
import { reviewWave, shared } from './keep-in-step.ts';
import { askToRefresh } from './mirror-moved.ts';
import { entryOf, openAdvisoryWaves } from './open-advisory-waves.ts';
import type { AdvisoryWave } from './open-advisory-waves.ts';
import { packageKey } from './tried.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { openWave } from './waves.ts';

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
    // One without upgrades takes up containers whose opt-out has ended: it is about what its hosts have already (R34).
    if (upgrades.size === 0) return false;
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
