import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentEffect } from '../../../core/agent/agent.ts';
import type { ContainerName } from '../../../core/ids.ts';
import { errorText } from '../../../core/error-text.ts';
import type { Life } from '../agent-loop.ts';
import type { Work } from '../work.ts';

type RunUpgrade = Extract<AgentEffect, { kind: 'run-upgrade' }>;

/** How long the host gate gives containers to be as healthy as before, and how often it looks. */
const gateLimitMs = 30_000;
const gateEveryMs = 500;

const unhealthyNow = async (work: Work, names: readonly ContainerName[]): Promise<string[]> => {
  const answers = await Promise.all(
    names.map(async (name) => {
      const container = work.knowledge.container(name);
      if (container === null) return null;
      const settings = work.host.settings.of(work.host.settings.serviceOf(container));
      const { health, reason } = await work.host.health.probe(container, settings);
      return health === 'healthy' ? null : `${name}: ${reason === '' ? health : reason}`;
    }),
  );
  return answers.filter((answer) => answer !== null);
};

/** The host gate (design §8): network, DNS, runtime, and every container as healthy as before. */
const gate = async (
  work: Work,
  healthyBefore: readonly ContainerName[],
  signal: AbortSignal,
): Promise<{ ok: boolean; reason: string }> => {
  const end = work.clock.monoMs() + gateLimitMs;
  for (;;) {
    const host = await work.host.packages.gate();
    const worse = host.ok ? await unhealthyNow(work, healthyBefore) : [];
    if (host.ok && worse.length === 0) return { ok: true, reason: '' };
    if (signal.aborted || work.clock.monoMs() >= end)
      return host.ok
        ? { ok: false, reason: `not as healthy as before: ${worse.slice(0, 5).join('; ')}` }
        : host;
    await sleep(gateEveryMs);
  }
};

/** Upgrade the host's packages, see what became stale, and pass the gate (R29). */
export const runUpgrade = async (
  work: Work,
  { jobId, order, resume }: RunUpgrade,
  life: Life,
): Promise<void> => {
  const healthyBefore = work.knowledge
    .views()
    .filter(({ health }) => health === 'healthy')
    .map(({ name }) => name);
  await work.packageWatch.suspend().catch((error: unknown) => {
    work.alert(`the watch on packages is not suspended: ${errorText(error)}`);
  });
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
  const passed = await gate(work, healthyBefore, life.signal).catch((error: unknown) => ({
    ok: false,
    reason: `the host gate could not be asked: ${errorText(error)}`,
  }));
  const patched = done.changes.map(({ name }) => name);
  const containers =
    done.changes.length === 0
      ? []
      : await work.knowledge.scanAll(patched).catch((error: unknown) => {
          work.alert(`the scan after the upgrade failed: ${errorText(error)}`);
          return [];
        });
  const finished = { ...done, gate: passed };
  life.tell({ kind: 'upgrade-over', jobId, finished, containers });
};
