import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentAudit, AgentEvent } from '../../core/agent/agent.ts';
import { errorText } from '../../core/error-text.ts';
import { connectWorker } from '../../jobs/connections.ts';
import { hostQueue } from '../../jobs/queue-names.ts';
import { repeat } from '../../jobs/repeat.ts';
import { createSteadyWorker } from '../../jobs/steady-worker.ts';
import { lockFile, openSqlite } from '../../store/open-sqlite.ts';
import { agentTimes } from './agent-options.ts';
import type { AgentOptions, RunningAgent } from './agent-options.ts';
import { createAgentLoop } from './agent-loop.ts';
import type { AgentLoop } from './agent-loop.ts';
import { agentStatus } from './agent-status.ts';
import { createAlerts } from './alerts.ts';
import { readRecords } from './control-record.ts';
import { createFleetConnection } from './fleet-connection.ts';
import { followPackages } from './follow-packages.ts';
import { createReserve } from './journal-reserve.ts';
import { openJournal } from './journal-store.ts';
import { countJunk } from './junk.ts';
import { createKnowledge } from './knowledge.ts';
import { createLanes } from './lanes.ts';
import { createTouched } from './look-at-containers.ts';
import { startObserver } from './observe.ts';
import { performEffect } from './perform-effect.ts';
import { sendReports } from './send-reports.ts';
import { takeJob } from './take-job.ts';
import type { Work } from './work.ts';

const endedContainers = (audits: readonly AgentAudit[]): string[] =>
  audits.flatMap(({ action, container }) =>
    container !== null && /^restart-(ended|refused|failed)$/.test(action) ? [container] : [],
  );

const wantsWhole = (event: AgentEvent, audits: readonly AgentAudit[]): boolean =>
  event.kind === 'booted' ||
  (event.kind === 'job' && event.job.kind === 'observe-host') ||
  event.kind === 'upgrade-over' ||
  audits.some(({ action }) => action === 'incarnation-begun');

/**
 * The agent of one host: takes jobs, works from its journal, reports. Throws where another agent works on
 * the same journal, or the journal's place cannot be written; Redis may be away.
 */
export const startAgent = async (options: AgentOptions): Promise<RunningAgent> => {
  const { hostId, host, clock, logger } = options;
  const times = options.times ?? agentTimes;
  const alerts = createAlerts(clock.wallMs, (message) => {
    logger.warn({ hostId }, message);
  });
  const opened = openJournal(options.journalPath, { open: openSqlite, newId: clock.newId });
  const lock = lockFile(`${options.journalPath}.lock`);
  if (lock === null) {
    opened.store.close();
    throw new Error(
      `another agent works on ${options.journalPath}: stop it first (systemctl stop groundswell-agent)`,
    );
  }
  if (opened.alert !== null) alerts.raise(opened.alert);
  const { store } = opened;
  const reserve = createReserve(`${options.journalPath}.reserve`);
  reserve.restore();
  const touched = createTouched(clock.monoMs);
  let stopping = false;
  let jobAt = -Infinity;

  const holdBack = (): string | null =>
    stopping
      ? 'the agent is stopping'
      : loop.writable()
        ? null
        : 'the journal cannot be written: its disk is full or fails';
  const open = (): boolean => {
    const { journal } = loop.agent();
    return (
      !journal.settled ||
      [...journal.grants.values()].some(({ end }) => end === null) ||
      [...journal.upgrades.values()].some(({ step }) => step !== 'ended')
    );
  };

  const knowledge = createKnowledge(
    host.scan,
    (name) => loop.agent().journal.containers.get(name)?.ownerStopped ?? false,
  );
  const work: Work = {
    host,
    clock,
    knowledge,
    lanes: createLanes(),
    hearRecord: () => records.hear(),
    packageWatch: {
      suspend: () => packages.suspend(),
      resume: (changes) => packages.resume(changes),
    },
    holdBack,
    alert: alerts.raise,
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
        { work, touched, sendReports: () => sender.wake(), observe: () => observer.observe() },
        effect,
        life,
      );
    },
    onTurn: (event, audits) => {
      if (event.kind === 'job') {
        jobAt = clock.monoMs();
        records.wake();
      }
      if (audits.length > 0) sender.wake();
      const names = endedContainers(audits);
      const whole = wantsWhole(event, audits);
      if (names.length > 0 || whole) observer.observe({ names, whole });
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
  const worker = createSteadyWorker({
    queueName: hostQueue(hostId),
    concurrency: 1,
    connect: (onError) => connectWorker(options.redis, onError),
    handle: (job) =>
      takeJob(
        {
          hostId,
          serverKeys: options.serverKeys,
          journal: () => loop.agent().journal,
          journaled: loop.journaled,
          junk,
        },
        job.data,
      ),
    onProblem: (text) => {
      logger.warn({ hostId }, text);
    },
    nowMs: clock.monoMs,
  });
  const onError = (error: unknown): void => {
    alerts.raise(`the server is not reached: ${errorText(error)}`);
  };
  const fleet = createFleetConnection(worker.connection, onError);
  const records = readRecords({
    hostId,
    serverKeys: options.serverKeys,
    get: fleet.get,
    dispatch: loop.dispatch,
    known: () => loop.agent().record !== null,
    busy: () => open() || clock.monoMs() - jobAt < 5_000,
    newId: clock.newId,
    times: times.record,
  });
  const sender = sendReports({
    hostId,
    agent: loop.agent,
    signingKey: options.signingKey,
    add: fleet.add,
    newId: clock.newId,
    monoMs: clock.monoMs,
    onError,
    times: times.report,
  });
  const packages = await options.watchPackages(
    followPackages(work, {
      journaled: loop.journaled,
      observeWhole: () => observer.observe({ whole: true }),
    }),
    {
      suspended: [...loop.agent().journal.upgrades.values()].some(({ step }) => step === 'running'),
    },
  );
  const observer = startObserver(work, {
    journal: () => loop.agent().journal,
    transactionOpen: () => loop.agent().transactionOpen,
    dispatch: loop.dispatch,
    touched,
    times: times.observe,
  });
  loop.start();

  let tickedAt = -Infinity;
  const ticker = setInterval(() => {
    const now = clock.monoMs();
    if (!open() && now - tickedAt < times.quietTickMs) return;
    tickedAt = now;
    if (!reserve.held()) reserve.restore();
    loop.dispatch({ kind: 'tick' });
  }, times.tickMs);
  const presence = repeat(
    async () => {
      const text = JSON.stringify({ hostId, incarnation: loop.agent().journal.incarnation });
      await fleet.present(hostId, text, times.presenceSeconds);
    },
    { everyMs: times.presenceEveryMs, onError: () => undefined },
  );

  /** A container that is down in the middle of its restart is brought up first, within its time. */
  const bringUp = async (): Promise<void> => {
    const end = clock.monoMs() + times.stopGraceMs;
    const down = (): boolean =>
      [...loop.agent().journal.grants.values()].some(
        ({ end: ended, step, failed }) =>
          ended === null && !failed && (step === 'stopping' || step === 'stopped'),
      );
    while (down() && clock.monoMs() < end) await sleep(20);
  };

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
      await bringUp();
      clearInterval(ticker);
      junk.stop();
      loop.close();
      await Promise.all([packages.stop(), observer.stop(), records.stop(), presence.stop()]);
      await sender.stop();
      await fleet.close();
      await worker.close(2_000);
      store.close();
      lock.release();
    },
  };
};
