import type { ContainerName } from '../ids.ts';
import type {
  GrantOrder,
  HostUpgrade,
  Outcome,
  RecordNumber,
  Report,
  Step,
  StepTime,
  Verification,
} from '../messages.ts';
import type { Instance } from '../observation.ts';
import type { SettingsRecord } from '../settings-record.ts';

/** A child process that works for a grant and may outlive the agent (R23). */
export interface Child {
  pid: number;
  startTime: string;
}

/** One grant as the journal holds it. Everything here is written before the step it names is done (R23). */
export interface AgentGrant {
  order: GrantOrder;
  waveId: string;
  jobId: string;
  step: Step;
  steps: StepTime[];
  /**
   * What the drain found, so that an operator's own maintenance is left as found (R28). Null: nobody knows
   * (its journal was lost), and the undrain makes the container serve.
   */
  found: string | null;
  /** False once its check found that the service has nothing to drain: the steps of the drain are then passed through. */
  drains: boolean;
  child: Child | null;
  /** Past its healthy deadline: reported as failed, still open and counted (R20). */
  failed: boolean;
  /** Taken over from a former incarnation: started and awaited, never stopped (R15). */
  adopted: boolean;
  /** R26: the step of the failed grant that this one took over from, until its own stop begins; else null. */
  tookOver: Step | null;
  /** The instance that our stop was begun on; another one is never stopped for this grant (R24). */
  stopping: Instance | null;
  /** Why it is being undone; null while it goes forward. */
  ending: { outcome: 'refused' | 'void' | 'gone'; reason: string } | null;
  verification: Verification | null;
  end: { outcome: Outcome; reason: string } | null;
}

export type UpgradeStep = 'waiting' | 'running' | 'ended';

/** The one upgrade of this host that is not over (R29); more of them wait in arrival order. */
export interface AgentUpgrade {
  order: HostUpgrade;
  jobId: string;
  step: UpgradeStep;
  /** It was begun, and found no room on a disk, as this says: it waits for room, and is not begun again. Else null. */
  noRoom: string | null;
  /** What it came to; null: it is not over, or was before this was kept. */
  end: { outcome: 'done' | 'failed' | 'void'; reason: string } | null;
}

/** A job id that this journal knows: redelivery changes nothing (R5). */
export interface KnownJob {
  hash: string;
  grants: string[];
  /** Server time after which it may be forgotten, once its grants are ended. */
  forgetAfter: number;
}

/** What the agent remembers about a container between observations. */
export interface KnownContainer {
  instance: Instance | null;
  /** Tells it from another one of the same name; null: nothing does, or not known yet. */
  identity: string | null;
  /** It went down without us: its owner's doing, so never started by us (R25). */
  ownerStopped: boolean;
  /** It went down since what ran it was killed: nobody's doing (R25). */
  died: boolean;
  /** What whoever stops this instance takes away with it, and its death leaves; none: that cannot be told. Null: not looked at yet. */
  traces: string[] | null;
}

/** What worked on this host before a package transaction: its host gate compares with that (R29). */
export interface GateBefore {
  /** Wall-clock ms. */
  at: number;
  /** Null: not known. */
  abilities: { network: boolean; dns: boolean } | null;
  /** Containers that were healthy. */
  healthy: ContainerName[];
}

/** The host gate of a package transaction that is open, or of one after which it did not pass. */
export interface HostGate {
  before: GateBefore;
  /** Why it did not pass; null: the transaction is not over. */
  failed: string | null;
}

/** The durable truth about what was done on this host. */
export interface Journal {
  incarnation: string;
  /** False in a new incarnation until the server has named the grants of the former one (R15). */
  settled: boolean;
  lastSeq: number;
  reports: Map<number, Report>;
  highestRecord: RecordNumber | null;
  jobs: Map<string, KnownJob>;
  grants: Map<string, AgentGrant>;
  /** Grants never held that are refused for ever, with the answer that was given. */
  refused: Map<string, { outcome: 'refused' | 'void'; reason: string }>;
  upgrades: Map<string, AgentUpgrade>;
  /** Number of package transactions seen. */
  transactions: number;
  /** Null: no transaction is open, and the gate of the last one passed. */
  gate: HostGate | null;
  containers: Map<ContainerName, KnownContainer>;
  /** What the audit trail has last of the agent's settings, under `recorded`; empty: nothing yet. */
  settings: Map<string, SettingsRecord>;
}

export const emptyJournal = (incarnation: string, settled: boolean): Journal => ({
  incarnation,
  settled,
  lastSeq: 0,
  reports: new Map(),
  highestRecord: null,
  jobs: new Map(),
  grants: new Map(),
  refused: new Map(),
  upgrades: new Map(),
  transactions: 0,
  gate: null,
  containers: new Map(),
  settings: new Map(),
});

/** Reports up to this number were acknowledged, and are gone for good (R8, R16). */
export const ackedOf = ({ reports, lastSeq }: Journal): number =>
  (reports.keys().next().value ?? lastSeq + 1) - 1;
