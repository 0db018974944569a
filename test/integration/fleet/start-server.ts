import { join } from 'node:path';
import { defaultFleetSettings } from '../../../src/core/coordinator/fleet.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { runServer } from '../../../src/main/run-server.ts';
import type { RunningServer } from '../../../src/main/run-server.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { noFeeds } from '../no-feeds.ts';

export interface TestServerOptions {
  /** Its socket is `api.sock` in there. */
  dataDirectory: string;
  redis: RedisAddress;
  /** Of the one service, to which every container belongs, so many may be down; default 1. */
  maxUnavailable?: number;
  /** A restart that has not begun so long after it was granted does not begin; default as everywhere. */
  beginBeforeMs?: number;
  /** What it says to whoever runs it; default nothing. */
  level?: 'silent' | 'fatal';
  /** Hears what it warns of. */
  logger?: Logger;
  signal?: AbortSignal;
}

/** A real server in this process, without feeds, that restarts by itself what is stale. */
export const startServer = (options: TestServerOptions): Promise<RunningServer> => {
  const { dataDirectory, redis, maxUnavailable = 1, level = 'silent' } = options;
  const { beginBeforeMs = defaultFleetSettings.beginBeforeMs } = options;
  return runServer({
    ...{ version: '0', dataDirectory, socketPath: join(dataDirectory, 'api.sock'), redis },
    settings: { ...defaultFleetSettings, canaries: 0, beginBeforeMs },
    services: [
      {
        ...{ name: 'web', match: [{ container: '*' }], budget: { maxUnavailable } },
        ...{ mode: 'auto', restartBroken: false },
      },
    ],
    describeSettings: (salt) => ({ salt, settings: {} }),
    ...{
      exploitedFeeds: new Set<string>(),
      trackerFeeds: new Set<string>(),
      feeds: noFeeds,
      minuteOfDay: () => 0,
      notify: {},
    },
    auditing: { anchors: {}, sealAfterDays: null },
    logger: options.logger ?? createLogger(level, 'test'),
    signal: options.signal ?? new AbortController().signal,
  });
};
