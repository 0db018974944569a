import { z } from 'zod';
import { Inventory, InventoryPackage } from './advisories/inventory.ts';
import { mostSuites, SecuritySuite } from './advisories/security-suite.ts';
import { ContainerName, HostId } from './ids.ts';
import {
  Health,
  Instance,
  ShadowedFile,
  StaleFile,
  StaleHostProcess,
  Unreadable,
} from './observation.ts';
import { PackageChange } from './packages.ts';

/** The life of a grant, in order (protocol §3). `done` is the only step that frees by success. */
export const Step = z.enum([
  'journaled',
  'draining',
  'drained',
  'stopping',
  'stopped',
  'started',
  'healthy',
  'undrained',
  'done',
]);
export type Step = z.infer<typeof Step>;

const order = Step.options;
/** Whether `step` comes at or after `mark` in the life of a grant. */
export const reached = (step: Step, mark: Step): boolean =>
  order.indexOf(step) >= order.indexOf(mark);

/** What the check after a restart found. */
export const Verification = z.enum(['verified', 'stale', 'shadowed', 'unknown']);
export type Verification = z.infer<typeof Verification>;

/**
 * How a grant ends, by its agent's word (R20). `retried` is the end that a newer grant for the same
 * container brings in the journal write that begins it (R26); the unit stays with the newer one.
 */
export const Outcome = z.enum(['done', 'refused', 'void', 'gone', 'retried']);
export type Outcome = z.infer<typeof Outcome>;

/**
 * The instance that may be stopped, the failed grant that this one takes over from (R26), or that it is down and nobody has
 * stopped it (R25): then it is only started.
 */
export const Expect = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('instance'), instance: Instance }),
  z.strictObject({ kind: z.literal('died') }),
  z.strictObject({ kind: z.literal('retry'), grantId: z.string() }),
]);
export type Expect = z.infer<typeof Expect>;

/** One permission for one restart, as a job carries it. Times are server time in ms (R14). */
export const GrantOrder = z.strictObject({
  grantId: z.string(),
  container: ContainerName,
  service: z.string(),
  /** SHA-256 of the host's settings for the service; another one there means refusal. */
  settingsHash: z.string(),
  expect: Expect,
  attempt: z.int().positive(),
  beginBefore: z.number(),
  deadline: z.number(),
  /** Asked for by a person: need not be stale. */
  byHand: z.boolean(),
  /** Beyond the budget because the container is broken: the agent checks that it is (R17). */
  onlyIfBroken: z.boolean(),
  /** Binary packages that were patched: a copy of one of their files makes the restart `shadowed`; null: of any. */
  patched: z.array(z.string()).nullable().default(null),
});
export type GrantOrder = z.infer<typeof GrantOrder>;

export const RestartBatch = z.strictObject({
  waveId: z.string(),
  grants: z.array(GrantOrder).min(1),
});
export type RestartBatch = z.infer<typeof RestartBatch>;

export const WantedPackage = z.strictObject({
  name: z.string(),
  /** `exact`: this very version; `at-least`: this one or a newer; `newest`: what the host's sources offer. */
  want: z.enum(['exact', 'at-least', 'newest']),
  version: z.string().nullable(),
});
export type WantedPackage = z.infer<typeof WantedPackage>;

export const HostUpgrade = z.strictObject({
  waveId: z.string(),
  /** Set where the upgrade is disruptive and so a grant itself (R29). */
  grantId: z.string(),
  mode: z.enum(['packages', 'security']),
  packages: z.array(WantedPackage),
  /** What came along on the first host of its wave: where these change here too, they come to these versions. */
  proved: z
    .array(z.strictObject({ name: z.string(), arch: z.string(), version: z.string() }))
    .optional(),
  allowRemove: z.boolean(),
  /** Services of which it takes a unit, where it is disruptive: a pause of one of them holds it (R31). */
  services: z.array(z.string()).default([]),
  beginBefore: z.number(),
  deadline: z.number(),
});
export type HostUpgrade = z.infer<typeof HostUpgrade>;

/** What the agent sees of one container. */
export const ContainerView = z.strictObject({
  name: ContainerName,
  groups: z.array(z.string()),
  address: z.string().nullable(),
  /** Whether the container's lower layer is the host's root; others are listed and left alone. */
  onHostRoot: z.boolean(),
  /** On the host's root, but written in keys of LXC before 3: today's LXC does not start it again. */
  oldForm: z.boolean().default(false),
  /** What its root is, or what mends that, where `onHostRoot` is false. */
  rootNote: z.string().default(''),
  state: z.enum(['running', 'stopped', 'frozen', 'changing', 'gone']),
  instance: Instance.nullable(),
  /** Tells it from another one of the same name (R18); null: nothing does. */
  identity: z.string().nullable().default(null),
  health: Health,
  healthReason: z.string(),
  stale: z.array(StaleFile),
  shadowed: z.array(ShadowedFile),
  unreadable: z.array(Unreadable),
  /** Stopped by its owner while we watched: never started by us (R25). */
  ownerStopped: z.boolean(),
  /** It is down, and nobody has stopped it: what ran it was killed (R25). */
  died: z.boolean().default(false),
  /** Never restart, or not before a date; null: no opt-out. */
  optOut: z.strictObject({ reason: z.string(), until: z.number().nullable() }).nullable(),
  /** A note on this host says that it is down on purpose (`groundswell container park`); null: none does. */
  parked: z.strictObject({ reason: z.string(), by: z.string() }).nullable().default(null),
  /** Private directories of the host that this container can still read. */
  unhidden: z.array(z.string()),
});
export type ContainerView = z.infer<typeof ContainerView>;

/** Identity of a control record: compared in this order (R11). */
export const RecordNumber = z.tuple([z.int(), z.int(), z.int()]);
export type RecordNumber = z.infer<typeof RecordNumber>;

export const compareRecordNumbers = (a: RecordNumber, b: RecordNumber): number =>
  a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

/** Who leads: generation of the store and epoch, the head of a record's number. */
export const Leader = z.tuple([z.int().min(0), z.int().min(0)]);
export type Leader = z.infer<typeof Leader>;

/** Whether one leads after another: of a later life of the store, or of a later epoch. */
export const leadsAfter = (a: Leader, b: Leader): boolean =>
  a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

/** What the host gate said: network, DNS, runtime, every container as healthy as before (R29). */
export const GateAnswer = z.strictObject({ ok: z.boolean(), reason: z.string() });
export type GateAnswer = z.infer<typeof GateAnswer>;

/** When a step was reached: server time, and the agent's wall clock; null: by an agent that did not tell it. */
export const StepTime = z.strictObject({
  step: Step,
  at: z.number(),
  wallMs: z.number().nullable().default(null),
});
export type StepTime = z.infer<typeof StepTime>;

/** Problems that one report names, and characters of each, at most. */
export const mostProblems = 5;
export const longestProblem = 500;

export const HostObserved = z.strictObject({
  kind: z.literal('host-observed'),
  /** Of the newest control record that was heard before this was seen; what is open is told as of that (R16). Null: from an agent that does not say. */
  leader: Leader.nullable().default(null),
  /** False: a journal was lost, and its agent does not know yet what it had held (R15). */
  settled: z.boolean().default(true),
  /** All containers (a missing one is gone), or only those that changed. */
  whole: z.boolean(),
  containers: z.array(ContainerView),
  /** Service name → hash of the host's settings for it. `*` stands for every service not named. */
  settingsHashes: z.record(z.string(), z.string()),
  openGrants: z.array(
    z.strictObject({
      grantId: z.string(),
      waveId: z.string().default(''),
      container: ContainerName,
      step: Step,
      failed: z.boolean(),
    }),
  ),
  /** Number of the last transaction in the agent's journal; null: from an agent that does not say. */
  transactions: z.int().min(0).nullable().default(null),
  /** Upgrades of ours that are not ended, with the services of which they take a unit. */
  openUpgrades: z
    .array(
      z.strictObject({
        grantId: z.string(),
        waveId: z.string(),
        jobId: z.string(),
        services: z.array(z.string()),
      }),
    )
    .default([]),
  /** What grants wait for that are not ended, restarts and upgrades (L4); those not named wait for nothing. */
  waits: z.array(z.strictObject({ grantId: z.string(), reason: z.string() })).default([]),
  atRest: z.boolean(),
  atRestReason: z.string(),
  rebootRequired: z.array(z.string()),
  staleHostProcesses: z.array(StaleHostProcess),
  platform: z.string(),
  agentStale: z.boolean(),
  /** What its agent could not do lately, each once, in words for people. */
  problems: z.array(z.string().max(longestProblem)).max(mostProblems).default([]),
  /** How the gate of the last package transaction stands; null: from an agent that does not say. */
  gate: GateAnswer.nullable().default(null),
});
export type HostObserved = z.infer<typeof HostObserved>;

export const HostUpgraded = z.strictObject({
  kind: z.literal('host-upgraded'),
  /** Number of this transaction in the agent's journal. */
  transaction: z.int(),
  changes: z.array(PackageChange),
  origin: z.discriminatedUnion('by', [
    z.strictObject({ by: z.literal('job'), jobId: z.string(), waveId: z.string() }),
    z.strictObject({ by: z.literal('outside') }),
  ]),
  /** Every container that is stale now, or keeps its own copy of a file of what was changed. */
  containers: z.array(ContainerView),
  /** After a transaction of others; null: `upgrade-finished` has it, or the agent does not say. */
  gate: GateAnswer.nullable().default(null),
});
export type HostUpgraded = z.infer<typeof HostUpgraded>;

export const RestartProgress = z.strictObject({
  kind: z.literal('restart-progress'),
  grantId: z.string(),
  step: Step,
  at: z.number(),
});
export type RestartProgress = z.infer<typeof RestartProgress>;

export const RestartFinished = z.strictObject({
  kind: z.literal('restart-finished'),
  grantId: z.string(),
  /** What the grant was for, where its end is told once more to a store that may have forgotten it (R16). */
  of: z.strictObject({ waveId: z.string(), container: ContainerName }).optional(),
  /** `failed` does not end the grant: it stays open, and counted, until healthy or retried. */
  outcome: z.union([Outcome, z.literal('failed')]),
  verification: Verification.nullable(),
  reason: z.string(),
  steps: z.array(StepTime),
  /** The container's newest state (R10); null where it is gone. */
  container: ContainerView.nullable(),
});
export type RestartFinished = z.infer<typeof RestartFinished>;

export const UpgradeFinished = z.strictObject({
  kind: z.literal('upgrade-finished'),
  jobId: z.string(),
  grantId: z.string(),
  waveId: z.string(),
  ok: z.boolean(),
  reason: z.string(),
  remedy: z.string(),
  changes: z.array(PackageChange),
  transcript: z.string(),
  /** Name of what went wrong, such as `held` or `unknown-version`, where it has one. */
  code: z.string().optional(),
  /** Of `unknown-version`: the packages that the repositories do not have as asked for; left out: any of them. */
  missing: z.array(z.strictObject({ name: z.string(), arch: z.string() })).optional(),
  gate: GateAnswer,
});
export type UpgradeFinished = z.infer<typeof UpgradeFinished>;

export const JobRefused = z.strictObject({
  kind: z.literal('job-refused'),
  jobId: z.string(),
  reason: z.string(),
  endsGrants: z.array(z.string()),
});
export type JobRefused = z.infer<typeof JobRefused>;

/** An audit record of the host's chain on its way to the store. */
export const AuditCopied = z.strictObject({
  kind: z.literal('audit-copied'),
  seq: z.int(),
  record: z.record(z.string(), z.json()),
  hash: z.string(),
});
export type AuditCopied = z.infer<typeof AuditCopied>;

/** What a host has installed and what its own repositories offer, whole: at an agent's start, and on each change. */
export const HostInventory = z.strictObject({
  kind: z.literal('host-inventory'),
  /** Number of the last transaction in the agent's journal: what it changed is in here. */
  transaction: z.int(),
  inventory: Inventory,
  /** For each installed package that has a newer version there: the one that an upgrade would take. */
  offers: z.array(InventoryPackage),
  /** Suites of security updates that its own sources name; hosts without apt have none. */
  securitySuites: z.array(SecuritySuite).max(mostSuites).default([]),
  /** When the repositories' indexes were last fetched, wall clock in ms; null: not by this agent. */
  refreshedAt: z.number().nullable(),
  /** Why they could not be fetched the last time; null: they could. */
  refreshProblem: z.string().nullable(),
});
export type HostInventory = z.infer<typeof HostInventory>;

export const Report = z.discriminatedUnion('kind', [
  HostObserved,
  HostUpgraded,
  RestartProgress,
  RestartFinished,
  UpgradeFinished,
  JobRefused,
  AuditCopied,
  HostInventory,
]);
export type Report = z.infer<typeof Report>;

/** A report with its identity (R8) and the echo of the newest control record (R14). */
export interface SequencedReport {
  host: HostId;
  incarnation: string;
  seq: number;
  echo: RecordNumber;
  /** The highest `ackedSeq` that its journal has heard: reports up to there are gone from it (R16). */
  acked: number;
  report: Report;
}

export const PauseLevel = z.discriminatedUnion('level', [
  z.strictObject({ level: z.literal('fleet') }),
  z.strictObject({ level: z.literal('wave'), waveId: z.string() }),
  z.strictObject({ level: z.literal('service'), service: z.string() }),
  z.strictObject({ level: z.literal('host'), hostId: HostId }),
  z.strictObject({ level: z.literal('queue'), hostId: HostId }),
]);
export type PauseLevel = z.infer<typeof PauseLevel>;

/** The control record's content (R11), signed and kept per host. */
export const ControlRecord = z.strictObject({
  number: RecordNumber,
  /** Server time in ms: its own clock, never the wall's (R14). */
  serverTime: z.number(),
  /** The incarnation whose reports `ackedSeq` counts; null before the first report. */
  incarnation: z.string().nullable(),
  ackedSeq: z.int(),
  /** How many records of the audit chain of this incarnation have come, where some have to come again (R16). */
  copied: z.int().min(0).optional(),
  pauses: z.array(PauseLevel),
  /** Reasons of the freezes in force. */
  freezes: z.array(z.string()),
  excluded: z.boolean(),
  voids: z.array(z.string()),
  /** Grants of former incarnations, with their last reported step (R15). */
  suspects: z.array(z.strictObject({ grantId: z.string(), container: ContainerName, step: Step })),
  /** Containers that an operator has parked. */
  parked: z.array(ContainerName),
});
export type ControlRecord = z.infer<typeof ControlRecord>;
