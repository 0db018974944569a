import type { Fleet } from '../../core/coordinator/fleet.ts';
import { containerId } from '../../core/ids.ts';
import type { SequencedReport } from '../../core/messages.ts';

export interface RestartTime {
  meanMs: number;
  samples: number;
}

/** Newer restarts weigh more: a service that became slower is soon planned as such. */
const memory = 20;

/** Services whose mean changed by the restarts that ended well among these reports; `known` is updated. */
export const learnRestartTimes = (
  known: Map<string, RestartTime>,
  fleet: Fleet,
  reports: readonly SequencedReport[],
): Map<string, RestartTime> => {
  const changed = new Map<string, RestartTime>();
  for (const { host, report } of reports) {
    if (
      report.kind !== 'restart-finished' ||
      report.outcome !== 'done' ||
      report.container === null
    )
      continue;
    const service = fleet.containers.get(containerId(host, report.container.name))?.service;
    const from = report.steps.find(({ step }) => step === 'draining')?.at;
    const to = report.steps.at(-1)?.at;
    if (service === undefined || from === undefined || to === undefined || to < from) continue;
    const before = known.get(service) ?? { meanMs: 0, samples: 0 };
    const samples = Math.min(before.samples + 1, memory);
    const after = { meanMs: before.meanMs + (to - from - before.meanMs) / samples, samples };
    known.set(service, after);
    changed.set(service, after);
  }
  return changed;
};
