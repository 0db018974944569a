import { compareRecordNumbers } from '../messages.ts';
import type { RecordNumber, SequencedReport } from '../messages.ts';
import { barred } from './barred.ts';
import { onFinished, onProgress, onRefused, onUpgradeFinished } from './end-of-grant.ts';
import { generationOf } from './fleet.ts';
import type { Fleet, Host } from './fleet.ts';
import { beginIncarnation } from './lost-memory.ts';
import { adoptGrants, endForgotten, noticeRestore } from './restored-store.ts';
import { onObserved, onUpgraded } from './take-observation.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** R14: how old the agent's word is, on our own clock: when the record that it echoes was issued. */
const hear = ({ fleet, now }: Turn, host: Host, { echo }: SequencedReport): void => {
  if (echo[0] !== generationOf(fleet, host) || echo[1] !== fleet.epoch) return;
  const issued = host.issued.find(({ n }) => n === echo[2]);
  if (issued === undefined) return;
  host.heardAt = Math.max(host.heardAt ?? 0, Math.min(issued.at, now));
  host.issued = host.issued.filter(({ n }) => n >= echo[2]);
};

/**
 * Only the first report tells of a new life; of another one, what was acknowledged says that it was heard before. Neither
 * does where it was sent before what was heard of the host last: a store that was restored does not know which lives of the
 * journal are over (R16), and would take one of them for the present one. A new life that has read no record yet says it
 * again once it has.
 */
const isNewLife = ({ echo }: Host, message: SequencedReport): boolean => {
  const order = echo === null ? 1 : compareRecordNumbers(message.echo, echo);
  return message.seq === 1 ? order >= 0 : message.acked > 0 && order > 0;
};

/** The newest record that it has echoed, of those that it can have read. */
const noteEcho = (fleet: Fleet, host: Host, { echo }: SequencedReport): void => {
  const newest: RecordNumber = [generationOf(fleet, host), fleet.epoch, host.recordN];
  if (compareRecordNumbers(echo, newest) > 0) return;
  if (host.echo === null || compareRecordNumbers(echo, host.echo) > 0) host.echo = echo;
};

/**
 * Whether a record of the host's audit chain is the next one. After a restore of the store those in between come again
 * (R16), and this one with them.
 */
const isNextCopy = (host: Host, seq: number): boolean => {
  if (host.copied === null || seq === host.copied + 1) {
    host.copied = seq;
    host.copiesMissing = false;
  }
  return seq <= host.copied || !host.copiesMissing;
};

const take = (turn: Turn, host: Host, { report }: SequencedReport): boolean => {
  switch (report.kind) {
    case 'host-observed':
      onObserved(turn, host, report);
      adoptGrants(turn, host, report);
      endForgotten(turn, host, report);
      break;
    case 'host-upgraded':
      onUpgraded(turn, host, report);
      break;
    case 'restart-progress':
      onProgress(turn, host, report);
      break;
    case 'restart-finished':
      onFinished(turn, host, report);
      break;
    case 'upgrade-finished':
      onUpgradeFinished(turn, host, report);
      break;
    case 'job-refused':
      onRefused(turn, host, report.jobId, report.reason, report.endsGrants);
      break;
    // Both are kept beside the fleet, in the same transaction; the matcher tells what an inventory means.
    case 'audit-copied':
      return isNextCopy(host, report.seq);
    case 'host-inventory':
      break;
  }
  return true;
};

/**
 * Apply one report (R8, R9): in order and without gaps for its incarnation, but for what a restored store has forgotten
 * (R16); a retired incarnation's is dropped. Answers whether it was applied; a dropped one comes again.
 */
export const applyReport = (turn: Turn, message: SequencedReport): boolean => {
  const { fleet } = turn;
  const host = fleet.hosts.get(message.host);
  if (host === undefined || barred(host) !== null || host.retired.includes(message.incarnation))
    return false;
  const before = host.incarnation;
  const isNew = message.incarnation !== before;
  if (isNew) {
    if (!isNewLife(host, message)) {
      turn.renew.add(host.id);
      return false;
    }
    beginIncarnation(turn, host, message.incarnation);
  }
  noticeRestore(turn, host, message, { isKnown: before !== null });
  // Also where it is dropped: reports of a life before this one may come after it.
  if (isNew) noteEcho(fleet, host, message);
  if (message.seq !== host.ackedSeq + 1) {
    if (message.seq <= host.ackedSeq) turn.renew.add(host.id);
    return false;
  }
  host.ackedSeq = message.seq;
  noteEcho(fleet, host, message);
  hear(turn, host, message);
  turn.renew.add(host.id);
  touch(turn, { table: 'hosts', key: host.id });
  return take(turn, host, message);
};
