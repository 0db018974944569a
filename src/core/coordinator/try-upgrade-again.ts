import type { UpgradeFinished } from '../messages.ts';
import type { HostId } from '../ids.ts';
import type { Wave, WaveUpgrade } from './fleet.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';
import { tell } from './waves.ts';

/** Pauses before it is tried again, in ms; after the last one a person is asked. */
const pausesMs = [60_000, 120_000, 240_000];

/**
 * What passes without a person, and how often it is tried again: a mirror that is away for a while; a package manager that
 * others are using, for which each try waits ten minutes already.
 */
const passing: ReadonlyMap<string, number> = new Map([
  ['repository-unreachable', pausesMs.length],
  ['lock-timeout', 1],
]);

/** What came to nothing so long ago is another matter. */
const forgottenMs = 3_600_000;

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
  const most = passing.get(code ?? '') ?? 0;
  if (upgrade === undefined || wave.state !== 'open' || changes.length > 0) return false;
  const { again } = upgrade;
  const before = again === undefined || turn.now - again.at > forgottenMs ? 0 : again.count;
  const pauseMs = pausesMs[before];
  if (before >= most || pauseMs === undefined) return false;
  Object.assign(upgrade, {
    ...{ state: 'pending', reason },
    again: { count: before + 1, of: most, at: turn.now + pauseMs, because: reason },
  });
  touch(turn, { table: 'waves', key: wave.id });
  const text = `wave ${wave.id}: upgrade of ${hostId} is tried again: ${reason}`;
  tell(turn, wave, 'alert', text, 'tried-again');
  return true;
};

/** Why an upgrade is not ordered yet that came to nothing; null: it may be. */
export const waitsForAnotherTry = ({ again }: WaveUpgrade, now: number): string | null =>
  again === undefined || again.at <= now
    ? null
    : `${again.because}; tried again within ${(pausesMs[again.count - 1] ?? 0) / 60_000} min (${again.count} of ${again.of})`;

/** Those first that were not tried yet: the others must not take their turn. */
export const inOrderOfTries = (
  upgrades: ReadonlyMap<HostId, WaveUpgrade>,
): (readonly [HostId, WaveUpgrade])[] =>
  [...upgrades].sort(([, one], [, other]) => (one.again?.count ?? 0) - (other.again?.count ?? 0));
