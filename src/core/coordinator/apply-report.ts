import type { SequencedReport } from '../messages.ts';
import { barred } from './barred.ts';
import { onFinished, onProgress, onRefused, onUpgradeFinished } from './end-of-grant.ts';
import { beginIncarnation, noticeRestore } from './lost-memory.ts';
import { onObserved, onUpgraded } from './take-observation.ts';
import { touch } from './turn.ts';
import type { Turn } from './turn.ts';

/**
 * Apply one report (R8, R9): in order and without gaps for its incarnation; a retired incarnation's is
 * dropped. Answers whether it was applied; a dropped one comes again.
 */
export const applyReport = (turn: Turn, message: SequencedReport): boolean => {
  const { fleet, now } = turn;
  const host = fleet.hosts.get(message.host);
  if (host === undefined || barred(host) !== null || host.retired.includes(message.incarnation))
    return false;
  if (message.incarnation !== host.incarnation) {
    if (message.seq !== 1) return false;
    beginIncarnation(turn, host, message.incarnation);
  }
  if (message.seq !== host.ackedSeq + 1) {
    if (message.seq <= host.ackedSeq) turn.renew.add(host.id);
    return false;
  }
  noticeRestore(turn, message);
  host.ackedSeq = message.seq;
  // R14: how old the agent's word is, on our own clock: when the record that it echoes was issued.
  if (message.echo[0] === fleet.generation && message.echo[1] === fleet.epoch) {
    const issued = host.issued.find(({ n }) => n === message.echo[2]);
    if (issued !== undefined) {
      host.heardAt = Math.max(host.heardAt ?? 0, Math.min(issued.at, now));
      host.issued = host.issued.filter(({ n }) => n >= message.echo[2]);
    }
  }
  turn.renew.add(host.id);
  touch(turn, { table: 'hosts', key: host.id });
  const { report } = message;
  switch (report.kind) {
    case 'host-observed':
      onObserved(turn, host, report);
      break;
    case 'host-upgraded':
      onUpgraded(turn, host, report);
      break;
    case 'restart-progress':
      onProgress(turn, report);
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
    case 'host-inventory':
      break;
  }
  return true;
};
