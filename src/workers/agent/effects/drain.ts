import type { AgentGrant } from '../../../core/agent/journal.ts';
import { errorText } from '../../../core/error-text.ts';
import type { DrainAnswer } from '../agent-host.ts';
import type { Life } from '../agent-loop.ts';
import { drainTargetOf, settingsOf } from '../work.ts';
import type { Work } from '../work.ts';

const failed = (error: unknown): DrainAnswer => ({ ok: false, reason: errorText(error) });

/** Take the container out of its load balancer; what the check found there stands in the journal (R28). */
export const drain = async (work: Work, grant: AgentGrant, life: Life): Promise<void> => {
  const { grantId, container, service } = grant.order;
  const settings = settingsOf(work, service);
  const ask = async (): Promise<DrainAnswer & { found: string }> => {
    const target = await drainTargetOf(work, container);
    const found = grant.found ?? (await work.host.drain.look(target, settings));
    return { ...(await work.host.drain.drain(target, settings, found, life.signal)), found };
  };
  const answer = await ask().catch((error: unknown) => ({
    ...failed(error),
    found: grant.found ?? '',
  }));
  const reason = answer.ok ? '' : answer.reason;
  life.tell({ kind: 'drained', grantId, ok: answer.ok, found: answer.found, reason });
};

/** Put it back as it was found; core asks again, for ever, while this fails (L3). */
export const undrain = async (work: Work, grant: AgentGrant, life: Life): Promise<void> => {
  const { grantId, container, service } = grant.order;
  const ask = async (): Promise<DrainAnswer> => {
    const target = await drainTargetOf(work, container);
    const settings = settingsOf(work, service);
    return work.host.drain.undrain(target, settings, grant.found, life.signal);
  };
  const answer = await ask().catch(failed);
  life.tell({ kind: 'undrained', grantId, ok: answer.ok, reason: answer.ok ? '' : answer.reason });
};
