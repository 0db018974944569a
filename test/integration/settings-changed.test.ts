import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Configuration } from '../../src/config/schema.ts';
import { serverSettingsRecord } from '../../src/config/shown-settings.ts';
import { defaultFleetSettings } from '../../src/core/coordinator/fleet.ts';
import { runServer } from '../../src/main/run-server.ts';
import type { RunningServer } from '../../src/main/run-server.ts';
import { openStore } from '../../src/store/open-store.ts';
import { loadRecordedSettings } from '../../src/store/recorded-settings.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { noFeeds } from './no-feeds.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

let directory: string;
let redis: TestRedis;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-settings-'));
  redis = await startTestRedis({ own: true });
});
afterEach(async () => {
  await redis.stop();
  await rm(directory, { recursive: true });
});

/** One life of a server with this configuration. */
const withServer = async (
  raw: Record<string, unknown>,
  use: (running: RunningServer) => Promise<void> = () => Promise.resolve(),
): Promise<void> => {
  const config = Configuration.parse(raw);
  const running = await runServer({
    ...{ version: '0', dataDirectory: directory, socketPath: join(directory, 'api.sock') },
    ...{ redis: redis.address, settings: defaultFleetSettings, services: [] },
    describeSettings: (salt) => serverSettingsRecord(config, salt),
    ...{
      exploitedFeeds: new Set<string>(),
      trackerFeeds: new Set<string>(),
      feeds: noFeeds,
      minuteOfDay: () => 0,
      notify: {},
      auditing: { anchors: {}, sealAfterDays: null },
    },
    ...{ logger: createLogger('silent', 'test'), signal: new AbortController().signal },
  });
  try {
    await use(running);
  } finally {
    await running.stop();
  }
};

const everything = {
  ...{ container: undefined, service: undefined, wave: undefined, actor: undefined },
  ...{ outcome: undefined, since: undefined, until: undefined, after: 0, limit: 100 },
};

test('a server that starts with other settings says so in its chain, once', async () => {
  const redisUrl = (password: string): { url: string } => ({ url: `redis://:${password}@r:6379` });
  await withServer({ redis: redisUrl('hunter2') });
  await withServer({ redis: redisUrl('hunter2') }, async ({ server }) => {
    expect(await server.audit(everything)).toEqual([]);
  });
  const changed = { redis: redisUrl('hunter3'), waves: { maxFailures: 2 } };
  await withServer(changed);
  await withServer(changed, async ({ server, publicKeys }) => {
    const rows = await server.audit(everything);
    expect(rows.map(({ record }) => record)).toEqual([
      expect.objectContaining({
        ...{ host: '@server', actor: 'groundswell', action: 'settings-changed', subject: 'server' },
        details: {
          changes: [
            'redis.url: "redis://r:6379/…" changed in what is not shown of it',
            'waves.maxFailures: 0 → 2',
          ],
          summary:
            'redis.url: "redis://r:6379/…" changed in what is not shown of it; waves.maxFailures: 0 → 2',
        },
      }),
    ]);
    // A trail with such records is checked like any other, also by who knows nothing of them.
    const bundle = join(directory, 'trail.jsonl.gz');
    await writeFile(bundle, await server.auditTrail.bundle());
    const verifier = join(process.cwd(), 'test/audit/verify_bundle.py');
    const said = await execa('python3', [verifier, bundle, publicKeys[0] ?? '']);
    expect(said.stdout).toMatch(/intact/i);
  });
  const store = await openStore(join(directory, 'server/store.sqlite'));
  const recorded = await loadRecordedSettings(store.db);
  await store.close();
  expect(recorded?.settings['waves.maxFailures']?.shown).toBe('2');
  expect(JSON.stringify(recorded)).not.toContain('hunter');
});
