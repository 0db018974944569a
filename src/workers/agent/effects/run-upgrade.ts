import type { AgentEffect } from '../../../core/agent/agent.ts';
import { hasCode } from '../../../core/error-code.ts';
import { errorText } from '../../../core/error-text.ts';
import type { PackagesPort, UpgradeAnswer } from '../agent-host.ts';
import type { Life } from '../agent-loop.ts';
import type { Work } from '../work.ts';

type RunUpgrade = Extract<AgentEffect, { kind: 'run-upgrade' }>;

type UpgradeWork = Pick<Work, 'packageWatch' | 'gateBefore' | 'alert'> & {
  host: { packages: Pick<PackagesPort, 'upgrade' | 'findUpgrade'> };
  gate: Pick<Work['gate'], 'beforeOurs' | 'ask'>;
  knowledge: Pick<Work['knowledge'], 'scanAll'>;
};

const notDone = (error: unknown): UpgradeAnswer => ({
  ...{ ok: false, reason: errorText(error), remedy: '' },
  // Before the package manager is started, what it is to do is written down.
  ...(hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT') ? { code: 'disk-full' } : {}),
  ...{ changes: [], transcript: '' },
});

/** Upgrade the host's packages, see what became stale, and ask the host gate (R29). */
export const runUpgrade = async (
  work: UpgradeWork,
  { jobId, order, resume }: RunUpgrade,
  life: Life,
): Promise<void> => {
  const { packages } = work.host;
  // First: what it is at may end with a gate of its own, after which the journal would have none.
  await work.packageWatch.suspend().catch((error: unknown) => {
    work.alert(`the watch on packages is not suspended: ${errorText(error)}`);
  });
  const resumeWatch = (changes: UpgradeAnswer['changes']): Promise<void> =>
    work.packageWatch.resume(changes).catch((error: unknown) => {
      work.alert(`packages are not watched any more: ${errorText(error)}`);
    });
  const found = resume ? await packages.findUpgrade(jobId).catch(notDone) : null;
  if (found === null && resume) {
    await resumeWatch([]);
    life.tell({ kind: 'upgrade-not-begun', jobId });
    return;
  }
  // Of one that a crash left half-way the journal has it from before: a look now would be one in its middle.
  if (found === null) {
    life.tell({ kind: 'gate-before', before: await work.gate.beforeOurs() });
    // The next life finds that nothing was begun.
    if (life.signal.aborted) return;
  }
  const before = work.gateBefore();
  const done = found ?? (await packages.upgrade(order, jobId).catch(notDone));
  await resumeWatch(done.changes);
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
