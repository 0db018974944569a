import { errorText } from '../../core/error-text.ts';
import type { ProbeAnswer } from '../../core/health-clock.ts';
import type { HealthCheck } from '../../core/service-settings.ts';
import type { Attach } from './attach.ts';
import { probeCommand } from './probe-command.ts';
import { probeHttp } from './probe-http.ts';
import { connectWithin } from './probe-tcp.ts';

/** The container that is asked. */
export interface ProbeTarget {
  name: string;
  /** From its configuration; null: what it has when it is asked. */
  address: string | null;
}

export interface ProbeLimits {
  timeoutMs: number;
  /**
   * A connection is given up after this time, `timeoutMs` at most: a first packet lost in a network that is just
   * coming up is sent again by the kernel after a whole second only.
   */
  connectTimeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export type RunningState = 'running' | 'stopped' | 'gone' | 'changing';

export interface ProbeDependencies {
  attach: Attach;
  /** What the runtime sees of the container now. */
  state: (name: string) => Promise<RunningState>;
  /** The address that it has in its network now; null: none. */
  addressOf: (name: string) => Promise<string | null>;
}

export interface ProbeResult extends ProbeAnswer {
  tookMs: number;
}

const withoutAddress = (kind: string, name: string): ProbeAnswer => ({
  health: 'unknown',
  reason: `${kind === 'http' ? 'an http' : `a ${kind}`} check needs an address, and ${name} has none, neither in its configuration nor in its network now: set lxc.net.0.ipv4.address, see why it gets none, or use a command check`,
});

const ask = async (
  check: HealthCheck,
  target: ProbeTarget,
  limits: ProbeLimits,
  deps: ProbeDependencies,
): Promise<ProbeAnswer> => {
  const { timeoutMs, signal } = limits;
  const connectTimeoutMs = Math.min(timeoutMs, limits.connectTimeoutMs ?? timeoutMs);
  const findAddress = async (): Promise<string | null> =>
    target.address ?? (await deps.addressOf(target.name).catch(() => null));
  switch (check.kind) {
    case 'http': {
      const address = await findAddress();
      if (address === null) return withoutAddress('http', target.name);
      return probeHttp(check, address, { timeoutMs, connectTimeoutMs, signal });
    }
    case 'tcp': {
      const address = await findAddress();
      if (address === null) return withoutAddress('tcp', target.name);
      const limit = { timeoutMs: connectTimeoutMs, signal };
      const socket = await connectWithin(address, check.port, limit);
      socket.destroy();
      return { health: 'healthy', reason: `port ${check.port} accepts connections` };
    }
    case 'command':
      return probeCommand(check.command, target.name, { attach: deps.attach, timeoutMs, signal });
    case 'running': {
      const state = await deps.state(target.name);
      return state === 'running'
        ? { health: 'healthy', reason: 'it runs' }
        : { health: 'unhealthy', reason: `it is ${state}` };
    }
  }
};

/** Asks a container once whether it serves. Never throws: what could not be asked is a reason. */
export const probe = async (
  check: HealthCheck,
  target: ProbeTarget,
  limits: ProbeLimits,
  deps: ProbeDependencies,
): Promise<ProbeResult> => {
  const begun = performance.now();
  const tookMs = (): number => Math.round((performance.now() - begun) * 10) / 10;
  try {
    return { ...(await ask(check, target, limits, deps)), tookMs: tookMs() };
  } catch (error) {
    const reason = errorText(error);
    // A runtime that does not answer says nothing about the container; a refused connection does.
    const health = check.kind === 'running' ? 'unknown' : 'unhealthy';
    return { health, reason, tookMs: tookMs() };
  }
};
