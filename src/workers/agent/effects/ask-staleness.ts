import type { AgentEffect, CheckAnswers } from '../../../core/agent/agent.ts';
import type { AgentGrant } from '../../../core/agent/journal.ts';
import { sameInstance } from '../../../core/observation.ts';
import type { ContainerScan } from '../../../core/observation.ts';
import type { Work } from '../work.ts';

type Check = Extract<AgentEffect, { kind: 'check' }>;
type Asked = Pick<Work, 'host' | 'knowledge'>;

/** What a scan says of the container; what cannot be read is neither (design §8). */
const staleness = ({ stale, unreadable }: ContainerScan): CheckAnswers['stale'] =>
  stale.length > 0 ? 'stale' : unreadable.length > 0 ? 'unknown' : 'fresh';

/** Whether the service of a grant has something to drain on this host. */
export const drains = ({ host }: Pick<Work, 'host'>, { order }: AgentGrant): boolean =>
  host.drain.drains(host.settings.of(order.service));

/**
 * Before draining the newest scan of this very instance will do. Right before the stop it is looked at again (I3):
 * first at what that scan found stale, for one process that still is settles it; else at all of the container.
 */
export const askStaleness = async (
  work: Asked,
  { grant, purpose }: Check,
): Promise<CheckAnswers['stale']> => {
  const { order } = grant;
  if (order.byHand || order.expect.kind !== 'instance' || purpose === 'stop-again') return 'stale';
  const known = work.knowledge.scan(order.container);
  if (known !== null && sameInstance(known.instance, order.expect.instance)) {
    const drainComes = purpose === 'begin' && drains(work, grant);
    if (drainComes) return staleness(known);
    if (known.stale.length > 0 && (await work.host.scan.stillStale(known))) return 'stale';
  }
  return staleness(await work.host.scan.one(order.container));
};
