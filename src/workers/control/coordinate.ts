import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import type { ControlRecord, SequencedReport } from '../../core/messages.ts';
import type { Fleet } from '../../core/coordinator/fleet.ts';
import type { Moment } from '../../core/coordinator/may-grant.ts';
import type { Answer, OperatorAction } from '../../core/coordinator/operator.ts';
import { storeFailingText, undecidedText } from '../../core/coordinator/standing-alerts.ts';
import type { StandingAlert } from '../../core/coordinator/standing-alerts.ts';
import { errorText } from '../../core/error-text.ts';
import { fleetStep } from '../../core/coordinator/step.ts';
import type { Commands, FleetEvent } from '../../core/coordinator/step.ts';
import { withSpan } from '../../telemetry/trace.ts';
import type { Notice } from '../../core/coordinator/turn.ts';

/** One group of steps to be made durable together: all of it, or nothing (R19). */
export interface Commit {
  fleet: Fleet;
  commands: Commands[];
  /** Reports that these steps applied, for the copies of the hosts' audit chains; none that was dropped (R9). */
  reports: SequencedReport[];
}

export interface CoordinatorPorts {
  /** Build the fleet from the store; called at the start and after a commit that failed. */
  load: () => Promise<Fleet>;
  /** One transaction, conditional on the lease's epoch. Throws when it did not commit. */
  commit: (commit: Commit) => Promise<void>;
  /**
   * Sign and write a host's control record, the earlier of two before the later. It ends within a limit of its
   * own. Failing is no error: agents then begin nothing (R13).
   */
  publish: (host: string, record: ControlRecord) => Promise<void>;
  /** New outbox rows are there. */
  kickRelay: () => void;
  notify: (notice: Notice) => void;
  moment: () => Moment;
  newId: () => string;
  onError: (error: unknown, what: string) => void;
  /** Pause before a fleet that could not be loaded is loaded again. */
  retryMs?: number;
}

export interface Coordinator {
  /** Resolves once the event's consequences are durable; rejects when they are not, and nothing was done. */
  submit: (event: FleetEvent) => Promise<Answer | null>;
  act: (actor: string, action: OperatorAction) => Promise<Answer>;
  fleet: () => Fleet;
  /** Why nothing can be made durable now; null: it can, as far as is known. */
  problem: () => StandingAlert | null;
  onChange: (listener: () => void) => () => void;
  /** Finish what was submitted and is being published, and take no more. */
  stop: () => Promise<void>;
}

interface Waiting {
  event: FleetEvent;
  resolve: (answer: Answer | null) => void;
  reject: (error: unknown) => void;
}

/** How many events share one transaction at most; some are worth many. */
const largestGroup = 200;
/** An inventory is written as a whole, and needs are of hundreds of hosts. */
const weightOf = (event: FleetEvent): number =>
  event.kind === 'needs'
    ? largestGroup
    : event.kind === 'report' && event.message.report.kind === 'host-inventory'
      ? largestGroup / 20
      : 1;

/**
 * Numbers of control records are not stored, and must not be given twice by one leader: a lower one is not heard (R13),
 * and the echo of a higher one would speak for a restored store (R16). What hosts have told in a step that was not
 * committed they have not told.
 */
const createNumbers = (): ((loaded: Fleet, before: Fleet) => Fleet) => {
  const given = new Map<string, number>();
  return (loaded, before) => {
    for (const { id, recordN } of before.hosts.values())
      given.set(id, Math.max(recordN, given.get(id) ?? 0));
    for (const host of loaded.hosts.values()) {
      host.recordN = given.get(host.id) ?? 0;
      host.issued = before.hosts.get(host.id)?.issued ?? [];
    }
    return loaded;
  };
};

/**
 * The coordinator's loop: read an event, let core decide, commit, publish. Events that wait together are
 * committed together, so that many reports cost one synced write. Publishing goes on beside: what was committed
 * is answered, however Redis is.
 */
export const startCoordinator = async (ports: CoordinatorPorts): Promise<Coordinator> => {
  let fleet = await ports.load();
  const goOn = createNumbers();
  const queue: Waiting[] = [];
  const listeners = new Set<() => void>();
  let problem: StandingAlert | null = null;
  let running: Promise<void> | null = null;
  let stopped = false;
  const publishing = new Set<Promise<void>>();

  /** R12: beside all else, for Redis may not answer, and what is committed holds without it. */
  const publishThenPut = async (commands: Commands[]): Promise<void> => {
    const records = new Map<string, ControlRecord>();
    for (const { records: issued } of commands)
      for (const { host, record } of issued) records.set(host, record);
    await Promise.all(
      [...records].map(([host, record]) =>
        ports
          .publish(host, record)
          .catch((error: unknown) => ports.onError(error, `control record of ${host}`)),
      ),
    );
    if (commands.some(({ sends }) => sends.length > 0)) ports.kickRelay();
  };

  const fail = (
    error: unknown,
    what: string,
    text: (why: string) => string = storeFailingText,
  ): void => {
    ports.onError(error, what);
    problem = {
      since: problem?.since ?? ports.moment().wall.ms,
      text: text(errorText(error)),
    };
  };

  /** Until this is done nothing is decided. Answers whoever waits too where the server stops meanwhile. */
  const loadAnew = async (): Promise<void> => {
    for (;;) {
      try {
        fleet = goOn(await ports.load(), fleet);
        return;
      } catch (error) {
        fail(error, 'load');
        if (stopped) for (const { reject } of queue.splice(0)) reject(error);
        if (stopped) return;
        await sleep(ports.retryMs ?? 1_000);
      }
    }
  };

  /**
   * A step that throws is a fault of ours, and its event alone is not taken. What came with it is decided anew, in its
   * order, over what the store holds: the step may have changed half of what it would have.
   */
  const decide = async (group: Waiting[]): Promise<Commands[] | null> => {
    const commands: Commands[] = [];
    for (const [at, { event, reject }] of group.entries())
      try {
        commands.push(fleetStep(fleet, event, { ...ports.moment(), newId: ports.newId }));
      } catch (error) {
        fail(error, `decide ${event.kind}`, (why) => undecidedText(event.kind, why));
        reject(error);
        queue.unshift(...group.toSpliced(at, 1));
        await loadAnew();
        return null;
      }
    return commands;
  };

  const runGroup = async (group: Waiting[]): Promise<void> => {
    const commands = await decide(group);
    if (commands === null) return;
    try {
      await withSpan('coordinator.commit', { 'groundswell.events': group.length }, () =>
        ports.commit({
          fleet,
          commands,
          reports: commands.flatMap(({ applied }) => applied ?? []),
        }),
      );
    } catch (error) {
      // Memory is ahead of the store now: what was not committed has not happened.
      fail(error, 'commit');
      for (const { reject } of group) reject(error);
      await loadAnew();
      return;
    }
    problem = null;
    const published = publishThenPut(commands).finally(() => publishing.delete(published));
    publishing.add(published);
    for (const { notices } of commands) for (const notice of notices) ports.notify(notice);
    group.forEach(({ resolve }, index) => {
      resolve(commands[index]?.answer ?? null);
    });
    if (commands.some(({ dirty }) => dirty.length > 0))
      for (const listener of listeners) listener();
  };

  const takeGroup = (): Waiting[] => {
    let [count, weight] = [0, 0];
    for (const { event } of queue) {
      weight += weightOf(event);
      if (count > 0 && weight > largestGroup) break;
      count += 1;
    }
    return queue.splice(0, count);
  };

  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      await runGroup(takeGroup());
      // Timers, and what has come from Redis, have their turn between two transactions.
      await breathe();
    }
    running = null;
  };

  const submit = (event: FleetEvent): Promise<Answer | null> =>
    new Promise((resolve, reject) => {
      if (stopped) {
        reject(new Error('the coordinator is stopping'));
        return;
      }
      queue.push({ event, resolve, reject });
      running ??= Promise.resolve().then(run);
    });

  return {
    submit,
    act: async (actor, action) =>
      (await submit({ kind: 'operator', actor, action })) ?? { ok: false, reason: 'no answer' },
    fleet: () => fleet,
    problem: () => problem,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: async () => {
      stopped = true;
      await running;
      await Promise.all(publishing);
    },
  };
};
