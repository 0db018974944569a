// A server over the data directory of argv[2] (JSON: dataDirectory, redis); says when it is up, and ends at SIGTERM.
import { join } from 'node:path';
import process from 'node:process';
import { defaultFleetSettings } from '../../src/core/coordinator/fleet.ts';
import type { RedisAddress } from '../../src/jobs/connections.ts';
import { runServer } from '../../src/main/run-server.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { noFeeds } from './no-feeds.ts';

const { dataDirectory, redis } = JSON.parse(process.argv[2] ?? '{}') as {
  dataDirectory: string;
  redis: RedisAddress;
};
const ending = new AbortController();
try {
  const { stop } = await runServer({
    ...{ version: '0', dataDirectory, socketPath: join(dataDirectory, 'api.sock'), redis },
    settings: { ...defaultFleetSettings, canaries: 0 },
    describeSettings: (salt) => ({ salt, settings: {} }),
    services: [
      {
        ...{ name: 'web', match: [{ container: 'web-*' }], budget: { maxUnavailable: 1 } },
        ...{ mode: 'auto', restartBroken: false },
      },
    ],
    ...{ exploitedFeeds: new Set<string>(), feeds: noFeeds, minuteOfDay: () => 0, notify: {} },
    auditing: { anchors: {}, sealAfterDays: null },
    ...{ logger: createLogger('fatal', 'test'), signal: ending.signal },
  });
  process.stdout.write('up\n');
  process.once('SIGTERM', () => {
    ending.abort();
    void stop().then(() => process.exit(0));
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // It ends by itself, since nothing is left open.
  process.exitCode = 1;
}
