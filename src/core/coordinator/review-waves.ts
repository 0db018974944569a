import type { ContainerId } from '../ids.ts';
import { describeOptOut } from '../opt-out.ts';
import { describeOwnFiles, shadowingFiles, untoldOwnFiles } from '../own-files.ts';
import { takeBackDead } from './died.ts';
import type { Wave } from './fleet.ts';
import { hasBegun } from './advisories-cause.ts';
import { waitsForApproval } from './advisory-waves.ts';
import { modeFor, observedBecause } from './may-grant.ts';
import { patchedPackages } from './patched-packages.ts';
import { broughtForm, exploitedIn, shownForm } from './shown-form.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { endWave, isOver, shadowedIn, summaryOf } from './wave-end.ts';
import { describeCause } from './wave-cause.ts';
import { tell } from './waves.ts';

/** What the newest observation says about a member that waits (R34: a restart by hand is not done again). */
const settleMember = (turn: Turn, wave: Wave, id: ContainerId): void => {
  const member = wave.members.get(id);
  if (member?.state !== 'pending') return;
  const container = turn.fleet.containers.get(id);
  const settle = (
    state: 'gone' | 'not-needed' | 'observed' | 'opted-out' | 'shadowed' | 'stale' | 'unknown',
    reason: string,
  ): void => {
    member.state = state;
    member.reason = reason;
    touch(turn, { table: 'waves', key: wave.id });
  };
  if (container === undefined) return settle('gone', 'removed');
  const { view } = container;
  // On its way up or down, or with a runtime that does not answer, it was not looked into at all.
  const unread = view.unreadable.filter(({ what }) => what !== untoldOwnFiles);
  // R25: nothing runs in one that died, and the wave starts it.
  const nothingStale =
    view.state !== 'changing' && !view.died && view.stale.length === 0 && unread.length === 0;
  // R27: nothing in it runs what the host had before, and no restart gives it what the host has now.
  const untold = view.unreadable.find(({ what }) => what === untoldOwnFiles);
  const own =
    describeOwnFiles(shadowingFiles(view.shadowed, patchedPackages(wave))) ??
    // Among those may be one of a patched package.
    (untold === undefined ? null : `${untold.what}: ${untold.reason}`);
  if (!wave.byHand && nothingStale && own !== null) return settle('shadowed', own);
  if (view.optOut !== null && (wave.byHand || !nothingStale)) {
    // What a person had asked for by hand is not done later by itself.
    if (!wave.byHand && !container.optedOutOf.includes(wave.id)) {
      container.optedOutOf = [...container.optedOutOf, wave.id];
      touch(turn, { table: 'containers', key: id });
    }
    return settle('opted-out', describeOptOut(view.optOut));
  }
  if (container.parked || view.ownerStopped)
    return settle('not-needed', 'stopped: nothing runs in it');
  if (wave.byHand) return;
  if (nothingStale) return settle('not-needed', 'nothing stale runs in it');
  // R34: a wave is not kept open by what it will never restart.
  const onlyObserved = observedBecause(turn.fleet, container);
  if (onlyObserved !== null) return settle('observed', onlyObserved);
  if (view.died) return;
  // R27: restarted, for this wave's cause or another's, and nothing came of it: not again by itself.
  const { attemptedAt, lastVerification: came } = container;
  if (
    attemptedAt === null ||
    (turn.fleet.hosts.get(container.host)?.transactions ?? 0) > attemptedAt ||
    [...turn.fleet.grants.values()].some((grant) => grant.container === id)
  )
    return;
  const still = `restarted already, and still ${came ?? 'stale'}`;
  if (came === 'shadowed') settle('shadowed', describeOwnFiles(view.shadowed) ?? still);
  else settle(came === 'unknown' ? 'unknown' : 'stale', `${still}: groundswell retry ${id}`);
};

/**
 * Once, and again when other packages are in it, or are known to be exploited. Not for each further host, of which there may be
 * thousands: with them the form that was told here is not taken any more, for nobody approves what they were not shown.
 */
const askForApproval = (turn: Turn, wave: Wave): void => {
  const brought = broughtForm(wave);
  const key = `needs-approval:${brought ?? ''}`;
  if (wave.told.includes(key)) return;
  const isFirst = !wave.told.some((one) => one.startsWith('needs-approval:'));
  wave.told = wave.told.filter((one) => !one.startsWith('needs-approval:'));
  const hosts = [...wave.upgrades.values()].filter(({ state }) => state === 'pending').length;
  const packages = 'packages' in wave.cause ? wave.cause.packages.length : 0;
  const changed = isFirst ? '' : ` is another by now (packages: ${packages}, hosts: ${hosts}),`;
  const known = exploitedIn(wave).length > 0 ? ' brings what is known to be exploited, and' : '';
  const form = shownForm(wave);
  const shown = form === null ? '' : ` --shown ${form}`;
  tell(
    turn,
    wave,
    'needs-approval',
    `wave ${wave.id} (${describeCause(wave.cause)})${changed}${known} waits for approval: groundswell approve ${wave.id}${shown}`,
    brought ?? '',
  );
};

/** Open gates, ask for approval and end waves, from what is true now. */
export const reviewWaves = (turn: Turn): void => {
  const { fleet } = turn;
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open' && wave.state !== 'stopping') continue;
    for (const id of wave.members.keys()) {
      takeBackDead(turn, wave, id);
      settleMember(turn, wave, id);
    }
    if (wave.stage === 'canary' && wave.goodCanaries >= fleet.settings.canaries) {
      wave.stage = 'rest';
      touch(turn, { table: 'waves', key: wave.id });
    }
    if (isOver(fleet, wave)) {
      endWave(turn, wave, wave.state === 'stopping' ? 'stopped' : 'finished');
      const summary = summaryOf(wave);
      audit(turn, {
        action: 'wave-finished',
        subject: `wave ${wave.id}`,
        waveId: wave.id,
        outcome: wave.state,
        details: { summary, shadowed: shadowedIn(wave) },
      });
      // One that came to nothing, as where another version took its place, is news to nobody but to whom approved it.
      const isNews =
        wave.cause.kind !== 'advisories' ||
        wave.approvedBy !== null ||
        wave.members.size > 0 ||
        hasBegun(wave);
      if (!isNews) continue;
      tell(
        turn,
        wave,
        'ended',
        `wave ${wave.id} (${describeCause(wave.cause)}) is ${wave.state}: ${summary}`,
      );
      continue;
    }
    const asks = [...wave.members].some(([id, { state }]) => {
      const container = fleet.containers.get(id);
      if (state !== 'pending' || container === undefined) return false;
      const mode = modeFor(fleet, container);
      return mode === 'approve' || (mode === 'auto' && wave.cause.kind === 'found-stale');
    });
    if (wave.state === 'open' && wave.approvedBy === null && (asks || waitsForApproval(wave)))
      askForApproval(turn, wave);
  }
};
