import type { HostObserved } from '../messages.ts';
import type { Agent } from './agent.ts';

/**
 * What grants wait for that are not ended, restarts and upgrades (L4), in the order of their ids: an upgrade that is at work for the package
 * manager, once that takes long.
 */
export const waitsOf = (
  { journal, waiting }: Agent,
  longTransaction: string | null = null,
): HostObserved['waits'] => {
  const open = new Set<string>();
  for (const [id, { end }] of journal.grants) if (end === null) open.add(id);
  for (const { order, step } of journal.upgrades.values())
    if (step !== 'ended') open.add(order.grantId);
  const running =
    longTransaction === null
      ? []
      : [...journal.upgrades.values()]
          .filter(({ step }) => step === 'running')
          .map(({ order }) => [order.grantId, longTransaction] as const);
  return [...waiting, ...running]
    .filter(([grantId]) => open.has(grantId))
    .map(([grantId, reason]) => ({ grantId, reason }))
    .sort((a, b) => (a.grantId < b.grantId ? -1 : 1));
};
