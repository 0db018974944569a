import type { Agent } from '../../core/agent/agent.ts';
import { ackedOf } from '../../core/agent/journal.ts';
import type { HostId } from '../../core/ids.ts';
import { leaderOf } from '../../core/agent/record.ts';
import { leadsAfter } from '../../core/messages.ts';
import type { RecordNumber, Report } from '../../core/messages.ts';
import { wellFormed } from '../../core/well-formed.ts';
import { signEnvelope } from '../../jobs/envelope.ts';
import type { Envelope } from '../../jobs/envelope.ts';
import { writeReport } from '../../jobs/read-report.ts';
import { repeat } from '../../jobs/repeat.ts';
import type { SigningKey } from '../../jobs/signing-key.ts';

export interface ReportTimes {
  /** First and largest pause before what was sent and not acknowledged is sent again. */
  againMs: { first: number; largest: number };
  pollMs: number;
  /** What can wait, waits until so long after the last sending, */
  paceMs: number;
  /** and so long for what follows it. */
  gatherMs: number;
}

export const reportTimes: ReportTimes = {
  againMs: { first: 2_000, largest: 30_000 },
  pollMs: 500,
  paceMs: 250,
  gatherMs: 120,
};

/**
 * What the server only shows and keeps (and, should the journal be lost, goes by: R15). The steps of a quick restart go together with
 * its end then: each message by itself costs both sides more than the step takes, while the container is down.
 */
const canWait = ({ kind }: Report): boolean =>
  kind === 'restart-progress' || kind === 'audit-copied';

/** Sent without awaiting one another: each costs a round trip to Redis. */
const atOnce = 20;

/** So many are sent ahead of the acknowledgement: a server that comes back is not flooded. */
const windowSize = 500;

export interface ReportPorts {
  hostId: HostId;
  /** Null: what is in memory is ahead of the journal, and nothing of it may be told (R8). */
  agent: () => Agent | null;
  /** Make what is in the journal durable, before anything of it is told. Answers whether it is. */
  sync: () => boolean;
  /** The record that is echoed: durably heard, so that none before it can count after a crash (R13, R14). */
  heardRecord: () => RecordNumber | null;
  signingKey: () => SigningKey;
  /** Put into the fleet queue. Rejects while Redis is away or slow. */
  send: (envelope: Envelope) => Promise<void>;
  newId: () => string;
  monoMs: () => number;
  /** Sending fails for a while now. */
  onError: (error: unknown) => void;
  times: ReportTimes;
}

export interface ReportSender {
  wake: () => void;
  stop: () => Promise<void>;
}

/** A connection that is just being made is no error yet. */
const patienceMs = 5_000;

const noRecord: RecordNumber = [0, 0, 0];

/**
 * Send what is not acknowledged, in order, each sending freshly signed under a fresh id (R8). What the
 * server dropped because an earlier one was missing comes again: from the first unacknowledged on, with
 * growing pauses, until the control record's `ackedSeq` covers it (R9).
 */
export const startSender = (ports: ReportPorts): ReportSender => {
  const { times } = ports;
  /** The journal's life that `sentSeq` counts in. */
  let incarnation = '';
  let sentSeq = 0;
  let lowest = 0;
  let leader = noRecord;
  let progressAt = 0;
  let againMs = times.againMs.first;
  let sentAt = -Infinity;
  let waitsSince: number | null = null;
  let soon: NodeJS.Timeout | undefined;

  /** What it sends is read in the tick of the sync that it follows. */
  const sendOne = async (seq: number): Promise<void> => {
    const agent = ports.agent();
    const kept = agent?.journal.reports.get(seq);
    if (agent === null || agent.foundSeq !== null || kept === undefined) return;
    // One that cannot be signed would hold up all that follow it.
    const report = wellFormed(kept);
    const echo = ports.heardRecord() ?? noRecord;
    const { incarnation: life } = agent.journal;
    const message = writeReport(
      { host: ports.hostId, incarnation: life, seq, echo, acked: ackedOf(agent.journal), report },
      { uuid: ports.newId(), issuedAt: agent.serverTimeFloor },
    );
    await ports.send(signEnvelope(message, ports.signingKey()));
  };

  const run = async (): Promise<void> => {
    const agent = ports.agent();
    // R15: by the first record it is told whether this journal is the one of which reports were acknowledged.
    if (agent === null || agent.foundSeq !== null) return;
    const { journal } = agent;
    const unacknowledged = [...journal.reports.keys()];
    const first = unacknowledged[0];
    const now = ports.monoMs();
    const another = journal.incarnation !== incarnation;
    const heard = ports.heardRecord() ?? noRecord;
    // Who has just begun to lead may have been sent nothing of this, or have lost it.
    const isLater = leadsAfter(leaderOf(heard), leaderOf(leader));
    leader = heard;
    if (isLater && first !== undefined) sentSeq = Math.min(sentSeq, first - 1);
    if (isLater || another || first === undefined || first !== lowest) {
      // Something was acknowledged: no reason to send again soon what followed it.
      incarnation = journal.incarnation;
      if (another) sentSeq = 0;
      lowest = first ?? 0;
      progressAt = now;
      againMs = times.againMs.first;
    } else if (sentSeq >= first && now - progressAt >= againMs) {
      sentSeq = first - 1;
      progressAt = now;
      againMs = Math.min(againMs * 2, times.againMs.largest);
    }
    const toSend = unacknowledged.slice(0, windowSize).filter((seq) => seq > sentSeq);
    if (toSend.length === 0) return;
    const reports = toSend.map((seq) => journal.reports.get(seq));
    waitsSince ??= now;
    const waitMs = Math.max(sentAt + times.paceMs, waitsSince + times.gatherMs) - now;
    if (waitMs > 0 && reports.every((one) => one === undefined || canWait(one))) {
      clearTimeout(soon);
      soon = setTimeout(repeated.wake, waitMs);
      return;
    }
    sentAt = now;
    waitsSince = null;
    for (let at = 0; at < toSend.length; at += atOnce) {
      // Another life of the journal has begun meanwhile: its reports are not these.
      if (ports.agent()?.journal.incarnation !== incarnation || !ports.sync()) return;
      const some = toSend.slice(at, at + atOnce);
      await Promise.all(some.map(sendOne));
      sentSeq = some.at(-1) ?? sentSeq;
    }
  };

  let failingSince: number | null = null;
  const repeated = repeat(
    async () => {
      await run();
      failingSince = null;
    },
    {
      everyMs: times.pollMs,
      onError: (error) => {
        failingSince ??= ports.monoMs();
        if (ports.monoMs() - failingSince >= patienceMs) ports.onError(error);
      },
    },
  );
  return {
    wake: repeated.wake,
    stop: () => {
      clearTimeout(soon);
      return repeated.stop();
    },
  };
};
