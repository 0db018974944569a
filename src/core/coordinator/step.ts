import type { AuditDetails } from '../audit-details.ts';
import type { Need } from '../advisories/needs.ts';
import type { HostId } from '../ids.ts';
import type { ControlRecord, SequencedReport } from '../messages.ts';
import { settingsChanges, settingsDetails } from '../settings-record.ts';
import type { SettingsRecord } from '../settings-record.ts';
import { reviewNeeds } from './advisory-waves.ts';
import { applyReport } from './apply-report.ts';
import { hasOpenGrants, issueRecord, parkedNames, renewEveryMs } from './control-record.ts';
import type { Fleet } from './fleet.ts';
import { applyOperator } from './operator.ts';
import type { Answer, OperatorAction } from './operator-action.ts';
import { onStoreRestored } from './new-generation.ts';
import type { StoreRestored } from './new-generation.ts';
import { refusedAction } from './refused-action.ts';
import { reviewWaves } from './review-waves.ts';
import { settleDoubt } from './restored-store.ts';
import { orderUpgrades, schedule, voidBeyondBudget, watchDeadlines } from './schedule.ts';
import { isInDoubt } from './silence.ts';
import { audit, touch } from './turn.ts';
import type { ControlAudit, Dirty, Notice, Send, Turn } from './turn.ts';

export type FleetEvent =
  | { kind: 'report'; message: SequencedReport }
  | { kind: 'operator'; actor: string; action: OperatorAction }
  /** Redis lost a host's record, or its agent has just started (R12). */
  | { kind: 'record-wanted'; host: HostId }
  /** Messages that nobody known had signed, summed up by the worker (R7). */
  | { kind: 'junk'; total: number; reasons: string[] }
  /** Keys are kept beside the fleet; the record of their change is kept with all others. */
  | { kind: 'keys-changed'; actor: string; host: HostId; what: string; believed: boolean }
  /** The server goes by other settings than those recorded last; `before` null: none were. */
  | { kind: 'settings'; before: SettingsRecord | null; now: SettingsRecord }
  /** An operator takes what a feed holds back; feeds are kept beside the fleet, the record of it with all others. */
  | { kind: 'feed-accepted'; actor: string; feed: string; details: AuditDetails }
  /** What the matcher found missing on hosts, each as of one of its transactions; those that have the same together. */
  | {
      kind: 'needs';
      told: readonly {
        hosts: readonly { id: HostId; transaction: number; unread?: string | null }[];
        needs: readonly Need[];
      }[];
    }
  /** Before all else of a leader that finds its store to be a backup which was put in place (R16). */
  | StoreRestored
  | { kind: 'tick' };

/**
 * What a step wants done. Commit `dirty`, `audits`, `sends` (as outbox rows) and `closes` in one transaction
 * (R19), then write `records`, and only then let the relay put the jobs in (R12).
 */
export interface Commands {
  dirty: Dirty[];
  audits: ControlAudit[];
  sends: Send[];
  closes: string[];
  /** What is now recorded of the server's settings; null: what was. */
  settings: SettingsRecord | null;
  records: { host: HostId; record: ControlRecord }[];
  notices: Notice[];
  answer: Answer | null;
  /** The report, if the event was one and it was applied; null: one that was dropped tells nothing to anybody (R9). */
  applied: SequencedReport | null;
}

export interface Context {
  /** Server time in ms (R14). */
  now: number;
  wall: { ms: number; minuteOfDay: number };
  newId: () => string;
}

/** Design §10. The first that are recorded are no change. */
const recordSettings = (
  turn: Turn,
  { before, now }: Extract<FleetEvent, { kind: 'settings' }>,
): void => {
  const changes = before === null ? [] : settingsChanges(before, now);
  if (changes.length > 0)
    audit(turn, {
      action: 'settings-changed',
      subject: 'server',
      details: settingsDetails(changes),
    });
};

const wantRecords = (turn: Turn): void => {
  for (const host of turn.fleet.hosts.values()) {
    const last = host.issued.at(-1)?.at ?? null;
    const everyMs = hasOpenGrants(turn.fleet, host.id) ? renewEveryMs.busy : renewEveryMs.quiet;
    if (last === null || turn.now - last >= everyMs) turn.renew.add(host.id);
  }
};

/** R33: at once, not when its silence is noticed. */
const believe = (turn: Turn, hostId: HostId, believed: boolean): void => {
  const host = turn.fleet.hosts.get(hostId);
  if (host === undefined || host.revoked === !believed) return;
  host.revoked = !believed;
  turn.renew.add(hostId);
  touch(turn, { table: 'hosts', key: hostId });
};

/** Hosts of which something is missing now. */
const noteNeeds = (
  fleet: Fleet,
  told: Extract<FleetEvent, { kind: 'needs' }>['told'],
): Set<HostId> => {
  const changed = new Set<HostId>();
  for (const { hosts, needs } of told)
    for (const { id, transaction, unread = null } of hosts) {
      const host = fleet.hosts.get(id);
      if (host === undefined) continue;
      host.needs = { transaction, list: needs, unread };
      changed.add(id);
    }
  return changed;
};

/**
 * One step of the coordinator: changes `fleet` in place and answers what to commit and send. Level-triggered:
 * after each event, everything that may be granted is computed anew from what is known. Pure but for that.
 */
export const fleetStep = (
  fleet: Fleet,
  event: FleetEvent,
  { now, wall, newId }: Context,
): Commands => {
  const turn: Turn = {
    fleet,
    now,
    wall,
    newId,
    dirty: new Map(),
    wanted: new Map(),
    audits: [],
    sends: [],
    closes: [],
    renew: new Set(),
    notices: [],
  };
  let answer: Answer | null = null;
  let applied: SequencedReport | null = null;
  switch (event.kind) {
    case 'report':
      if (applyReport(turn, event.message)) applied = event.message;
      break;
    case 'operator':
      answer = applyOperator(turn, event.actor, event.action);
      if (!answer.ok)
        audit(turn, refusedAction(fleet, event.actor, { ...event, reason: answer.reason }));
      break;
    case 'record-wanted':
      turn.renew.add(event.host);
      break;
    case 'junk':
      audit(turn, {
        action: 'messages-refused',
        subject: 'fleet',
        outcome: 'refused',
        details: { total: event.total, reasons: event.reasons, reason: event.reasons.join('; ') },
      });
      break;
    case 'keys-changed':
      believe(turn, event.host, event.believed);
      audit(turn, {
        action: 'keys-changed',
        actor: event.actor,
        subject: `host ${event.host}`,
        details: { reason: event.what },
      });
      break;
    case 'settings':
      recordSettings(turn, event);
      break;
    case 'feed-accepted':
      audit(turn, {
        action: 'feed-accepted',
        actor: event.actor,
        subject: `feed ${event.feed}`,
        details: event.details,
      });
      break;
    case 'needs':
      reviewNeeds(turn, noteNeeds(fleet, event.told));
      break;
    case 'store-restored':
      onStoreRestored(turn, event);
      break;
    case 'tick':
      wantRecords(turn);
      settleDoubt(turn);
      reviewNeeds(turn, null);
      break;
  }
  fleet.inDoubt = isInDoubt(fleet, now);
  watchDeadlines(turn);
  voidBeyondBudget(turn);
  reviewWaves(turn);
  orderUpgrades(turn);
  schedule(turn);
  const records: Commands['records'] = [];
  const parked = turn.renew.size === 0 ? new Map<HostId, string[]>() : parkedNames(fleet);
  for (const hostId of turn.renew) {
    const host = fleet.hosts.get(hostId);
    if (host !== undefined) records.push({ host: hostId, record: issueRecord(turn, host, parked) });
  }
  return {
    dirty: [...turn.dirty.values()],
    audits: turn.audits,
    sends: turn.sends,
    closes: turn.closes,
    settings: event.kind === 'settings' ? event.now : null,
    records,
    notices: turn.notices,
    answer,
    applied,
  };
};
