import type { GateBefore } from '../../core/agent/journal.ts';
import type { ContainerName } from '../../core/ids.ts';
import type { PackageChange } from '../../core/packages.ts';
import type { HostServiceSettings } from '../../core/service-settings.ts';
import type { RuntimeContainer } from '../../host/runtime.ts';
import type { AgentClock, AgentHost, Target } from './agent-host.ts';
import type { RaiseAlert } from './alerts.ts';
import type { HostGate } from './host-gate.ts';
import type { Knowledge } from './knowledge.ts';
import type { Lanes } from './lanes.ts';

/** What every effect works with. */
export interface Work {
  host: AgentHost;
  clock: AgentClock;
  knowledge: Knowledge;
  lanes: Lanes;
  /** Read the control record now and give it to the loop; answers why it cannot be read, or null (R13). */
  hearRecord: () => Promise<string | null>;
  /** Our own upgrade is under way: what changes meanwhile is no transaction of others. */
  packageWatch: {
    suspend: () => Promise<void>;
    resume: (ownChanges: readonly PackageChange[]) => Promise<void>;
  };
  gate: HostGate;
  /** What worked before the transaction that is open, as the journal has it; null: not known. */
  gateBefore: () => GateBefore | null;
  /** Whether the upgrade of this job still waits for room on a disk. */
  awaitsRoom: (jobId: string) => boolean;
  /** Why nothing may begin by this process's own state (journal, shutdown); null: it may. */
  holdBack: () => string | null;
  alert: RaiseAlert;
  /** What of that the server is told now. */
  problems: () => string[];
}

/** The container's configuration; read anew where it is not known yet. */
export const findContainer = async (
  { knowledge, host }: Pick<Work, 'knowledge' | 'host'>,
  name: ContainerName,
): Promise<RuntimeContainer | null> =>
  knowledge.container(name) ?? (await host.runtime.list()).find((one) => one.name === name) ?? null;

/** What to probe: a container whose address is not configured is asked for it at each probe, for it may change. */
export const targetOf = async (
  work: Pick<Work, 'knowledge' | 'host'>,
  name: ContainerName,
): Promise<Target> => ({ name, address: (await findContainer(work, name))?.address ?? null });

/** What to drain, with the address that it has now where its configuration says none. */
export const drainTargetOf = async (
  work: Pick<Work, 'knowledge' | 'host'>,
  name: ContainerName,
): Promise<Target> => {
  const { address } = await targetOf(work, name);
  return { name, address: address ?? (await work.host.runtime.addressOf(name).catch(() => null)) };
};

export const settingsOf = ({ host }: Pick<Work, 'host'>, service: string): HostServiceSettings =>
  host.settings.of(service);
