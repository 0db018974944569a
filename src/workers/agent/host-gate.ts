import { setTimeout as sleep } from 'node:timers/promises';
import type { GateBefore } from '../../core/agent/journal.ts';
import { errorText } from '../../core/error-text.ts';
import type { ContainerName } from '../../core/ids.ts';
import type { GateAnswer } from '../../core/messages.ts';
import { lostAbilities } from '../../host/gate/host-gate.ts';
import type { HostAbilities } from '../../host/gate/host-gate.ts';
import type { AgentClock, AgentHost } from './agent-host.ts';
import { inParallel } from './in-parallel.ts';
import type { Knowledge } from './knowledge.ts';

export interface GateTimes {
  /** How long the gate is asked after a transaction before it has not passed, and how often. */
  limitMs: number;
  everyMs: number;
  /** How often network and DNS are looked at while nothing changes. */
  lookEveryMs: number;
  /**
   * A container that was healthy so lately counts as healthy before: the first sign of `dpkg -i` comes
   * seconds after its beginning, and by then what it broke may have been seen.
   */
  healthyWithinMs: number;
}

export const gateTimes: GateTimes = {
  limitMs: 30_000,
  everyMs: 500,
  lookEveryMs: 60_000,
  healthyWithinMs: 60_000,
};

const probesAtOnce = 16;
/** So many containers are named. */
const namedAtMost = 5;

/** The host gate (design §8): network, DNS, runtime, and every container as healthy as before. */
export interface HostGate {
  /** After each look at the host, while no packages change: remember what works. */
  remember: () => void;
  /** What worked up to now; a container that is down by now is down by its owner's doing. */
  before: () => Promise<GateBefore>;
  /** The same with network and DNS as they are in this moment. */
  beforeOurs: () => Promise<GateBefore>;
  /** Ask until it passes, or the limit is over (`once`: a single time). Never rejects. */
  ask: (
    before: GateBefore | null,
    options: { once?: boolean; signal: AbortSignal },
  ) => Promise<GateAnswer>;
}

export const createHostGate = (ports: {
  host: Pick<AgentHost, 'health' | 'settings' | 'runtime' | 'packages'>;
  knowledge: Pick<Knowledge, 'container' | 'views'>;
  clock: Pick<AgentClock, 'monoMs' | 'wallMs'>;
  times: GateTimes;
  /** It is being restarted by us, or parked: how it is says nothing of the packages. */
  exempt: (name: ContainerName) => boolean;
}): HostGate => {
  const { host, knowledge, clock, times, exempt } = ports;
  const healthyAt = new Map<ContainerName, number>();
  let looks: HostAbilities[] = [];
  let lookedAt = -Infinity;

  const look = async (): Promise<void> => {
    lookedAt = clock.monoMs();
    looks = [...looks.slice(-1), await host.packages.abilities({ dns: true })];
  };

  const healthyLately = async (): Promise<ContainerName[]> => {
    const since = clock.monoMs() - times.healthyWithinMs;
    const names = [...healthyAt].filter(([, at]) => at >= since).map(([name]) => name);
    const states = await host.runtime.states(names).catch(() => null);
    if (states === null) return names;
    return names.filter((name) => {
      const state = states.get(name)?.state;
      return state !== 'stopped' && state !== 'gone';
    });
  };

  const before = async (): Promise<GateBefore> => {
    const healthy = await healthyLately();
    const abilities =
      looks.length === 0
        ? null
        : {
            // One look at a bad moment does not make it something that never worked.
            network: looks.some(({ network }) => network),
            dns: looks.some(({ dns }) => dns),
          };
    return { at: clock.wallMs(), abilities, healthy };
  };

  const worse = async (names: readonly ContainerName[]): Promise<string | null> => {
    const found: string[] = [];
    await inParallel(names, probesAtOnce, async (name) => {
      const container = knowledge.container(name);
      if (container === null || exempt(name)) return;
      const settings = host.settings.of(host.settings.serviceOf(container));
      const { health, reason } = await host.health.probe(container, settings);
      if (health === 'healthy') healthyAt.set(name, clock.monoMs());
      else found.push(`${name}: ${reason === '' ? health : reason}`);
    });
    if (found.length === 0) return null;
    const more = found.length - namedAtMost;
    return `not as healthy as before: ${found.sort().slice(0, namedAtMost).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
  };

  const askOnce = async (known: GateBefore | null): Promise<string | null> => {
    const abilities = known?.abilities ?? null;
    const [now, runtime] = await Promise.all([
      host.packages.abilities({ dns: abilities?.dns === true }),
      host.runtime.ask(),
    ]);
    const lost = [
      lostAbilities(abilities, now),
      runtime === null ? null : `the container runtime does not answer: ${runtime}`,
    ].filter((reason) => reason !== null);
    return lost.length === 0 ? await worse(known?.healthy ?? []) : lost.join('; ');
  };

  return {
    remember: () => {
      const now = clock.monoMs();
      for (const { name, health } of knowledge.views())
        if (health === 'healthy') healthyAt.set(name, now);
      for (const name of healthyAt.keys())
        if (knowledge.container(name) === null) healthyAt.delete(name);
      if (now - lookedAt >= times.lookEveryMs) void look();
    },
    before,
    beforeOurs: async () => {
      await look();
      return before();
    },
    ask: async (known, { once = false, signal }) => {
      const end = clock.monoMs() + times.limitMs;
      for (;;) {
        const reason = await askOnce(known).catch(
          (error: unknown) => `the host gate could not be asked: ${errorText(error)}`,
        );
        if (reason === null) return { ok: true, reason: '' };
        if (once || signal.aborted || clock.monoMs() >= end) return { ok: false, reason };
        await sleep(times.everyMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
};
