import { hostOfContainer } from '../ids.ts';
import type { HostId } from '../ids.ts';
import { rememberTried } from './tried.ts';
import type { Fleet, Wave } from './fleet.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** Members that keep their own copy of a patched file, each with the file. */
export const shadowedIn = ({ members }: Wave): string[] =>
  [...members].flatMap(([id, { state, reason }]) =>
    state === 'shadowed' ? [`${id}: ${reason}`] : [],
  );

/** So many of those that are not patched are named in a sentence. */
const namedAtMost = 3;

/** How it ended, in a few words; what was not patched is named. */
export const summaryOf = (wave: Wave): string => {
  const counts = new Map<string, number>();
  for (const { state } of wave.members.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  const names = shadowedIn(wave);
  const more = names.length > namedAtMost ? [`and ${names.length - namedAtMost} more`] : [];
  const named = ` (${[...names.slice(0, namedAtMost), ...more].join('; ')})`;
  const parts = [...counts].map(
    ([state, n]) => `${n} ${state}${state === 'shadowed' ? named : ''}`,
  );
  for (const [host, upgrade] of wave.upgrades)
    if (upgrade.state === 'failed') parts.push(`upgrade of ${host} failed`);
  const left = [...wave.upgrades.values()].filter(({ state }) => state === 'left-out');
  if (left.length > 0) {
    const why = [...new Set(left.map(({ reason }) => reason))];
    const more = why.length > 1 ? ` and ${why.length - 1} more` : '';
    parts.push(`${left.length} left out (${why[0] ?? ''}${more})`);
  }
  return parts.join(', ') || 'no containers';
};

/** R29: hosts that a wave has to do with, also where nothing is left to be restarted; by hand it passes every gate. */
const hostsOf = ({ byHand, members, upgrades }: Wave): Set<HostId> =>
  new Set([...upgrades.keys(), ...(byHand ? [] : [...members.keys()].map(hostOfContainer))]);

/** Whether something in it is to be mended, or waits for a person: to retry it, to resume without it, or to stop the wave. */
const needsDecision = (fleet: Fleet, wave: Wave): boolean =>
  [...wave.members.values()].some(({ state }) => state === 'stale' || state === 'unknown') ||
  [...wave.upgrades.values()].some(({ state }) => state === 'failed') ||
  [...hostsOf(wave)].some((host) => (fleet.hosts.get(host)?.gate ?? null) !== null);

/**
 * Whether nothing is left to be done. A wave that has paused for what did not come out well stays, visibly
 * paused, until that is mended or a person goes on without it (R32).
 */
export const isOver = (fleet: Fleet, wave: Wave): boolean => {
  const grants = [...fleet.grants.values()].filter((grant) => grant.waveId === wave.id);
  if (wave.state === 'stopping') return grants.every(({ failed }) => failed);
  const waits = [...wave.members.values()].some(
    ({ state }) => state === 'pending' || state === 'restarting' || state === 'failed',
  );
  const upgrades = [...wave.upgrades.values()].some(
    ({ state }) => state === 'pending' || state === 'running',
  );
  if (grants.length > 0 || waits || upgrades) return false;
  return wave.pausedBy === null || !needsDecision(fleet, wave);
};

/** A wave is over, and what paused it with it: nothing is left that it could hold. */
export const endWave = (
  turn: Turn,
  wave: Wave,
  state: 'finished' | 'stopped' | 'declined',
): void => {
  const { fleet } = turn;
  wave.state = state;
  wave.endedAt = turn.now;
  wave.wall.endedMs = turn.wall.ms;
  wave.pausedBy = null;
  rememberTried(turn, wave, { decided: state !== 'finished' });
  touch(turn, { table: 'waves', key: wave.id });
  for (const { id, level } of fleet.pauses.values()) {
    if (level.level !== 'wave' || level.waveId !== wave.id) continue;
    fleet.pauses.delete(id);
    touch(turn, { table: 'pauses', key: id });
    for (const host of fleet.hosts.values()) turn.renew.add(host.id);
  }
};
