import { substitute } from '../../../core/substitute.ts';
import { formatFound } from '../../../host/drain/found.ts';
import { drain, undrain } from '../../../host/drain/drain.ts';
import type { DrainDependencies } from '../../../host/drain/drain.ts';
import { lostFound } from '../../../host/drain/found.ts';
import { askHaproxy } from '../../../host/drain/haproxy-runtime.ts';
import { readAdmin } from '../../../host/drain/haproxy-server.ts';
import type { RunBounded } from '../../../host/run-bounded.ts';
import type { HostServiceSettings } from '../../../core/service-settings.ts';
import type { DrainPort, HealthPort, Target } from '../agent-host.ts';

/** Drains by the host's own configuration: before-stop command, HAProxy, and back (design §8). */
export const createDrainPort = (run: RunBounded, health: HealthPort): DrainPort => {
  const dependencies = (
    target: Target,
    settings: HostServiceSettings,
    signal: AbortSignal,
  ): DrainDependencies => ({
    run,
    ask: askHaproxy,
    isHealthy: async () => (await health.probe(target, settings)).health === 'healthy',
    signal,
  });
  return {
    drains: ({ haproxy, beforeStop, afterHealthy }) =>
      haproxy !== undefined || beforeStop !== undefined || afterHealthy !== undefined,
    look: async (target, { haproxy }) => {
      if (haproxy === undefined) return formatFound({ haproxy: null });
      const which = {
        socket: haproxy.socket,
        backend: substitute(haproxy.backend, target),
        server: substitute(haproxy.server, target),
      };
      return formatFound({
        haproxy: { ...which, state: await readAdmin(which, { ask: askHaproxy }) },
      });
    },
    drain: async (target, settings, found, signal) => {
      const result = await drain(settings, target, dependencies(target, settings, signal), {
        found,
        keep: () => undefined,
      });
      return result.ok ? { ok: true } : { ok: false, reason: result.reason };
    },
    undrain: (target, settings, found, signal) =>
      undrain(settings, target, found ?? lostFound, dependencies(target, settings, signal)),
  };
};
