import type { RunBounded } from '../../../host/run-bounded.ts';
import { createAttach } from '../../../host/health/attach.ts';
import { probe } from '../../../host/health/probe.ts';
import type { ProbeDependencies, RunningState } from '../../../host/health/probe.ts';
import { waitUntilHealthy } from '../../../host/health/wait-until-healthy.ts';
import type { ContainerRuntime } from '../../../host/runtime.ts';
import type { HealthPort } from '../agent-host.ts';

const runningState = async (
  runtime: Pick<ContainerRuntime, 'state'>,
  name: string,
): Promise<RunningState> => {
  const { state } = await runtime.state(name);
  return state === 'running' || state === 'stopped' || state === 'gone' ? state : 'changing';
};

/** The host's own probes, for observation and after a start. */
export const createHealthPort = (
  runtime: Pick<ContainerRuntime, 'state' | 'addressOf'>,
  run: RunBounded,
  lxcPath: string,
): HealthPort => {
  const deps: ProbeDependencies = {
    attach: createAttach(run, lxcPath),
    addressOf: runtime.addressOf,
    state: (name) => runningState(runtime, name),
  };
  return {
    probe: async (target, settings) =>
      probe(settings.health, target, { timeoutMs: settings.probeTimeoutMs }, deps),
    watch: async ({ target, settings, deadline, signal }) =>
      waitUntilHealthy({ settings, target, deadline, signal }, deps),
  };
};
