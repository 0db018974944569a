import type { Redis } from 'ioredis';
import { generationOf } from '../../core/coordinator/fleet.ts';
import type { StandingAlert } from '../../core/coordinator/standing-alerts.ts';
import type { Notice } from '../../core/coordinator/turn.ts';
import { hostsWithoutRecord } from '../../jobs/control-record.ts';
import type { QueueCache } from '../../jobs/queue-cache.ts';
import { redisAnswers } from '../../jobs/redis-answers.ts';
import { repeat } from '../../jobs/repeat.ts';
import type { Repeated } from '../../jobs/repeat.ts';
import type { SigningKey } from '../../jobs/signing-key.ts';
import type { Store } from '../../store/open-store.ts';
import { forgetClosedOutbox, openOutbox } from '../../store/outbox.ts';
import { createAgentTroubles } from './agent-troubles.ts';
import type { Coordinator } from './coordinate.ts';
import type { Leadership } from './lead.ts';
import type { RecordGate } from './record-gate.ts';
import type { RefusedMessages } from './refused-messages.ts';
import { createRelay } from './relay.ts';
import { watchRedis } from './watch-redis.ts';
import type { RedisWatch } from './watch-redis.ts';

const every = {
  tickMs: 1_000,
  relayMs: 1_000,
  lostRecordsMs: 5_000,
  junkMs: 1_000,
  forgetMs: 3_600_000,
};
const outboxKeptMs = 7 * 86_400_000;

export interface RoundsOptions {
  store: Store;
  redis: Redis;
  queues: QueueCache;
  leadership: Pick<Leadership, 'lease' | 'clock'>;
  coordinator: Coordinator;
  recordGate: RecordGate;
  refused: RefusedMessages;
  key: SigningKey;
  tell: (notice: Notice) => void;
  monotonicMs: () => number;
  onError: (error: unknown, what: string) => void;
}

/** Put jobs of the outbox into their hosts' queues: when it is woken, and every second. */
export const startRelaying = (options: RoundsOptions): Repeated => {
  const { store, redis, queues, leadership, coordinator, recordGate, refused, onError } = options;
  const relay = createRelay({
    redis,
    queues,
    openRows: () => openOutbox(store.db),
    mayPut: ({ hostId }) => recordGate.mayPut(hostId),
    leader: (hostId) => {
      const fleet = coordinator.fleet();
      const host = fleet.hosts.get(hostId) ?? { generation: 0 };
      return [generationOf(fleet, host), leadership.lease.epoch];
    },
    signingKey: () => options.key,
    pausedHosts: () =>
      new Set(
        [...coordinator.fleet().pauses.values()].flatMap(({ level }) =>
          level.level === 'queue' ? [level.hostId] : [],
        ),
      ),
    monotonicMs: options.monotonicMs,
    onDamage: refused.count,
  });
  return repeat(
    async () => {
      const pass = await relay.pass();
      if (pass.kind === 'passed')
        for (const { jobId, reason } of pass.refused)
          onError(new Error(reason), `job ${jobId.split('_')[0] ?? ''}`);
    },
    {
      everyMs: every.relayMs,
      onError: (error) => {
        onError(error, 'relay');
      },
    },
  );
};

export interface Rounds {
  /** How Redis is, and what it says of agents. */
  redis: Pick<RedisWatch, 'state' | 'works' | 'kinds' | 'alerts'>;
  stop: () => Promise<void>;
}

/** What the server does again and again besides: time goes on, lost records are renewed, Redis is looked at, junk is summed up. */
export const startRounds = (options: RoundsOptions, relaying: Pick<Repeated, 'wake'>): Rounds => {
  const { store, redis, leadership, coordinator, recordGate, refused, tell, monotonicMs } = options;
  const failed = (what: string) => (error: unknown) => {
    options.onError(error, what);
  };
  const ticking = repeat(
    async () => {
      await coordinator.submit({ kind: 'tick' });
    },
    { everyMs: every.tickMs, onError: failed('tick') },
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
      await forgetClosedOutbox(store.db, leadership.clock.now() - outboxKeptMs);
    },
    { everyMs: every.forgetMs, onError: failed('outbox') },
  );
  const alerts = (): StandingAlert[] => [...watch.alerts(), ...troubles.alerts()];
  return {
    redis: { state: watch.state, works: watch.works, kinds: watch.kinds, alerts },
    stop: async () => {
      await watch.stop();
      await Promise.all([ticking.stop(), restoring.stop(), summing.stop(), forgetting.stop()]);
    },
  };
};
