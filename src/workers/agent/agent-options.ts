import type { HostId } from '../../core/ids.ts';
import type { PackageChange } from '../../core/packages.ts';
import type { SettingsRecord } from '../../core/settings-record.ts';
import type { RedisAddress } from '../../jobs/connections.ts';
import type { SigningKey, VerifyKey } from '../../jobs/signing-key.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { AgentClock, AgentHost } from './agent-host.ts';
import type { AgentStatus } from './agent-status.ts';
import { recordTimes } from './control-record.ts';
import type { RecordTimes } from './control-record.ts';
import type { PackageEvents } from './follow-packages.ts';
import { gateTimes } from './host-gate.ts';
import type { GateTimes } from './host-gate.ts';
import { inventoryTimes } from './report-inventory.ts';
import type { InventoryTimes } from './report-inventory.ts';
import { observeTimes } from './observe.ts';
import type { ObserveTimes } from './observe.ts';
import { reportTimes } from './send-reports.ts';
import type { ReportTimes } from './send-reports.ts';

export interface AgentTimes {
  record: RecordTimes;
  report: ReportTimes;
  observe: ObserveTimes;
  gate: GateTimes;
  inventory: InventoryTimes;
  /** Pause before the journal is tried again after a write that failed. */
  journalRetryMs: number;
  /** Core is asked this often what has become due, while anything is open, and otherwise. */
  tickMs: number;
  quietTickMs: number;
  junkEveryMs: number;
  presenceEveryMs: number;
  /** At a stop: how long a container that is down for a restart is awaited. */
  stopGraceMs: number;
}

export const agentTimes: AgentTimes = {
  record: recordTimes,
  report: reportTimes,
  observe: observeTimes,
  gate: gateTimes,
  inventory: inventoryTimes,
  journalRetryMs: 1_000,
  tickMs: 250,
  quietTickMs: 5_000,
  junkEveryMs: 60_000,
  presenceEveryMs: 10_000,
  stopGraceMs: 20_000,
};

/** The watch on the package database; see `watchPackages` of the producers. */
export interface PackageWatch {
  suspend: () => Promise<void>;
  resume: (ownChanges: readonly PackageChange[]) => Promise<void>;
  stop: () => Promise<void>;
}

export interface AgentOptions {
  hostId: HostId;
  /** Of this program. */
  version: string;
  /** The journal's file; its directory is made for root alone. */
  journalPath: string;
  redis: RedisAddress;
  /** The server's valid keys: one, or two while they are rotated (R1). */
  serverKeys: () => readonly VerifyKey[];
  signingKey: () => SigningKey;
  host: AgentHost;
  /** The settings as the audit trail tells changes of them: without secrets. */
  describeSettings: (salt: string) => SettingsRecord;
  /** `suspended`: an upgrade of our own is to be found again first. */
  watchPackages: (events: PackageEvents, options: { suspended: boolean }) => Promise<PackageWatch>;
  clock: AgentClock;
  logger: Pick<Logger, 'info' | 'warn'>;
  times?: AgentTimes;
}

export interface RunningAgent {
  status: () => AgentStatus;
  /** Begin nothing new, bring up what is down for a restart, journal, close. */
  stop: () => Promise<void>;
}
