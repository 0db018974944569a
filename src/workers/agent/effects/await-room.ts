import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentEffect } from '../../../core/agent/agent.ts';
import { hasMoreRoom, leastRoom } from '../../../host/packages/room.ts';
import type { PackagesPort } from '../agent-host.ts';
import type { Life } from '../agent-loop.ts';
import type { Work } from '../work.ts';

type AwaitRoom = Extract<AgentEffect, { kind: 'await-room' }>;

type RoomWork = Pick<Work, 'alert' | 'awaitsRoom'> & {
  host: { packages: Pick<PackagesPort, 'room'> };
};

/**
 * Look, until a disk has more room than it ever had since the upgrade found none, and say so (R29), or until its job is over.
 * It goes by room alone: a quota that is lifted is not seen.
 */
export const awaitRoom = async (
  { host: { packages }, alert, awaitsRoom }: RoomWork,
  { jobId, reason, everyMs }: AwaitRoom,
  { signal, tell }: Life,
): Promise<void> => {
  let least = await packages.room();
  while (!signal.aborted && awaitsRoom(jobId)) {
    alert(`an upgrade found ${reason}`);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    const now = await packages.room();
    if (hasMoreRoom(now, least)) tell({ kind: 'room', jobId });
    least = leastRoom(now, least);
  }
};
