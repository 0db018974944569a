import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { AuditDetails } from '../../core/audit-details.ts';
import type { AuditRow, QueueCounts } from '../../core/coordinator/api-rows.ts';
import { generationOf } from '../../core/coordinator/fleet.ts';
import type { FleetSettings } from '../../core/coordinator/fleet.ts';
import type { Moment } from '../../core/coordinator/may-grant.ts';
import { kindsAskedFor } from '../../core/coordinator/policy.ts';
import type { Answer } from '../../core/coordinator/operator.ts';
import type { StandingAlert } from '../../core/coordinator/standing-alerts.ts';
import type { Notice } from '../../core/coordinator/turn.ts';
import type { ServiceSettings } from '../../core/service-settings.ts';
import type { SettingsRecord } from '../../core/settings-record.ts';
import { endConnection } from '../../jobs/end-connection.ts';
import { connectSender, connectWorker } from '../../jobs/connections.ts';
import type { RedisAddress } from '../../jobs/connections.ts';
import { hostsWithoutRecord, putControlRecord } from '../../jobs/control-record.ts';
import { forgetHostQueue } from '../../jobs/forget-host-queue.ts';
import { makeRedisUserAt } from '../../jobs/make-redis-user.ts';
import type { MadeUser } from '../../jobs/make-redis-user.ts';
import { reportLimits } from '../../jobs/job-options.ts';
import type { OwnKeys } from '../../jobs/key-files.ts';
import { createQueueCache } from '../../jobs/queue-cache.ts';
import { fleetQueue } from '../../jobs/queue-names.ts';
import { redisAnswers } from '../../jobs/redis-answers.ts';
import { repeat } from '../../jobs/repeat.ts';
import { createSteadyWorker } from '../../jobs/steady-worker.ts';
import { within } from '../../jobs/within.ts';
import { listAuditRecords } from '../../store/audit-records.ts';
import type { AuditFilter } from '../../store/audit-records.ts';
import type { Store } from '../../store/open-store.ts';
import { forgetClosedOutbox, openOutbox } from '../../store/outbox.ts';
import { loadRecordedSettings } from '../../store/recorded-settings.ts';
import { loadRestartTimes, saveRestartTime } from '../../store/restart-times.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { limitErrors } from '../../telemetry/limited-errors.ts';
import { createAgentTroubles } from './agent-troubles.ts';
import { createCommit } from './commit.ts';
import { startCoordinator } from './coordinate.ts';
import type { Coordinator } from './coordinate.ts';
import { followAdvisories } from './follow-advisories.ts';
import type { FollowedAdvisories } from './follow-advisories.ts';
import { openHostKeys } from './host-keys.ts';
import type { HostKeys } from './host-keys.ts';
import { waitToLead } from './lead.ts';
import { buildFleet } from './load-fleet.ts';
import { keepAudit } from './keep-audit.ts';
import type { AuditSettings, KeptAudit } from './keep-audit.ts';
import { learnRestartTimes } from './learn-restart-times.ts';
import { createNotifier } from './notify.ts';
import type { NotifySettings } from './notify.ts';
import { countQueues } from './queue-counts.ts';
import { createRefusedMessages } from './refused-messages.ts';
import { createReportOrder } from './report-order.ts';
import { createRecordGate } from './record-gate.ts';
import { createRelay } from './relay.ts';
import { takeReport } from './take-reports.ts';
import { takeUpRestore } from './take-up-restore.ts';
import { watchRedis } from './watch-redis.ts';
import type { RedisWatch } from './watch-redis.ts';

export interface ServerOptions {
  store: Store;
  redis: RedisAddress;
  keys: OwnKeys;
  settings: FleetSettings;
  services: readonly ServiceSettings[];
  /** The settings as the audit trail tells changes of them: without secrets. */
  describeSettings: (salt: string) => SettingsRecord;
  /** Minute of the day, for the maintenance window. */
  minuteOfDay: (date: Date) => number;
  notify: NotifySettings;
  auditing: AuditSettings;
  /** Feeds that say which vulnerabilities are exploited. */
  exploitedFeeds: ReadonlySet<string>;
  logger: Logger;
  /** This process alone can reach the store: no lease of a dead one need be waited for. */
  seizeLease: boolean;
  signal: AbortSignal;
}

export interface Server {
  coordinator: Coordinator;
  hostKeys: HostKeys;
  moment: () => Moment;
  queues: () => Promise<QueueCounts[]>;
  audit: (filter: AuditFilter) => Promise<AuditRow[]>;
  auditTrail: Pick<KeptAudit, 'bundle' | 'keys'>;
  meanRestartMs: (service: string) => number;
  /** What advisories mean for the fleet. */
  advisories: Pick<FollowedAdvisories, 'matcher' | 'wake'>;
  /** Have this done whenever hosts have reported their packages, or are forgotten. */
  onInventories: (tell: () => void) => void;
  /** Tell operators of something that is no wave's. */
  alert: (text: string) => void;
  /** How Redis is, and what is wrong with it now. */
  redis: Pick<RedisWatch, 'state' | 'works' | 'kinds' | 'alerts'>;
  /** Messages that were refused lately. */
  refusedAlerts: () => StandingAlert[];
  /** Whether its lease is in force: else it decides nothing (R12). */
  leads: () => boolean;
  /** Record a change of a host's keys, which are no part of the fleet's state. */
  changedKeys: (actor: string, hostId: string, what: string) => Promise<Answer>;
  /** Make a host's user of Redis (ACL SETUSER); answers what a person has still to do. */
  makeRedisUser: (hostId: string, passwordSha256: string) => Promise<MadeUser>;
  /** Record that an operator takes what a feed holds back. */
  acceptedFeed: (actor: string, feed: string, details: AuditDetails) => Promise<void>;
  /** Take what Redis holds for a host away, where it answers, and forget its packages. */
  forgetHost: (hostId: string) => Promise<void>;
  /** Resolves when another server has taken over: this process must begin anew. */
  lost: Promise<void>;
  stop: () => Promise<void>;
}

const every = {
  tickMs: 1_000,
  relayMs: 1_000,
  lostRecordsMs: 5_000,
  junkMs: 1_000,
  forgetMs: 3_600_000,
};
/** Restarts whose service has no history are planned with this, in ms. */
const unknownRestartMs = 10_000;
const firstConnectionMs = 2_000;
/** A Redis that is there takes a record within milliseconds; one that was not taken is renewed when it answers. */
const publishLimitMs = 500;
/** How long a report that overtook another waits for it. */
const earlyReportMs = 1_000;
const outboxKeptMs = 7 * 86_400_000;

/** Wait to lead, then coordinate: reports in, decisions committed, records and jobs out. */
export const startServer = async (options: ServerOptions): Promise<Server> => {
  const { store, logger, keys } = options;
  const onError = limitErrors(logger);
  const monotonicMs = (): number => performance.now();
  const leadership = await waitToLead({
    db: store.db,
    databaseNow: store.databaseNow,
    holder: randomUUID(),
    seize: options.seizeLease,
    monotonicMs,
    onProblem: (text) => {
      onError(new Error(text), 'lease');
    },
    signal: options.signal,
  });
  const { lease, clock } = leadership;
  const moment = (): Moment => {
    const wall = new Date();
    return {
      now: clock.now(),
      wall: { ms: wall.getTime(), minuteOfDay: options.minuteOfDay(wall) },
    };
  };
  const hostKeys = await openHostKeys(store, Date.now);
  const restartTimes = await loadRestartTimes(store.db);
  const redis = connectSender(options.redis, (error) => {
    onError(error, 'Redis');
  });
  // What is sent before the connection stands is lost, and the first records are: worth a moment. Errors end it.
  await within(once(redis, 'ready'), firstConnectionMs, 'connecting').catch(() => undefined);
  const queues = createQueueCache(redis, {
    capacity: 500,
    onError: (error) => onError(error, 'queue'),
  });
  const notifier = createNotifier(options.notify, onError);
  const tell = (notice: Notice): void => {
    logger.info({ notice }, notice.text);
    notifier.tell(notice);
    if (notice.kind === 'ended') trail.wake();
  };
  const trail = await keepAudit({
    ...{ store, lease, key: keys.active, settings: options.auditing, onError },
    wallNow: () => new Date(),
  });
  const refused = createRefusedMessages(Date.now);
  let following: FollowedAdvisories | null = null;
  let inventoriesChanged = (): void => undefined;
  const recordGate = createRecordGate(() => {
    relaying.wake();
  });
  const commit = createCommit({
    store,
    lease,
    key: keys.active,
    serverNow: clock.now,
    wallNow: () => new Date(),
    alert: (text) => {
      tell({ kind: 'alert', waveId: null, text });
    },
  });

  const coordinator = await startCoordinator({
    load: async () => {
      // What hosts need is not stored: after a commit that failed it is told anew.
      following?.matcher.tellAll();
      return buildFleet(
        store,
        lease.epoch,
        options.settings,
        options.services,
        hostKeys.isEnrolled,
      );
    },
    commit: async (group) => {
      for (const { records } of group.commands)
        for (const { host, record } of records) recordGate.committing(host, record.number);
      await commit(group);
      refused.hear(group.reports);
      const reported = group.reports.filter(({ report }) => report.kind === 'host-inventory');
      if (reported.length > 0) {
        following?.matcher.inventoriesChanged([...new Set(reported.map(({ host }) => host))]);
        inventoriesChanged();
      }
      // What was committed holds without them.
      for (const [service, time] of learnRestartTimes(restartTimes, group.fleet, group.reports))
        await saveRestartTime(store.db, service, time).catch((error: unknown) =>
          onError(error, `restart time of ${service}`),
        );
    },
    publish: async (host, record) => {
      if (!leadership.leads()) return;
      const put = putControlRecord(redis, host, record, keys.active);
      await within(put, publishLimitMs, 'control record');
      recordGate.published(host, record.number);
    },
    kickRelay: () => {
      relaying.wake();
    },
    notify: tell,
    moment,
    newId: randomUUID,
    onError,
  });
  try {
    await takeUpRestore(store, coordinator);
  } catch (error) {
    await Promise.all([coordinator.stop(), trail.stop(), queues.close()]);
    endConnection(redis);
    await leadership.resign();
    throw error;
  }

  const relay = createRelay({
    redis,
    queues,
    openRows: () => openOutbox(store.db),
    mayPut: ({ hostId }) => recordGate.mayPut(hostId),
    leader: (hostId) => {
      const fleet = coordinator.fleet();
      return [generationOf(fleet, fleet.hosts.get(hostId) ?? { generation: 0 }), lease.epoch];
    },
    signingKey: () => keys.active,
    pausedHosts: () =>
      new Set(
        [...coordinator.fleet().pauses.values()].flatMap(({ level }) =>
          level.level === 'queue' ? [level.hostId] : [],
        ),
      ),
    monotonicMs,
    onDamage: refused.count,
  });
  const failed = (what: string) => (error: unknown) => {
    onError(error, what);
  };
  const relaying = repeat(
    async () => {
      const pass = await relay.pass();
      if (pass.kind === 'passed')
        for (const { jobId, reason } of pass.refused)
          onError(new Error(reason), `job ${jobId.split('_')[0] ?? ''}`);
    },
    { everyMs: every.relayMs, onError: failed('relay') },
  );
  // Before anything else is done by them: it is recorded first, or not at all.
  const recorded = await loadRecordedSettings(store.db);
  const present = options.describeSettings(recorded?.salt ?? randomUUID());
  if (!isDeepStrictEqual(recorded, present))
    await coordinator.submit({ kind: 'settings', before: recorded, now: present });
  const ticking = repeat(
    async () => {
      await coordinator.submit({ kind: 'tick' });
    },
    {
      everyMs: every.tickMs,
      onError: failed('tick'),
    },
  );
  const troubles = createAgentTroubles(redis, Date.now);
  const restoring = repeat(
    async () => {
      if (!(await redisAnswers(redis))) return;
      const hosts = [...coordinator.fleet().hosts.keys()];
      const lost = new Set([
        ...recordGate.unpublished().filter((host) => hosts.includes(host)),
        ...(await hostsWithoutRecord(redis, hosts)),
      ]);
      for (const host of lost) await coordinator.submit({ kind: 'record-wanted', host });
      await troubles.look(hosts);
    },
    { everyMs: every.lostRecordsMs, onError: failed('control records') },
  );
  const watch = watchRedis({
    ...{ redis, tell, monotonicMs, wallMs: Date.now, onError: failed('look at Redis') },
    onLoss: () => {
      restoring.wake();
      relaying.wake();
    },
  });
  const summing = repeat(
    async () => {
      const junk = refused.take();
      if (junk === null) return;
      const { total, reasons, isFirst } = junk;
      await coordinator.submit({ kind: 'junk', total, reasons });
      if (isFirst)
        for (const { text } of refused.alerts()) tell({ kind: 'alert', waveId: null, text });
    },
    { everyMs: every.junkMs, onError: failed('refused messages') },
  );
  const forgetting = repeat(
    async () => {
      await forgetClosedOutbox(store.db, clock.now() - outboxKeptMs);
    },
    { everyMs: every.forgetMs, onError: failed('outbox') },
  );
  const order = createReportOrder((hostId, incarnation) => {
    const host = coordinator.fleet().hosts.get(hostId);
    return host?.incarnation === incarnation ? host.ackedSeq : 0;
  }, earlyReportMs);
  const reports = createSteadyWorker({
    queueName: fleetQueue,
    concurrency: 50,
    ...{ limits: reportLimits, owned: true },
    connect: (hear) => connectWorker(options.redis, hear),
    handle: takeReport({ coordinator, keysOf: hostKeys.keysOf, order, onRefused: refused.count }),
    onDamage: (text) => {
      refused.count('queue of reports', text);
    },
    onProblem: (text) => {
      onError(new Error(text), 'reports');
    },
    nowMs: monotonicMs,
  });

  following = await followAdvisories({
    ...{ store, redis, queues, keys, coordinator, monotonicMs, onError },
    address: options.redis,
    exploitedFeeds: options.exploitedFeeds,
    kinds: kindsAskedFor(options.settings),
    serverNow: clock.now,
    wallNow: Date.now,
    onRefused: refused.count,
  });
  // By now it hears of what changes, so that nothing is missed while it looks at all hosts for the first time.
  await following.matcher.ready;
  const { matcher, wake } = following;
  const stopFollowing = following.stop;

  return {
    advisories: { matcher, wake },
    onInventories: (tell) => {
      inventoriesChanged = tell;
    },
    alert: (text) => {
      tell({ kind: 'alert', waveId: null, text });
    },
    refusedAlerts: refused.alerts,
    coordinator,
    hostKeys,
    moment,
    queues: () => countQueues(redis, queues, [...coordinator.fleet().hosts.keys()]),
    audit: (filter) => listAuditRecords(store.db, filter),
    auditTrail: trail,
    meanRestartMs: (service) => restartTimes.get(service)?.meanMs ?? unknownRestartMs,
    redis: { ...watch, alerts: () => [...watch.alerts(), ...troubles.alerts()] },
    leads: leadership.leads,
    changedKeys: async (actor, hostId, what) => {
      const believed = hostKeys.isEnrolled(hostId);
      await coordinator.submit({ kind: 'keys-changed', actor, host: hostId, what, believed });
      return { ok: true, id: null, text: `${what} of host ${hostId}` };
    },
    makeRedisUser: (hostId, passwordSha256) =>
      makeRedisUserAt(options.redis, hostId, passwordSha256),
    acceptedFeed: async (actor, feed, details) => {
      await coordinator.submit({ kind: 'feed-accepted', actor, feed, details });
    },
    forgetHost: async (hostId) => {
      await matcher.removeHost(hostId);
      inventoriesChanged();
      await forgetHostQueue(redis, queues, hostId).catch(failed(`queue of ${hostId}`));
    },
    lost: leadership.lost,
    stop: async () => {
      // What waits for a Redis that is away would be waited for: without a connection it ends at once.
      if (!(await redisAnswers(redis))) endConnection(redis);
      await watch.stop();
      await Promise.all([ticking.stop(), restoring.stop(), summing.stop(), forgetting.stop()]);
      await Promise.all([reports.close(5_000), stopFollowing()]);
      await coordinator.stop();
      await notifier.stop();
      await trail.stop();
      await relaying.stop();
      await queues.close();
      endConnection(redis);
      await leadership.resign();
    },
  };
};
