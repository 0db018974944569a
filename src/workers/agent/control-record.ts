import type { AgentEvent } from '../../core/agent/agent.ts';
import { errorText } from '../../core/error-text.ts';
import type { HostId } from '../../core/ids.ts';
import { compareRecordNumbers } from '../../core/messages.ts';
import type { RecordNumber } from '../../core/messages.ts';
import { readControlRecord } from '../../jobs/control-record.ts';
import { repeat } from '../../jobs/repeat.ts';
import type { VerifyKey } from '../../jobs/signing-key.ts';

export interface RecordTimes {
  /** Poll while grants are open or have just come, and otherwise. */
  busyMs: number;
  quietMs: number;
}

export const recordTimes: RecordTimes = { busyMs: 250, quietMs: 2_000 };

export interface RecordPorts {
  hostId: HostId;
  serverKeys: () => readonly VerifyKey[];
  /** The text at the host's key; null: there is none. Rejects while Redis is away or slow. */
  fetch: () => Promise<string | null>;
  dispatch: (event: AgentEvent) => boolean;
  /** Whether the loop still knows the record that it heard last: not after its memory was thrown away. */
  known: () => boolean;
  busy: () => boolean;
  newId: () => string;
  /** Number of the highest record that the journal has heard of. */
  highest: () => RecordNumber | null;
  /** A record that is not the server's for this host, or one from before: for the audit trail. */
  refused: (why: string, example: string) => void;
  times: RecordTimes;
}

export interface RecordReader {
  /** Read now and give it to the loop; answers why it cannot be read, or null (R13). */
  hear: () => Promise<string | null>;
  /** Something has begun: poll quickly from now. */
  wake: () => void;
  /** Why the last reading failed; null: it did not. */
  problem: () => string | null;
  stop: () => Promise<void>;
}

/** The host's control record, read before every check and on a short poll (R13). */
export const readRecords = (ports: RecordPorts): RecordReader => {
  let heard: string | null = null;
  let problem: string | null = 'no control record was read yet';
  /** Why one was refused last: it may lie there for long, and is read again and again. */
  let refused: string | null = null;

  const refuse = (why: string, reason: string): void => {
    if (reason !== refused) ports.refused(why, reason);
    refused = reason;
  };

  /** Told to whoever asked: a check denies then (R13). Core judges records by their age alone. */
  const unreadable = (reason: string): string => {
    problem = reason;
    return reason;
  };

  const hear = async (): Promise<string | null> => {
    let text: string | null;
    try {
      text = await ports.fetch();
    } catch (error) {
      return unreadable(`the control record cannot be read: ${errorText(error)}`);
    }
    if (text === null) return unreadable('there is no control record for this host in Redis');
    if (text !== heard || !ports.known()) {
      const read = readControlRecord(text, ports.hostId, ports.serverKeys());
      if (read.kind !== 'record') {
        const reason = `the control record is not the server's: ${read.reason}`;
        refuse(read.kind, reason);
        return unreadable(reason);
      }
      const highest = ports.highest();
      const { number } = read.record;
      // R13: what counts is core's matter; people hear of it. A Redis that lost its last second does the same.
      if (highest !== null && compareRecordNumbers(number, highest) < 0)
        refuse('rolled-back', `control record ${number.join('.')} after ${highest.join('.')}`);
      else refused = null;
      const event = { kind: 'record', record: read.record, newIncarnation: ports.newId() } as const;
      // Where it could not be journaled it was not heard.
      if (!ports.dispatch(event)) return unreadable('the control record could not be journaled');
      heard = text;
    }
    problem = null;
    return null;
  };

  let lastAt = -Infinity;
  const poll = repeat(
    async () => {
      const now = performance.now();
      if (!ports.busy() && now - lastAt < ports.times.quietMs) return;
      lastAt = now;
      await hear();
    },
    { everyMs: ports.times.busyMs, onError: (error) => unreadable(errorText(error)) },
  );

  return {
    hear,
    wake: () => {
      lastAt = -Infinity;
      poll.wake();
    },
    problem: () => problem,
    stop: poll.stop,
  };
};
