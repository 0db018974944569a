import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerName } from '../../core/ids.ts';
import type { HealthCheck } from '../../core/service-settings.ts';
import { inParallel } from './in-parallel.ts';
import type { Work } from './work.ts';

/** How often a container is probed between restarts: a command in it costs a process or two. */
const probeEveryMs: Record<HealthCheck['kind'], number> = {
  http: 5_000,
  tcp: 5_000,
  running: 5_000,
  command: 15_000,
};
const atOnce = 16;

export interface Prober {
  /** Probe what is due, and `names` in any case; answers whether anything turned healthy or unhealthy. */
  round: (names: ReadonlySet<ContainerName>) => Promise<boolean>;
}

/** Health of running containers at a steady interval. One failure counts only when it is repeated. */
export const createProber = (work: Work): Prober => {
  const dueAt = new Map<ContainerName, number>();
  const probeOne = async (name: ContainerName): Promise<boolean> => {
    const { knowledge, host, clock } = work;
    const container = knowledge.container(name);
    if (container === null) return false;
    const settings = host.settings.of(host.settings.serviceOf(container));
    const state = knowledge.state(name);
    const before = knowledge.view(name)?.health;
    dueAt.set(name, clock.monoMs() + probeEveryMs[settings.health.kind]);
    let answer = await host.health.probe(container, settings);
    if (before === 'healthy' && answer.health !== 'healthy') {
      await sleep(settings.probeIntervalMs);
      answer = await host.health.probe(container, settings);
    }
    // It was stopped or started meanwhile: the answer is of another life.
    if (knowledge.state(name) !== state || knowledge.view(name)?.health !== before) return false;
    knowledge.setHealth(name, answer);
    return answer.health !== before;
  };
  return {
    round: async (names) => {
      const now = work.clock.monoMs();
      const views = work.knowledge.views();
      for (const name of dueAt.keys())
        if (work.knowledge.container(name) === null) dueAt.delete(name);
      const due = views
        .filter(({ state }) => state === 'running')
        .filter(
          ({ name, health }) =>
            names.has(name) || health === 'unknown' || (dueAt.get(name) ?? 0) <= now,
        )
        .map(({ name }) => name);
      let changed = false;
      await inParallel(due, atOnce, async (name) => {
        if (await probeOne(name)) changed = true;
      });
      return changed;
    },
  };
};
