import type { AgentEffect } from '../../../core/agent/agent.ts';
import type { Verification } from '../../../core/messages.ts';
import type { ContainerScan } from '../../../core/observation.ts';
import { errorText } from '../../../core/error-text.ts';
import type { Life } from '../agent-loop.ts';
import type { Work } from '../work.ts';

type Verify = Extract<AgentEffect, { kind: 'verify' }>;

/**
 * What a restart came to: one stale process is stale; what could not be read is never verified; a copy of a
 * file counts when its package was patched (null: whichever).
 */
export const verificationOf = (
  { stale, shadowed, unreadable }: ContainerScan,
  patched: readonly string[] | null,
): Verification => {
  if (stale.length > 0) return 'stale';
  if (unreadable.length > 0) return 'unknown';
  return shadowed.some((one) => patched === null || patched.includes(one.package))
    ? 'shadowed'
    : 'verified';
};

/** Scan the restarted container alone, and give its newest state with the end (R10). */
export const verify = async (
  work: Work,
  { grant, transactions }: Verify,
  life: Life,
): Promise<void> => {
  const { grantId, container, patched } = grant.order;
  try {
    const [scan, state] = await Promise.all([
      work.host.scan.one(container),
      work.host.runtime.state(container),
    ]);
    work.knowledge.setState(container, state);
    work.knowledge.setScan(scan);
    const verification = verificationOf(scan, patched);
    // What runs the present code does so whatever else goes on.
    const atRest = verification === 'verified' || (await work.host.packages.atRest()).ok;
    life.tell({
      ...{ kind: 'verified', grantId, transactions, verification, atRest },
      container: work.knowledge.view(container),
    });
  } catch (error) {
    work.alert(`${container} cannot be verified: ${errorText(error)}`);
    const verification = 'unknown';
    life.tell({
      ...{ kind: 'verified', grantId, transactions, verification, atRest: true },
      container: null,
    });
  }
};
