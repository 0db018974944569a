import { bootAgent } from '../../core/agent/agent.ts';
import type { Agent, AgentAudit, AgentEffect, AgentEvent } from '../../core/agent/agent.ts';
import { agentStep } from '../../core/agent/step.ts';
import type { AgentTurn } from '../../core/agent/step.ts';
import { errorText } from '../../core/error-text.ts';
import type { HostId } from '../../core/ids.ts';
import type { RecordNumber } from '../../core/messages.ts';
import type { AgentClock } from './agent-host.ts';
import { sqliteCode } from '../../store/open-sqlite.ts';
import { auditEntry, ownAuditEntry } from './audit-entry.ts';
import type { OwnAudit } from './audit-entry.ts';
import type { Reserve } from './journal-reserve.ts';
import type { JournalStore } from './journal-store.ts';

/** Memory as one loading of the journal made it; work that was begun in a former one speaks to nobody. */
export interface Life {
  tell: (event: AgentEvent) => void;
  /** Aborted when this life is over: watching ends, what works on containers goes on (R24 finds it). */
  signal: AbortSignal;
}

export interface LoopPorts {
  hostId: HostId;
  store: JournalStore;
  reserve: Reserve;
  clock: AgentClock;
  /** Begin an effect; called in the tick of the commit that it follows. Must not throw. */
  perform: (effect: AgentEffect, life: Life) => void;
  /** A turn is written; called before its effects. */
  onTurn: (event: AgentEvent, audits: readonly AgentAudit[]) => void;
  alert: (message: string) => void;
  /** Pause before the journal is tried again after a write that failed. */
  retryMs: number;
}

export interface AgentLoop {
  agent: () => Agent;
  /** The same; null while memory is ahead of the journal by more than a heard record, after a write that failed. */
  written: () => Agent | null;
  /** Sync to disk whatever was written without it; before anything of it is told (R8). Answers whether it is durable. */
  sync: () => boolean;
  /** The highest number of a control record that the journal on disk has; what is echoed (R14). */
  heardRecord: () => RecordNumber | null;
  /** Load the journal and go on from it (R24). */
  start: () => void;
  /** One turn: step, journal, then the effects, all in this tick. Answers whether it is written. */
  dispatch: (event: AgentEvent) => boolean;
  /** Dispatch until it is durable; false: the loop was closed before. */
  journaled: (event: AgentEvent) => Promise<boolean>;
  /** Write entries of the chain that no turn made. Answers whether they are durable. */
  record: (audits: readonly OwnAudit[]) => boolean;
  /** Whether the journal takes writes. */
  writable: () => boolean;
  /** No turn any more. */
  close: () => void;
}

/** What need not be synced at once, and is waited for, waits so long for a turn that must. */
const SYNC_SHARED_MS = 20;

const isFull = (error: unknown): boolean => sqliteCode(error).startsWith('SQLITE_FULL');

/**
 * A record by which nothing was done yet is made durable by the next turn, which may do something by it: to have
 * forgotten it is until then the same as not to have heard it (R13).
 */
const isHearing = (event: AgentEvent, { audits, effects }: AgentTurn): boolean =>
  event.kind === 'record' && audits.length === 0 && effects.length === 0;

/** What takes a container out of service or down: never begun on the reserve. */
const disrupts = ({ kind }: AgentEffect): boolean =>
  kind === 'drain' || kind === 'stop' || kind === 'run-upgrade';

/**
 * The agent's event loop: events one by one; step (core decides), journal (written or nothing of it is
 * done), effects. Synchronous from the event to the begin of its effects, so check and begin of a stop
 * are one (R22).
 */
export const createAgentLoop = (ports: LoopPorts): AgentLoop => {
  const { store, reserve, clock, alert } = ports;
  let agent = bootAgent(store.load());
  let heardRecord = agent.journal.highestRecord;
  let life: (Life & { abort: AbortController }) | null = null;
  let queue: AgentEvent[] = [];
  let turning = false;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  const place = (): { hostId: HostId; wallMs: number } => ({
    hostId: ports.hostId,
    wallMs: clock.wallMs(),
  });

  const commit = (effects: readonly AgentEffect[], write: () => void): void => {
    try {
      write();
    } catch (error) {
      if (!isFull(error) || effects.some(disrupts) || !reserve.release()) throw error;
      alert('the disk of the journal is full: its reserve is used to end what has begun');
      write();
    }
  };

  /** What was not written has not happened: memory is thrown away, and the journal gone on from as after a crash. */
  const lose = (error: unknown): void => {
    alert(`the journal cannot be written (${errorText(error)}): nothing new begins until it can`);
    life?.abort.abort();
    life = null;
    queue = [];
    clearTimeout(retry);
    retry = setTimeout(begin, ports.retryMs);
  };

  const turn = (event: AgentEvent): boolean => {
    let step: AgentTurn;
    try {
      step = agentStep(agent, event, { monoMs: clock.monoMs(), wallMs: clock.wallMs() });
      if (isHearing(event, step)) {
        ports.onTurn(event, []);
        return true;
      }
      const entries = step.audits.map((audit) => auditEntry(agent, audit, place()));
      commit(step.effects, () => {
        store.commit(agent.journal, entries, { sync: step.sync });
      });
      heardRecord = agent.journal.highestRecord;
    } catch (error) {
      lose(error);
      return false;
    }
    const { audits, effects } = step;
    ports.onTurn(event, audits);
    const present = life;
    for (const effect of effects) {
      // An effect that must tell something may find that the disk fails.
      if (present === null || life !== present) break;
      ports.perform(effect, present);
    }
    return true;
  };

  const sync = (): boolean => {
    if (closed || life === null) return false;
    try {
      commit([], store.sync);
      return true;
    } catch (error) {
      lose(error);
      return false;
    }
  };

  const dispatch = (event: AgentEvent): boolean => {
    if (closed || life === null) return false;
    queue.push(event);
    // An effect that answers at once: its event is the next turn, not part of this one.
    if (turning) return true;
    turning = true;
    let written = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) written = turn(next);
    } finally {
      turning = false;
    }
    return written;
  };

  const begin = (): void => {
    if (closed) return;
    const { transactionOpen } = agent;
    try {
      agent = bootAgent(store.load());
      heardRecord = agent.journal.highestRecord;
    } catch (error) {
      lose(error);
      return;
    }
    agent.transactionOpen = transactionOpen;
    const abort = new AbortController();
    const mine: Life & { abort: AbortController } = {
      abort,
      signal: abort.signal,
      tell: (event) => {
        if (life === mine) dispatch(event);
      },
    };
    life = mine;
    dispatch({ kind: 'booted' });
  };

  return {
    agent: () => agent,
    written: () => (life === null ? null : agent),
    sync,
    heardRecord: () => heardRecord,
    start: begin,
    dispatch,
    journaled: async (event) => {
      while (!closed) {
        if (dispatch(event)) {
          // Mostly the next turn is synced, and this one with it.
          if (!store.synced()) await new Promise((resolve) => setTimeout(resolve, SYNC_SHARED_MS));
          if (sync()) return true;
          continue;
        }
        await new Promise((resolve) => setTimeout(resolve, ports.retryMs));
      }
      return false;
    },
    record: (audits) => {
      if (closed || life === null || turning) return false;
      try {
        commit([], () => {
          store.commit(
            agent.journal,
            audits.map((audit) => ownAuditEntry(agent, audit, place())),
          );
        });
        return true;
      } catch (error) {
        lose(error);
        return false;
      }
    },
    writable: () => life !== null && reserve.held(),
    close: () => {
      closed = true;
      clearTimeout(retry);
      life?.abort.abort();
      life = null;
    },
  };
};
