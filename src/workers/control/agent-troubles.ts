import type { Redis } from 'ioredis';
import type { StandingAlert } from '../../core/coordinator/standing-alerts.ts';
import type { HostId } from '../../core/ids.ts';
import { printable } from '../../core/printable.ts';
import { readPresence } from '../../jobs/agent-link.ts';

/** What agents say of themselves in Redis that cannot reach the server by reports. */
export interface AgentTroubles {
  /** Look what these hosts' agents show. Rejects where Redis does not answer. */
  look: (hosts: readonly HostId[]) => Promise<void>;
  alerts: () => StandingAlert[];
}

/**
 * An agent whose Redis user lacks a right sends no report: all that it can do is say so where it shows that it lives.
 * Nobody has signed that, so it is shown as what it says, and decides nothing.
 */
export const createAgentTroubles = (
  redis: Pick<Redis, 'get'>,
  wallMs: () => number,
): AgentTroubles => {
  const troubles = new Map<HostId, { since: number; trouble: string }>();
  return {
    look: async (hosts) => {
      const shown = await Promise.all(
        hosts.map(async (host) => [host, (await readPresence(redis, host))?.trouble] as const),
      );
      for (const host of troubles.keys()) if (!hosts.includes(host)) troubles.delete(host);
      for (const [host, trouble] of shown) {
        if (trouble === undefined) troubles.delete(host);
        else troubles.set(host, { since: troubles.get(host)?.since ?? wallMs(), trouble });
      }
    },
    alerts: () =>
      [...troubles].map(([host, { since, trouble }]) => ({
        since,
        text: `the agent of ${host} lives, and says that it can take no jobs: ${printable(trouble)}`,
      })),
  };
};
