import type { Turn } from './agent.ts';
import type { AgentUpgrade } from './journal.ts';
import { report } from './reports.ts';

/** R16: the end of an upgrade that was acknowledged, by a store that has forgotten it. */
export const tellUpgradeAgain = (turn: Turn, { order, jobId, end }: AgentUpgrade): void => {
  const { grantId, waveId } = order;
  if (end === null || end.outcome === 'void') {
    const reason = end?.reason ?? 'it is over, and what it came to is not known any more';
    const rest = { verification: null, steps: [], container: null };
    report(turn, { kind: 'restart-finished', grantId, outcome: 'void', reason, ...rest });
    return;
  }
  const failed = turn.agent.journal.gate?.failed ?? null;
  report(turn, {
    ...{ kind: 'upgrade-finished', jobId, grantId, waveId, ok: end.outcome === 'done' },
    ...{ reason: end.reason, remedy: '', changes: [], transcript: '' },
    gate: { ok: failed === null, reason: failed ?? '' },
  });
};

/** R16: all ends that were acknowledged, by a store that has forgotten some of them. */
export const tellEndsAgain = (turn: Turn): void => {
  const { journal } = turn.agent;
  if (!journal.settled) return;
  for (const upgrade of journal.upgrades.values())
    if (upgrade.step === 'ended') tellUpgradeAgain(turn, upgrade);
  for (const { order, waveId, end, verification, steps } of journal.grants.values())
    if (end !== null)
      report(turn, {
        ...{ kind: 'restart-finished', grantId: order.grantId, container: null },
        ...{ outcome: end.outcome, verification, reason: end.reason, steps: [...steps] },
        of: { waveId, container: order.container },
      });
};
