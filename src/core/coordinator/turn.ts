import type { AuditDetails } from '../audit-details.ts';
import { beginningOf } from '../beginning-of.ts';
import type { ContainerId, HostId } from '../ids.ts';
import type { HostUpgrade, RestartBatch } from '../messages.ts';
import type { Fleet, WantedUpgrade } from './fleet.ts';
import { describeCause } from './wave-cause.ts';

/** An entry of the coordinator's audit chain. */
export interface ControlAudit {
  actor: string;
  action:
    | 'wave-opened'
    | 'wave-joined'
    | 'wave-left'
    | 'wave-approved'
    | 'wave-declined'
    | 'wave-paused'
    | 'wave-stopped'
    | 'wave-started-over'
    | 'wave-finished'
    | 'granted'
    | 'grant-ended'
    | 'grant-failed'
    | 'grant-suspect'
    | 'upgrade-ordered'
    | 'upgrade-ended'
    | 'paused'
    | 'resumed'
    | 'frozen'
    | 'unfrozen'
    | 'parked'
    | 'unparked'
    | 'retry-asked'
    | 'host-excluded'
    | 'host-added'
    | 'host-removed'
    | 'host-incarnation'
    | 'nothing-stale'
    | 'outage-allowed'
    | 'job-refused'
    | 'messages-refused'
    | 'keys-changed'
    | 'settings-changed'
    | 'feed-accepted'
    | 'store-restored'
    | 'copy-refused'
    | 'action-refused';
  /** A host, or `host/container`, where it is an agent that acts; else kind and name: `wave …`, `service web`. */
  subject: string;
  service: string | null;
  /** What its wave is for; null: it is of none. */
  cause: string | null;
  waveId: string | null;
  grantId: string | null;
  outcome: string | null;
  details: AuditDetails;
}

/** Rows that a turn changed; the worker writes them, the audits and the outbox in one transaction (R19). */
export type Dirty =
  | { table: 'hosts'; key: HostId }
  | { table: 'containers'; key: ContainerId }
  | { table: 'grants'; key: string }
  | { table: 'waves'; key: string }
  | { table: 'pauses'; key: string }
  | { table: 'freezes'; key: string }
  /** `restored`: that the store is a backup was taken up, and need not be once more. */
  | { table: 'meta'; key: 'generation' | 'restored' };

export type Send =
  | {
      host: HostId;
      jobId: string;
      incarnation: string;
      expiresAt: number;
      kind: 'restart-batch';
      payload: RestartBatch;
    }
  | {
      host: HostId;
      jobId: string;
      incarnation: string;
      expiresAt: number;
      kind: 'host-upgrade';
      payload: HostUpgrade;
    }
  | {
      host: HostId;
      jobId: string;
      incarnation: string;
      expiresAt: number;
      kind: 'observe-host';
      /** `refresh`: fetch the repositories' indexes first, and report what they offer. */
      payload: { refresh: boolean };
    };

export interface Notice {
  kind: 'needs-approval' | 'paused' | 'failed' | 'ended' | 'alert';
  waveId: string | null;
  text: string;
}

/** One decision of the coordinator while it is being made. */
export interface Turn {
  fleet: Fleet;
  /** Server time in ms (R14). */
  now: number;
  /** Wall-clock ms and minute of the local day, for freezes, windows, and what people read. */
  wall: { ms: number; minuteOfDay: number };
  newId: () => string;
  /** By table and key, so that each comes once. */
  dirty: Map<string, Dirty>;
  audits: ControlAudit[];
  sends: Send[];
  /** Outbox rows that an answer has closed (R3). */
  closes: string[];
  /** Hosts whose control record must be renewed at once (R12). */
  renew: Set<HostId>;
  notices: Notice[];
  /** Lists of packages that hosts are to get, by what they say. */
  wanted: Map<string, readonly WantedUpgrade[]>;
}

export const touch = (turn: Turn, row: Dirty): void => {
  const key = `${row.table} ${row.key}`;
  if (!turn.dirty.has(key)) turn.dirty.set(key, row);
};

/** All of a wave's packages are told when it is opened. */
const mostOfCause = 200;

/** What a wave is for, and of whom it is, is known: it need not be said by each who audits. */
const known = (
  { waves, containers }: Fleet,
  { subject, waveId = null }: Partial<ControlAudit> & Pick<ControlAudit, 'subject'>,
): Pick<ControlAudit, 'service' | 'cause'> => {
  const wave = waveId === null ? undefined : waves.get(waveId);
  return {
    service: containers.get(subject.replace(/^container /, ''))?.service ?? null,
    cause: wave === undefined ? null : beginningOf(describeCause(wave.cause), mostOfCause),
  };
};

export const audit = (
  turn: Turn,
  entry: Omit<Partial<ControlAudit>, 'cause'> & Pick<ControlAudit, 'action' | 'subject'>,
): void => {
  turn.audits.push({
    ...{ actor: 'groundswell', waveId: null, grantId: null, outcome: null, details: {} },
    ...known(turn.fleet, entry),
    ...entry,
  });
};
