import type { ContainerName } from '../ids.ts';
import type {
  AuditCopied,
  ControlRecord,
  GateAnswer,
  HostInventory,
  HostObserved,
  HostUpgrade,
  HostUpgraded,
  Leader,
  RestartBatch,
  UpgradeFinished,
  Verification,
} from '../messages.ts';
import type { ContainerView } from '../messages.ts';
import type { AuditDetails } from '../audit-details.ts';
import type { SettingsRecord } from '../settings-record.ts';
import type { Health, Instance } from '../observation.ts';
import type { AgentGrant, Child, GateBefore, Journal } from './journal.ts';

/** The newest control record and what its arrival proved. All times are the agent's monotonic ms. */
export interface HeardRecord {
  value: ControlRecord;
  /** When this number was first seen: its age counts from there (R13). */
  seenAt: number;
  /** When its server time was the present one, at the latest: server time goes on from there (R14). */
  saidAt: number;
  /** Whether a number rose while this process lived: the first one read may be of any age (R13). */
  advanced: boolean;
}

/** What is under way for a grant, by name; only one thing at a time. */
export type Activity = 'check' | 'drain' | 'stop' | 'start' | 'health' | 'undrain' | 'verify';

/** The agent's whole state: the journal survives a crash, the rest does not. */
export interface Agent {
  journal: Journal;
  /**
   * Number of the last report that was in the journal when it was loaded; null once a record was read since. Until then
   * nothing is sent, so that whatever else was acknowledged was told by a journal that is not this one (R15).
   */
  foundSeq: number | null;
  /** What the newest record said; null until one was read. */
  record: HeardRecord | null;
  /** The highest server time ever answered: it never goes back (R14). */
  serverTimeFloor: number;
  busy: Map<string, Activity>;
  /** Why a grant waits, for `status`; cleared when it moves. */
  waiting: Map<string, string>;
  /** Start attempts of a grant in this life, for the backoff. */
  attempts: Map<string, number>;
  /** Grants whose container was seen with old code after its restart, with the number of transactions then (R30). */
  seenOld: Map<string, number>;
  /** Monotonic ms before which a grant is left alone. */
  notBefore: Map<string, number>;
  upgradeBusy: boolean;
  /** By the job of an upgrade that found no room on a disk: how often, in ms, it is looked whether there is more. */
  awaitRoom: Map<string, number>;
  /** Upgrades one after another that found none. */
  roomMissed: number;
  /** The former incarnation's stray stops were ended (R15). */
  strayStopsEnded: boolean;
  strayBusy: boolean;
  /** The lower layer's generation that verification speaks of changes with this; see `transactionOpen`. */
  transactionOpen: boolean;
  /** The host gate, which did not pass, is being asked again. */
  gateBusy: boolean;
  /** Something that changes packages has begun since: the answer is about a host that is no more. */
  gateOutdated: boolean;
  /** Monotonic ms before which it is not asked again. */
  gateNotBefore: number;
}

export const bootAgent = (journal: Journal): Agent => ({
  journal,
  foundSeq: journal.lastSeq,
  record: null,
  serverTimeFloor: 0,
  busy: new Map(),
  waiting: new Map(),
  attempts: new Map(),
  seenOld: new Map(),
  notBefore: new Map(),
  upgradeBusy: false,
  awaitRoom: new Map(),
  roomMissed: 0,
  strayStopsEnded: journal.settled,
  strayBusy: false,
  transactionOpen: false,
  gateBusy: false,
  gateOutdated: false,
  gateNotBefore: 0,
});

/** What was seen, at its moment, as the last thing before something begins (R21). */
export interface CheckAnswers {
  state: ContainerView['state'];
  instance: Instance | null;
  stale: 'stale' | 'fresh' | 'unknown';
  health: Health;
  atRest: { ok: boolean; reason: string };
  settingsHash: string;
  optOut: string | null;
  /** What a drain would find now (R28), as `AgentGrant.found` keeps it; left out: there is nothing to drain. */
  found?: string;
}

export type AgentEvent =
  /** The process has started over the journal it found (R24). */
  | { kind: 'booted' }
  /** A rightly signed job for this host. `hash` is of the signed content. */
  | {
      kind: 'job';
      jobId: string;
      hash: string;
      incarnation: string;
      /** Who has put it in; null: a server that does not say. */
      leader: Leader | null;
      expiresAt: number;
      job: AcceptedJob;
    }
  | { kind: 'record'; record: ControlRecord; newIncarnation: string }
  | { kind: 'checked'; grantId: string; answers: CheckAnswers }
  | { kind: 'drained'; grantId: string; ok: boolean; found: string; reason: string }
  | { kind: 'child'; grantId: string; child: Child }
  /** The stop command is over, or a stray one was awaited after a crash: what is seen now. */
  | { kind: 'stop-over'; grantId: string; state: ContainerView['state']; instance: Instance | null }
  | {
      kind: 'start-over';
      grantId: string;
      state: ContainerView['state'];
      instance: Instance | null;
      reason: string;
    }
  | {
      kind: 'health';
      grantId: string;
      result: 'healthy' | 'deadline' | 'down' | 'gone';
      reason: string;
    }
  | { kind: 'undrained'; grantId: string; ok: boolean; reason: string }
  | {
      kind: 'verified';
      grantId: string;
      /** As its effect had it. */
      transactions: number;
      /** Whether packages were at rest after it was looked into. */
      atRest: boolean;
      verification: Verification;
      container: ContainerView | null;
    }
  | { kind: 'stray-stops-ended'; states: Map<ContainerName, ContainerView['state']> }
  | {
      kind: 'observed';
      name: ContainerName;
      state: ContainerView['state'];
      instance: Instance | null;
      /** Tells it from another one of the same name; null: nothing does. */
      identity: string | null;
      /** Of the host's present boot. */
      bootId: string;
      /** Of one that runs, where it was asked: as `KnownContainer` has them. */
      traces?: string[];
      /** Of one that is down: the traces of its last instance that was seen are there still. */
      left?: boolean;
    }
  /** The host was looked at, and the coordinator is to know; the journal adds the grants that it holds. */
  | {
      kind: 'host-observed';
      observed: Omit<
        HostObserved,
        | 'kind'
        | 'leader'
        | 'settled'
        | 'transactions'
        | 'openGrants'
        | 'openUpgrades'
        | 'gate'
        | 'waits'
      >;
      /** What is to be told of packages that have been changed for long; null: nothing. */
      longTransaction?: string | null;
    }
  | { kind: 'transaction'; phase: 'open' }
  | { kind: 'transaction'; phase: 'over'; upgraded: Omit<HostUpgraded, 'kind' | 'transaction'> }
  /** What works, at the first sign of a package transaction or right before an upgrade of ours. */
  | { kind: 'gate-before'; before: GateBefore }
  /** The host gate was asked again. */
  | { kind: 'gate'; gate: GateAnswer }
  /** A former life journaled it as begun, and began nothing. */
  | { kind: 'upgrade-not-begun'; jobId: string }
  | {
      kind: 'upgrade-over';
      jobId: string;
      finished: Omit<UpgradeFinished, 'kind' | 'jobId' | 'grantId' | 'waveId'>;
      containers: ContainerView[];
    }
  /** There is more room by now than there was for the upgrade of this job. */
  | { kind: 'room'; jobId: string }
  /** What the host has and is offered, read while nothing changed it. */
  | { kind: 'inventory'; read: Omit<HostInventory, 'kind' | 'transaction'> }
  /** Records of this life's audit chain that the store has lost (R16). */
  | { kind: 'copies-wanted'; copies: readonly Omit<AuditCopied, 'kind'>[] }
  /** The agent goes by other settings than those recorded last. */
  | { kind: 'settings'; now: SettingsRecord }
  | { kind: 'tick' };

export type AcceptedJob =
  | { kind: 'restart-batch'; payload: RestartBatch }
  | { kind: 'host-upgrade'; payload: HostUpgrade }
  | { kind: 'observe-host'; refresh: boolean }
  /** Signed by the server, yet unknown kind or version, or unreadable (R6). `grants`: those that could be read. */
  | { kind: 'unusable'; reason: string; grants: string[] };

export type AgentEffect =
  | { kind: 'check'; grant: AgentGrant; purpose: CheckPurpose }
  | { kind: 'drain'; grant: AgentGrant }
  | { kind: 'stop'; grant: AgentGrant }
  /** Wait for a stop that a former life of this process began, or end it, then look (R24). */
  | { kind: 'await-stray-stop'; grant: AgentGrant }
  | { kind: 'start'; grant: AgentGrant }
  /** Watch until healthy; `deadline` false: it has failed already and is watched without limit. */
  | { kind: 'watch-health'; grant: AgentGrant; deadline: boolean }
  | { kind: 'undrain'; grant: AgentGrant }
  /** `transactions`: the answer is about the packages after so many of them. */
  | { kind: 'verify'; grant: AgentGrant; transactions: number }
  | { kind: 'end-stray-stops' }
  | { kind: 'run-upgrade'; jobId: string; order: HostUpgrade; resume: boolean }
  /** An upgrade found no room: look so often whether the host's disks have more of it. */
  | { kind: 'await-room'; jobId: string; reason: string; everyMs: number }
  /** The host gate did not pass after a transaction: ask it once more (R29). */
  | { kind: 'ask-gate'; before: GateBefore }
  /** Unacknowledged reports are there to be sent. */
  | { kind: 'send-reports' }
  /** Look and report, also what has not changed (R10, R21): a container, or the whole host (null). */
  | { kind: 'observe'; container: ContainerName | null }
  /** Another leader: let it hear that we live, and send again what it may have lost. */
  | { kind: 'heartbeat' }
  /** Report the packages anew; `refresh`: fetch the repositories' indexes first. */
  | { kind: 'take-inventory'; refresh: boolean }
  /** The journal is of no use any more: it was replaced by a new incarnation (R15). */
  | { kind: 'alert'; message: string };

/** `begin`: before draining; `stop`: right before the stop; `stop-again`: after a crash in `stopping`. */
export type CheckPurpose = 'begin' | 'stop' | 'stop-again';

/** An entry of the host's audit chain, made durable in the same write as the step it speaks of (R23). */
export interface AgentAudit {
  action:
    | 'restart-begun'
    | 'stop-begun'
    | 'restart-ended'
    | 'restart-failed'
    | 'restart-refused'
    | 'upgrade-begun'
    | 'upgrade-ended'
    | 'job-refused'
    | 'host-upgraded'
    | 'gate-passed'
    | 'container-died'
    | 'incarnation-begun'
    | 'settings-changed';
  container: ContainerName | null;
  service: string | null;
  waveId: string | null;
  grantId: string | null;
  outcome: string | null;
  details: AuditDetails;
}

/** Where a step writes down what must be durable and what is to be done after that. */
export interface Turn {
  agent: Agent;
  /** Monotonic ms of this process. */
  mono: number;
  /** Wall-clock ms, for what people read. */
  wallMs: number;
  /** Number of the last report before this turn. */
  seqBefore: number;
  audits: AgentAudit[];
  effects: AgentEffect[];
}
