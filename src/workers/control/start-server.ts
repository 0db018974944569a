import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Moment } from '../../core/coordinator/may-grant.ts';
import { kindsAskedFor } from '../../core/coordinator/policy.ts';
import type { Notice } from '../../core/coordinator/turn.ts';
import { endConnection } from '../../jobs/end-connection.ts';
import { connectSender, connectWorker } from '../../jobs/connections.ts';
import { putControlRecord } from '../../jobs/control-record.ts';
import { forgetHostQueue } from '../../jobs/forget-host-queue.ts';
import { makeRedisUserAt } from '../../jobs/make-redis-user.ts';
import { reportLimits } from '../../jobs/job-options.ts';
import { createQueueCache } from '../../jobs/queue-cache.ts';
import { fleetQueue } from '../../jobs/queue-names.ts';
import { redisAnswers } from '../../jobs/redis-answers.ts';
import { createSteadyWorker } from '../../jobs/steady-worker.ts';
import { within } from '../../jobs/within.ts';
import { listAuditRecords } from '../../store/list-audit-records.ts';
import { loadRecordedSettings } from '../../store/recorded-settings.ts';
import { loadRestartTimes, saveRestartTime } from '../../store/restart-times.ts';
import { limitErrors } from '../../telemetry/limited-errors.ts';
import { createCommit } from './commit.ts';
import { startCoordinator } from './coordinate.ts';
import { followAdvisories } from './follow-advisories.ts';
import type { FollowedAdvisories } from './follow-advisories.ts';
import { openHostKeys } from './host-keys.ts';
import { waitToLead } from './lead.ts';
import { buildFleet } from './load-fleet.ts';
import { keepAudit } from './keep-audit.ts';
import { learnRestartTimes } from './learn-restart-times.ts';
import { createNotifier } from './notify.ts';
import { countQueues } from './queue-counts.ts';
import { createRefusedMessages } from './refused-messages.ts';
import { createReportOrder } from './report-order.ts';
import { createRecordGate } from './record-gate.ts';
import { startRelaying, startRounds } from './rounds.ts';
import type { RoundsOptions } from './rounds.ts';
import type { Server, ServerOptions } from './server.ts';
import { takeReport } from './take-reports.ts';
import { takeUpRestore } from './take-up-restore.ts';

/** Restarts whose service has no history are planned with this, in ms. */
const unknownRestartMs = 10_000;
const firstConnectionMs = 2_000;
/** So long a record is waited for: one that was not taken is renewed when Redis answers. */
const publishLimitMs = 500;
/** How long a report that overtook another waits for it. */
const earlyReportMs = 1_000;

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
      trail.committed(group.commands);
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
      // However late Redis takes it, it is out then. That Redis is slow or silent is told by who watches it.
      const out = putControlRecord(redis, host, record, keys.active).then(() => {
        recordGate.published(host, record.number);
      });
      await Promise.race([out, sleep(publishLimitMs, undefined, { ref: false })]);
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

  const shared: RoundsOptions = {
    ...{ store, redis, queues, leadership, coordinator, recordGate, refused, tell },
    ...{ key: keys.active, monotonicMs, onError },
  };
  const relaying = startRelaying(shared);
  // Before anything else is done by them: it is recorded first, or not at all.
  const recorded = await loadRecordedSettings(store.db);
  const present = options.describeSettings(recorded?.salt ?? randomUUID());
  if (!isDeepStrictEqual(recorded, present))
    await coordinator.submit({ kind: 'settings', before: recorded, now: present });
  const rounds = startRounds(shared, relaying);
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
    trackerFeeds: options.trackerFeeds,
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
    redis: rounds.redis,
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
      await forgetHostQueue(redis, queues, hostId).catch((error: unknown) => {
        onError(error, `queue of ${hostId}`);
      });
    },
    lost: leadership.lost,
    stop: async () => {
      // What waits for a Redis that is away would be waited for: without a connection it ends at once.
      if (!(await redisAnswers(redis))) endConnection(redis);
      await rounds.stop();
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
