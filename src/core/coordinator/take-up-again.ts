import type { Container, Wave, WaveCause } from './fleet.ts';
import type { Turn } from './turn.ts';
import { joinWave, noteChanges, notePackages, openWave } from './waves.ts';

/** Whether two waves bring some package in the same version, for the same kind of reason. */
const sameCause = (one: WaveCause, other: WaveCause): boolean => {
  if (one.kind !== other.kind) return false;
  if (!('packages' in one) || !('packages' in other)) return true;
  return one.packages.some(({ source, to }) =>
    other.packages.some((more) => more.source === source && more.to === to),
  );
};

/** Upgrades that one restart is for are one cause; the others stand alone. */
const causesOf = (waves: readonly Wave[]): WaveCause[] => {
  const causes: WaveCause[] = [];
  for (const { cause } of waves) {
    const same = causes.find(({ kind }) => kind === 'upgrade' && cause.kind === 'upgrade');
    if (same?.kind !== 'upgrade' || cause.kind !== 'upgrade')
      // What a former wave has proved, and how long it waited, says nothing of what comes into the next one.
      causes.push({
        ...structuredClone(cause),
        ...('proved' in cause ? { proved: {}, moved: [], along: {}, startBy: null } : {}),
      });
    else {
      notePackages(same.packages, cause.packages);
      noteChanges(same.changes, cause.changes);
    }
  }
  return causes;
};

/**
 * R34: an opt-out is over, and the container still runs the old code: it waits again in the waves that left it out, or,
 * where those are over, in one of the same cause. So its restart belongs to the upgrade that it is for, and goes by
 * itself where that may. Answers whether there was any; one that a person has decided against is not taken up again.
 */
export const takeUpAgain = (turn: Turn, container: Container): boolean => {
  const { waves } = turn.fleet;
  const left = container.optedOutOf.flatMap((id) => waves.get(id) ?? []);
  const open = left.filter(({ state }) => state === 'open');
  for (const wave of open) joinWave(turn, wave, container);
  const causes = causesOf(left.filter(({ state }) => state === 'finished'));
  for (const cause of causes) {
    const same = [...waves.values()].find(
      // What a person has approved was for what it held then.
      (wave) => wave.state === 'open' && wave.approvedBy === null && sameCause(wave.cause, cause),
    );
    joinWave(turn, same ?? openWave(turn, cause, false, null), container);
  }
  return open.length + causes.length > 0;
};
