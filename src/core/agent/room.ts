import type { UpgradeFinished } from '../messages.ts';
import type { Turn } from './agent.ts';
import { voided } from './checks.ts';
import type { AgentUpgrade } from './journal.ts';
import { serverTime } from './record.ts';

/** Pauses between looks for room, in ms: they double with each upgrade that found none. */
const pausesMs = { first: 5_000, largest: 600_000 };

/** So long before its deadline, in ms, it is given back: past that it would count as one that does not answer (R20). */
const beforeDeadlineMs = 60_000;

/** An upgrade whose package manager found no room on a disk, perhaps in its middle. */
export const foundNoRoom = ({ ok, code }: Pick<UpgradeFinished, 'ok' | 'code'>): boolean =>
  !ok && code === 'disk-full';

/**
 * R29: that passes by itself, so it is no failure. Until there is more room the server is not answered, for it would order it
 * anew at once.
 */
export const waitForRoom = ({ agent, effects }: Turn, upgrade: AgentUpgrade, why: string): void => {
  const { jobId } = upgrade;
  const reason = `no room on a disk of this host: ${why}; it goes on by itself when there is more`;
  const everyMs = Math.min(pausesMs.first * 2 ** agent.roomMissed, pausesMs.largest);
  Object.assign(upgrade, { step: 'waiting', noRoom: reason });
  agent.awaitRoom.set(jobId, everyMs);
  agent.roomMissed += 1;
  effects.push({ kind: 'await-room', jobId, reason, everyMs });
};

/**
 * Why one that waits for room does so no more: it ends as one that was taken back, and is ordered anew if nothing forbids
 * it. Null: it still waits. `held`: what the record holds upgrades by. That it is asked back says nothing once it had to begin:
 * the server asks for each that is not over by then.
 */
export const waitsForRoomNoMore = (
  { agent, mono }: Turn,
  { jobId, order }: AgentUpgrade,
  held: string | null,
): string | null => {
  const now = serverTime(agent, mono);
  const late = Math.max(order.beginBefore, order.deadline - beforeDeadlineMs);
  if (agent.record?.value.excluded === true) return 'this host is excluded';
  if (held !== null) return held;
  if (voided(agent, order.grantId) && now < order.beginBefore) return 'taken back by the server';
  if (!agent.awaitRoom.has(jobId)) return 'there was no room on a disk of this host';
  return agent.record !== null && now >= late
    ? 'there is still no room on a disk of this host'
    : null;
};
