import type { AgentEvent } from '../../core/agent/agent.ts';
import { errorText } from '../../core/error-text.ts';
import type { ContainerView, GateAnswer } from '../../core/messages.ts';
import type { PackageChange } from '../../core/packages.ts';
import type { Work } from './work.ts';

/** What a watch on the package database is told to call. */
export interface PackageEvents {
  onOpen: () => void;
  /** What looked like a transaction, perhaps to a former process, has changed nothing. */
  onQuiet: () => void;
  /** It is over; rejects unless that is journaled, and is told again then. */
  onTransaction: (transaction: { changes: PackageChange[] }) => Promise<void>;
}

const stoppedMeanwhile = 'the agent is stopping; the transaction is told of again later';

type FollowWork = Pick<Work, 'gateBefore' | 'alert'> & {
  gate: Pick<Work['gate'], 'before' | 'ask'>;
  knowledge: Pick<Work['knowledge'], 'scanAll'>;
};

/** Package transactions of others, as events of the agent (R30). */
export const followPackages = (
  work: FollowWork,
  ports: {
    journaled: (event: AgentEvent) => Promise<boolean>;
    observeWhole: () => void;
    /** Aborted when the agent stops: a gate that does not pass is not waited for then. */
    signal: AbortSignal;
  },
): PackageEvents => {
  const over = (
    changes: PackageChange[],
    containers: ContainerView[],
    gate: GateAnswer | null,
  ): AgentEvent => ({
    kind: 'transaction',
    phase: 'over',
    upgraded: { changes, origin: { by: 'outside' }, containers, gate },
  });
  /** In the order in which they were told, however long the journal takes. */
  let last: Promise<boolean> = Promise.resolve(true);
  /** What worked before it is remembered at its first sign alone. */
  let begun = false;
  const inTurn = (event: AgentEvent): Promise<boolean> => {
    last = last.then(() => ports.journaled(event));
    return last;
  };
  return {
    onOpen: () => {
      void inTurn({ kind: 'transaction', phase: 'open' });
      if (begun) return;
      begun = true;
      const seen = work.gate.before();
      last = last.then(async () => ports.journaled({ kind: 'gate-before', before: await seen }));
    },
    onQuiet: () => {
      begun = false;
      void inTurn(over([], [], null)).then(ports.observeWhole);
    },
    onTransaction: async ({ changes }) => {
      // One that was over before this process looked was never seen open; nothing may begin while its gate is asked.
      await inTurn({ kind: 'transaction', phase: 'open' });
      const gate = await work.gate.ask(work.gateBefore(), { signal: ports.signal });
      if (!gate.ok && ports.signal.aborted) throw new Error(stoppedMeanwhile);
      const patched = changes.map(({ name }) => name);
      const concerned = await work.knowledge.scanAll(patched).catch((error: unknown) => {
        // What is stale is found by the next scan; that packages changed is told now.
        work.alert(`the scan after a package transaction failed: ${errorText(error)}`);
        return [];
      });
      if (!(await inTurn(over(changes, concerned, gate)))) throw new Error(stoppedMeanwhile);
      begun = false;
      ports.observeWhole();
    },
  };
};
