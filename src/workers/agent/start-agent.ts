import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { waitsOf } from '../../core/agent/waits.ts';
import { errorText } from '../../core/error-text.ts';
import type { ContainerName } from '../../core/ids.ts';
import { createAgentLink } from '../../jobs/agent-link.ts';
import { openSqlite } from '../../store/open-sqlite.ts';
import { createAgentLoop } from './agent-loop.ts';
import type { AgentLoop } from './agent-loop.ts';
import { agentTimes } from './agent-options.ts';
import type { AgentOptions, RunningAgent } from './agent-options.ts';
import { agentStatus } from './agent-status.ts';
import { createAlerts } from './alerts.ts';
import { copiesWanted } from './copies-wanted.ts';
import { createClosing } from './closing.ts';
import type { Closing } from './closing.ts';
import { downByOf } from './container-view.ts';
import { readRecords } from './control-record.ts';
import { followPackages } from './follow-packages.ts';
import { createReserve } from './journal-reserve.ts';
import { lockJournal, openJournal } from './journal-store.ts';
import { countJunk } from './junk.ts';
import { createHostGate } from './host-gate.ts';
import { createKnowledge } from './knowledge.ts';
import { createLanes } from './lanes.ts';
import { createTouched } from './look-at-containers.ts';
import { startInventory } from './report-inventory.ts';
import { startObserver } from './observe.ts';
import { performEffect } from './perform-effect.ts';
import { startSender } from './send-reports.ts';
import { showPresence } from './show-presence.ts';
import { takeJobs } from './take-job.ts';
import { anythingDown, anythingOpen, isExempt, isUpgrading } from './under-way.ts';
import type { Work } from './work.ts';

/** So long after a turn its answer is expected: the record, with the acknowledgement, is polled quickly. */
const afterTurnMs = 1_500;
/** Time that BullMQ's worker has to hand over the job that it is at. */
const workerCloseMs = 2_000;

/** Tell the audit trail of settings that changed while no agent lived; again, until the journal takes it. */
const recordSettings = ({ describeSettings, clock }: AgentOptions, loop: AgentLoop): void => {
  const recorded = loop.agent().journal.settings.get('recorded');
  const now = describeSettings(recorded?.salt ?? clock.newId());
  if (!isDeepStrictEqual(recorded, now)) void loop.journaled({ kind: 'settings', now });
};

const start = async (options: AgentOptions, closing: Closing): Promise<RunningAgent> => {
  const { hostId, host, clock, logger, journalPath } = options;
  const times = options.times ?? agentTimes;
  const alerts = createAlerts(clock.wallMs, (message) => {
    logger.warn({ hostId }, message);
  });
  const lock = lockJournal(journalPath);
  closing.add(lock.release);
  const { store, alert } = openJournal(journalPath, { open: openSqlite, newId: clock.newId });
  closing.add(store.close);
  if (alert !== null) alerts.raise(alert);
  const reserve = createReserve(`${journalPath}.reserve`);
  reserve.restore();
  const touched = createTouched(clock.monoMs);
  let stopping = false;
  let turnedAt = -Infinity;

  const holdBack = (): string | null => {
    if (stopping) return 'the agent is stopping';
    return loop.writable() ? null : 'the journal cannot be written: its disk is full or fails';
  };
  const knowledge = createKnowledge(host.scan, (name) =>
    downByOf(loop.agent().journal.containers.get(name)),
  );
  const ending = new AbortController();
  const work: Work = {
    host,
    clock,
    knowledge,
    gate: createHostGate({
      ...{ host, knowledge, clock, times: times.gate },
      exempt: (name) => isExempt(loop.agent(), name),
    }),
    gateBefore: () => journal().gate?.before ?? null,
    awaitsRoom: (jobId) => loop.agent().awaitRoom.has(jobId),
    lanes: createLanes(),
    hearRecord: () => records.hear(),
    packageWatch: {
      suspend: () => packages.suspend(),
      resume: (changes) => packages.resume(changes),
    },
    holdBack,
    alert: alerts.raise,
    problems: alerts.problems,
  };
  const sendReports = (): void => {
    sender.wake();
  };
  const observe = (container: ContainerName | null): void => {
    observer.observe(container === null ? { whole: true } : { names: [container] });
  };
  const heartbeat = (): void => {
    observer.heartbeat();
    sender.wake();
  };
  const takeInventory = ({ refresh }: { refresh: boolean }): void => {
    inventory.take({ refresh });
  };
  const copyAgain = (): void => {
    const copies = copiesWanted(loop.agent(), store);
    if (copies.length > 0) loop.dispatch({ kind: 'copies-wanted', copies });
  };
  const loop: AgentLoop = createAgentLoop({
    hostId,
    store,
    reserve,
    clock,
    alert: alerts.raise,
    retryMs: times.journalRetryMs,
    perform: (effect, life) => {
      performEffect(
        { work, touched, sendReports, observe, heartbeat, takeInventory },
        effect,
        life,
      );
    },
    onTurn: (event, audits) => {
      if (event.kind === 'job') records.wake();
      if (event.kind === 'record') {
        copyAgain();
        // The first one that is read lets reports go.
        sender.wake();
      }
      if (event.kind === 'transaction' || event.kind === 'upgrade-over')
        takeInventory({ refresh: false });
      if (event.kind !== 'record' && event.kind !== 'tick') turnedAt = clock.monoMs();
      // Audit records are reports too, also of turns that report nothing else.
      if (audits.length > 0) sender.wake();
      for (const { action, container, outcome } of audits)
        if (action === 'restart-ended' && outcome === 'done' && container !== null)
          observer.toldElsewhere(container);
    },
  });
  const junk = countJunk({
    everyMs: times.junkEveryMs,
    record: (audit) => {
      const durable = loop.record([audit]);
      if (durable) sender.wake();
      return durable;
    },
  });
  const { serverKeys } = options;
  const { dispatch, journaled } = loop;
  const journal = (): ReturnType<AgentLoop['agent']>['journal'] => loop.agent().journal;
  const link = createAgentLink({
    address: options.redis,
    hostId,
    onJob: takeJobs({ hostId, serverKeys, journal, journaled, junk, monoMs: clock.monoMs }),
    onProblem: (text) => {
      logger.warn({ hostId }, text);
    },
    onDamage: (reason) => {
      junk.count('damaged-queue', reason);
    },
    nowMs: clock.monoMs,
  });
  closing.add(() => link.close(workerCloseMs));
  const records = readRecords({
    hostId,
    serverKeys,
    fetch: link.fetchControlRecord,
    dispatch,
    known: () => loop.agent().record !== null,
    busy: () => anythingOpen(loop.agent()) || clock.monoMs() - turnedAt < afterTurnMs,
    newId: clock.newId,
    highest: () => journal().highestRecord,
    refused: junk.count,
    times: times.record,
  });
  closing.add(records.stop);
  const sender = startSender({
    hostId,
    agent: loop.written,
    sync: loop.sync,
    heardRecord: loop.heardRecord,
    signingKey: options.signingKey,
    send: link.sendReport,
    newId: clock.newId,
    monoMs: clock.monoMs,
    onError: (error) => {
      alerts.raise(`reports do not reach the server: ${errorText(error)}`, { reported: false });
    },
    times: times.report,
  });
  closing.add(sender.stop);
  const presence = showPresence(
    () => {
      const { incarnation } = journal();
      const trouble = link.trouble();
      return link.showPresence({
        ...{ version: options.version, incarnation, pid: process.pid },
        ...(trouble === null ? {} : { trouble }),
      });
    },
    { everyMs: times.presenceEveryMs, monoMs: clock.monoMs },
  );
  closing.add(presence.stop);
  const observeWhole = (): void => {
    observer.observe({ whole: true });
  };
  const packages = await options.watchPackages(
    followPackages(work, { journaled, observeWhole, signal: ending.signal }),
    {
      suspended: isUpgrading(loop.agent()),
    },
  );
  closing.add(packages.stop);
  const observer = startObserver(work, {
    journal,
    transactionOpen: () => loop.agent().transactionOpen,
    packagesChange: () => loop.agent().transactionOpen || isUpgrading(loop.agent()),
    waits: () => waitsOf(loop.agent()),
    dispatch,
    touched,
    times: times.observe,
  });
  closing.add(observer.stop);
  const inventory = startInventory(work, {
    packagesChange: () => loop.agent().transactionOpen || isUpgrading(loop.agent()),
    dispatch,
    times: times.inventory,
  });
  closing.add(inventory.stop);
  closing.add(junk.stop);
  loop.start();
  recordSettings(options, loop);
  // R30: what changed while no agent lived is told first; the watch says so, or that nothing did, at its first look.
  dispatch({ kind: 'transaction', phase: 'open' });

  let tickedAt = -Infinity;
  const ticker = setInterval(() => {
    const now = clock.monoMs();
    const gateFails = (journal().gate?.failed ?? null) !== null;
    if (!anythingOpen(loop.agent()) && !gateFails && now - tickedAt < times.quietTickMs) return;
    tickedAt = now;
    if (!reserve.held()) reserve.restore();
    dispatch({ kind: 'tick' });
  }, times.tickMs);
  closing.add(() => {
    clearInterval(ticker);
  });

  return {
    status: () =>
      agentStatus(loop.agent(), clock.monoMs(), {
        junk: junk.total(),
        alerts: alerts.list(),
        containers: knowledge.views(),
        holdBack: holdBack() ?? records.problem(),
      }),
    stop: async () => {
      stopping = true;
      ending.abort();
      const end = clock.monoMs() + times.stopGraceMs;
      while (anythingDown(loop.agent()) && clock.monoMs() < end) await sleep(20);
      junk.stop();
      // From here nothing is stepped any more; whatever is under way is found by the next start (R24).
      loop.close();
      // Each may wait for a Redis that is away: not one after the other.
      await Promise.all([
        presence.stop(),
        sender.stop(),
        records.stop(),
        link.close(workerCloseMs),
      ]);
      await closing.run();
    },
  };
};

/**
 * The agent of one host: takes jobs, works from its journal, reports. Redis may be away. Throws where
 * another agent works on the same journal, or the journal's place cannot be written; nothing is left then.
 */
export const startAgent = async (options: AgentOptions): Promise<RunningAgent> => {
  const closing = createClosing();
  try {
    return await start(options, closing);
  } catch (error) {
    await closing.run();
    throw error;
  }
};
