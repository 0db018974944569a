import type { AgentGrant } from '../../../core/agent/journal.ts';
import { errorText } from '../../../core/error-text.ts';
import type { Life } from '../agent-loop.ts';
import { seenState } from '../seen-state.ts';
import type { Work } from '../work.ts';

/** Start the container; never gated (R25). Private directories are hidden in it while it is down (design §12). */
export const start = async (work: Work, grant: AgentGrant, life: Life): Promise<void> => {
  const { grantId, container } = grant.order;
  await work.host.whileDown(container).catch((error: unknown) => {
    work.alert(`${container}: the host's private directories are not hidden: ${errorText(error)}`);
  });
  try {
    const now = await work.host.runtime.start(container);
    // What is probed from now on is of this instance.
    work.knowledge.setState(container, now);
    life.tell({
      kind: 'start-over',
      grantId,
      // One that somebody froze has started; its health tells the rest.
      state: now.state === 'frozen' ? 'running' : seenState(now),
      instance: now.instance,
      reason: now.instance === null ? `its start ended, and it is ${now.state}` : '',
    });
  } catch (error) {
    const reason = errorText(error);
    life.tell({ kind: 'start-over', grantId, state: 'stopped', instance: null, reason });
  }
};
