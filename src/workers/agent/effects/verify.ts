import type { AgentGrant } from '../../../core/agent/journal.ts';
import type { Verification } from '../../../core/messages.ts';
import type { ContainerScan } from '../../../core/observation.ts';
import { errorText } from '../../../core/error-text.ts';
import type { Life } from '../agent-loop.ts';
import type { Work } from '../work.ts';

/** What a restart came to: one stale process is stale; what could not be read is never verified. */
export const verificationOf = ({ stale, shadowed, unreadable }: ContainerScan): Verification =>
  stale.length > 0
    ? 'stale'
    : unreadable.length > 0
      ? 'unknown'
      : shadowed.length > 0
        ? 'shadowed'
        : 'verified';

/** Scan the restarted container alone, and give its newest state with the end (R10). */
export const verify = async (work: Work, grant: AgentGrant, life: Life): Promise<void> => {
  const { grantId, container } = grant.order;
  try {
    const [scan, state] = await Promise.all([
      work.host.scan.one(container),
      work.host.runtime.state(container),
    ]);
    work.knowledge.setState(container, state);
    work.knowledge.setScan(scan);
    life.tell({
      kind: 'verified',
      grantId,
      verification: verificationOf(scan),
      container: work.knowledge.view(container),
    });
  } catch (error) {
    work.alert(`${container} cannot be verified: ${errorText(error)}`);
    const verification = 'unknown';
    life.tell({ kind: 'verified', grantId, verification, container: null });
  }
};
