import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentEffect } from '../../../core/agent/agent.ts';
import { errorText } from '../../../core/error-text.ts';
import type { Life } from '../agent-loop.ts';
import { settingsOf, targetOf } from '../work.ts';
import type { Work } from '../work.ts';

type Watch = Extract<AgentEffect, { kind: 'watch-health' }>;

/** Pause before watching is tried again when it could not be done. */
const againMs = 1_000;

/** Watch until healthy, failed, down again or gone. */
export const watchHealth = async (
  work: Work,
  { grant, deadline }: Watch,
  life: Life,
): Promise<void> => {
  const { grantId, container, service } = grant.order;
  while (!life.signal.aborted) {
    try {
      const settings = settingsOf(work, service);
      const target = await targetOf(work, container);
      const { signal } = life;
      const told = await work.host.health.watch({ target, settings, deadline, signal });
      if (told.result === 'aborted') return;
      if (told.result === 'healthy')
        work.knowledge.setHealth(container, { health: 'healthy', reason: told.reason });
      life.tell({ kind: 'health', grantId, result: told.result, reason: told.reason });
      return;
    } catch (error) {
      work.alert(`${container}: its health cannot be watched: ${errorText(error)}`);
      await sleep(againMs);
    }
  }
};
