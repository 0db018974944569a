import type { UpgradeFinished } from '../messages.ts';
import type { HostId } from '../ids.ts';
import type { Wave, WaveUpgrade } from './fleet.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { tell } from './waves.ts';

/** What passes without a person: a mirror that is away for a while, a package manager that others are using. */
const passing: ReadonlySet<string> = new Set(['repository-unreachable', 'lock-timeout']);

/** Pauses before it is tried again, in ms; after the last one a person is asked. */
const pausesMs = [60_000, 120_000, 240_000];

/**
 * An upgrade that changed nothing, for a reason that passes by itself, is ordered again after a pause, and its wave is told of
 * it once. Answers whether it is; one that has been tried often enough has failed.
 */
export const triesAgain = (
  turn: Turn,
  wave: Wave,
  hostId: HostId,
  { code, changes, reason }: Pick<UpgradeFinished, 'code' | 'changes' | 'reason'>,
): boolean => {
  const upgrade = wave.upgrades.get(hostId);
  if (upgrade === undefined || code === undefined) return false;
  if (!passing.has(code) || changes.length > 0) return false;
  const count = (upgrade.again?.count ?? 0) + 1;
  const pauseMs = pausesMs[count - 1];
  if (pauseMs === undefined) return false;
  Object.assign(upgrade, {
    ...{ state: 'pending', reason },
    again: { count, at: turn.now + pauseMs, because: reason },
  });
  touch(turn, { table: 'waves', key: wave.id });
  if (count === 1)
    tell(turn, wave, 'alert', `wave ${wave.id}: upgrade of ${hostId} is tried again: ${reason}`);
  return true;
};

/** Why an upgrade is not ordered yet that came to nothing; null: it may be. */
export const waitsForAnotherTry = ({ again }: WaveUpgrade, now: number): string | null =>
  again === undefined || again.at <= now
    ? null
    : `${again.because}; tried again within ${(pausesMs[again.count - 1] ?? 0) / 60_000} min (${again.count} of ${pausesMs.length})`;
