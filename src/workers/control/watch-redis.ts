import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { StandingAlert } from '../../core/coordinator/standing-alerts.ts';
import type { Notice } from '../../core/coordinator/turn.ts';
import { errorText } from '../../core/error-text.ts';
import {
  faultOfError,
  lostDataFault,
  redisFaultName,
  redisFaultText,
  silentFault,
  slowFault,
  stopsWork,
} from '../../core/redis-fault.ts';
import type { RedisFault, RedisFaultKind } from '../../core/redis-fault.ts';
import { probeRedis } from '../../jobs/probe-redis.ts';
import type { Probed } from '../../jobs/probe-redis.ts';
import { serverProbeKey } from '../../jobs/queue-names.ts';
import { redisAnswers } from '../../jobs/redis-answers.ts';
import { repeat } from '../../jobs/repeat.ts';

/** Times in ms. */
export interface RedisWatchTimes {
  everyMs: number;
  /** One look that takes longer is slow. */
  slowMs: number;
  /** No answer for this long: silent, not slow. */
  silentMs: number;
  /** A fault that stands this long is told to operators. */
  tellAfterMs: number;
  /** A loss of data is over at once; it is shown for this long. */
  lossShownMs: number;
}

export const redisWatchTimes: RedisWatchTimes = {
  everyMs: 1_000,
  slowMs: 1_000,
  silentMs: 5_000,
  tellAfterMs: 10_000,
  lossShownMs: 60_000,
};

/** How the server's Redis is. */
export interface RedisWatch {
  /** `answers`, `answers, but …` or `does not answer (…)`; within half a second. */
  state: () => Promise<string>;
  /** Whether what is decided now reaches the hosts at once; within half a second. */
  works: () => Promise<boolean>;
  /** Kinds of what is wrong now. */
  kinds: () => RedisFaultKind[];
  alerts: () => StandingAlert[];
  stop: () => Promise<void>;
}

interface Standing {
  fault: RedisFault;
  /** Wall clock and monotonic, in ms. */
  since: number;
  sinceMono: number;
  told: boolean;
}

/**
 * Look at Redis over and over, on the connection by which the server sends, and say in people's words what is wrong with it.
 * A fault is gone with the first look that does not find it.
 */
export const watchRedis = (options: {
  /** Made by `connectSender`. */
  redis: Redis;
  tell: (notice: Notice) => void;
  /** It was found empty, or in an earlier state. */
  onLoss: () => void;
  onError: (error: unknown) => void;
  monotonicMs: () => number;
  wallMs: () => number;
  times?: RedisWatchTimes;
}): RedisWatch => {
  const { redis, tell, monotonicMs, wallMs } = options;
  const times = options.times ?? redisWatchTimes;
  const writer = randomUUID();
  const standing = new Map<RedisFaultKind, Standing>();
  /** What the connection said last while it was not ready. */
  let lastError: string | null = null;
  /** A look that is not answered yet: there is never a second one, or a slow Redis would get more and more to do. */
  let asked: { at: number; answer: Promise<Probed> } | null = null;
  let number = 0;
  let written = 0;
  let loss: { at: number; fault: RedisFault } | null = null;
  let last: RedisFault[] = [];

  const hear = (error: Error): void => {
    lastError = errorText(error);
  };
  const forget = (): void => {
    lastError = null;
  };
  redis.on('error', hear);
  redis.on('ready', forget);

  const settle = (found: readonly RedisFault[]): void => {
    const kinds = new Set(found.map(({ kind }) => kind));
    for (const [kind, { told, fault }] of standing) {
      if (kinds.has(kind)) continue;
      standing.delete(kind);
      if (told && stopsWork(fault) && !found.some(stopsWork))
        tell({
          ...{ kind: 'alert', waveId: null },
          text: `Redis works again (it was: ${redisFaultName[kind]}); what was ordered goes on by itself`,
        });
    }
    const now = monotonicMs();
    for (const fault of found) {
      const before = standing.get(fault.kind);
      const one = before ?? { fault, since: wallMs(), sinceMono: now, told: false };
      one.fault = fault;
      standing.set(fault.kind, one);
      if (one.told || (now - one.sinceMono < times.tellAfterMs && fault.kind !== 'lost-data'))
        continue;
      one.told = true;
      tell({ kind: 'alert', waveId: null, text: redisFaultText(fault) });
    }
  };

  const lookForLoss = ({ before }: Probed): void => {
    if (written === 0) return;
    const [who, n] = before?.split(' ') ?? [];
    // Written by another server: it leads now, or did before.
    if (before !== null && who !== writer) return;
    if (before !== null && Number(n) >= written) return;
    loss = { at: monotonicMs(), fault: lostDataFault(before !== null) };
    options.onLoss();
  };

  const ask = (): { at: number; answer: Promise<Probed> } => {
    number += 1;
    const mine = number;
    const begun = monotonicMs();
    const answer = probeRedis(redis, serverProbeKey, `${writer} ${mine}`).then((probed) => {
      asked = null;
      // What could not be written tells nothing of what lies there.
      if (probed.written) {
        lookForLoss(probed);
        written = mine;
      }
      const tookMs = monotonicMs() - begun;
      last = [...probed.faults, ...(tookMs >= times.slowMs ? [slowFault(tookMs)] : [])];
      return probed;
    });
    asked = { at: begun, answer };
    return asked;
  };

  const withoutConnection = (): RedisFault =>
    lastError === null
      ? redis.status === 'connect'
        ? silentFault
        : faultOfError('the connection was closed')
      : faultOfError(lastError);

  const isReady = (): boolean => redis.status === 'ready';

  const present = async (): Promise<RedisFault[]> => {
    if (!isReady()) return [withoutConnection()];
    const { at, answer } = asked ?? ask();
    const done = answer.then(() => true);
    if (await Promise.race([done, sleep(times.slowMs, false, { ref: false })])) return last;
    if (!isReady()) return [withoutConnection()];
    const waitedMs = monotonicMs() - at;
    return [waitedMs < times.silentMs ? slowFault(waitedMs) : silentFault];
  };

  const looking = repeat(
    async () => {
      const found = await present();
      if (loss !== null && monotonicMs() - loss.at >= times.lossShownMs) loss = null;
      settle(loss === null ? found : [...found, loss.fault]);
    },
    { everyMs: times.everyMs, onError: options.onError },
  );

  const kinds = (): RedisFaultKind[] => [...standing.keys()];
  const names = (): string =>
    kinds()
      .map((kind) => redisFaultName[kind])
      .join(', ');
  const stopsNow = (): boolean => [...standing.values()].some(({ fault }) => stopsWork(fault));

  return {
    kinds,
    state: async () => {
      if (!(await redisAnswers(redis)))
        return `does not answer (${standing.size === 0 ? redisFaultName.silent : names()})`;
      return standing.size === 0 ? 'answers' : `answers, but: ${names()}`;
    },
    works: async () => (await redisAnswers(redis)) && !stopsNow(),
    alerts: () =>
      [...standing.values()].map(({ since, fault }) => ({ since, text: redisFaultText(fault) })),
    stop: async () => {
      redis.off('error', hear);
      redis.off('ready', forget);
      await looking.stop();
    },
  };
};
