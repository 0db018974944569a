import type { AgentEffect } from '../../../core/agent/agent.ts';
import { errorText } from '../../../core/error-text.ts';
import type { Life } from '../agent-loop.ts';
import type { Work } from '../work.ts';

type RunUpgrade = Extract<AgentEffect, { kind: 'run-upgrade' }>;

/** Upgrade the host's packages, see what became stale, and ask the host gate (R29). */
export const runUpgrade = async (
  work: Work,
  { jobId, order, resume }: RunUpgrade,
  life: Life,
): Promise<void> => {
  // First: what it is at may end with a gate of its own, after which the journal would have none.
  await work.packageWatch.suspend().catch((error: unknown) => {
    work.alert(`the watch on packages is not suspended: ${errorText(error)}`);
  });
  // After a crash in its middle the journal has it from before.
  if (!resume) life.tell({ kind: 'gate-before', before: await work.gate.beforeOurs() });
  const before = work.gateBefore();
  const done = await work.host.packages
    .upgrade(order, { jobId, resume })
    .catch((error: unknown) => ({
      ok: false,
      reason: errorText(error),
      remedy: '',
      changes: [],
      transcript: '',
    }));
  await work.packageWatch.resume(done.changes).catch((error: unknown) => {
    work.alert(`packages are not watched any more: ${errorText(error)}`);
  });
  const gate = await work.gate.ask(before, { signal: life.signal });
  const patched = done.changes.map(({ name }) => name);
  const containers =
    done.changes.length === 0
      ? []
      : await work.knowledge.scanAll(patched).catch((error: unknown) => {
          work.alert(`the scan after the upgrade failed: ${errorText(error)}`);
          return [];
        });
  life.tell({ kind: 'upgrade-over', jobId, finished: { ...done, gate }, containers });
};
