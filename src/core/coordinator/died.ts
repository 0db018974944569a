import type { ContainerId } from '../ids.ts';
import { diedText } from './availability.ts';
import type { Container, Fleet, Wave, WaveMember } from './fleet.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** Whether it is down by nobody's doing, and ours to look after. */
export const isDead = ({ view, parked }: Container): boolean =>
  view.died && view.onHostRoot && !parked;

/** States of a member that the wave is through with. */
const through: ReadonlySet<WaveMember['state']> = new Set<WaveMember['state']>([
  ...(['verified', 'stale', 'shadowed', 'unknown', 'not-needed'] as const),
]);

/** R25: what died while its wave is open is started by it, also where the wave was through with it. */
export const takeBackDead = (turn: Turn, wave: Wave, id: ContainerId): void => {
  const member = wave.members.get(id);
  const container = turn.fleet.containers.get(id);
  if (member === undefined || !through.has(member.state) || wave.byHand) return;
  if (wave.state !== 'open' || container === undefined || !isDead(container)) return;
  member.state = 'pending';
  member.reason = diedText;
  touch(turn, { table: 'waves', key: wave.id });
};

/** The open wave that starts it, or will once nothing holds it; null: none does. */
const startedBy = ({ waves }: Fleet, id: ContainerId): Wave | null => {
  for (const wave of waves.values()) {
    const state = wave.state === 'open' ? wave.members.get(id)?.state : undefined;
    if (state === 'pending' || state === 'restarting' || state === 'failed') return wave;
    if (state !== undefined && through.has(state) && !wave.byHand) return wave;
  }
  return null;
};

/** What a person is told of a container that died. */
export const diedAlert = (fleet: Fleet, { id }: Container): string => {
  const wave = startedBy(fleet, id);
  const next =
    wave === null
      ? `groundswell restart ${id} starts it, groundswell park ${id} leaves it down`
      : `wave ${wave.id} starts it; what that waits for: groundswell why ${id}`;
  return `${id} is down: ${diedText}; ${next}`;
};

/** R25: nobody has stopped them, and so nobody may know. */
export const diedAlerts = (fleet: Fleet): string[] =>
  [...fleet.containers.values()].filter(isDead).map((container) => diedAlert(fleet, container));
