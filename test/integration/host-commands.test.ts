import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram, runProgram } from '../../src/cli/program.ts';
import { defaultFleetSettings } from '../../src/core/coordinator/fleet.ts';
import { exportPublicKey, newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import { revokeHost } from '../../src/store/enrolment.ts';
import { openStore } from '../../src/store/open-store.ts';
import { runServer } from '../../src/main/run-server.ts';
import type { RunningServer } from '../../src/main/run-server.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { noFeeds } from './no-feeds.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

let directory: string;
let redis: TestRedis;
let running: RunningServer | null = null;
const signal = new AbortController();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-host-commands-'));
  redis = await startTestRedis({ own: true });
  running = await runServer({
    ...{ version: '0', dataDirectory: directory, socketPath: join(directory, 'api.sock') },
    ...{ redis: redis.address, settings: defaultFleetSettings, services: [] },
    ...{
      describeSettings: (salt: string) => ({ salt, settings: {} }),
      exploitedFeeds: new Set<string>(),
      trackerFeeds: new Set<string>(),
      feeds: noFeeds,
      minuteOfDay: () => 0,
      notify: {},
      auditing: { anchors: {}, sealAfterDays: null },
    },
    ...{ logger: createLogger('fatal', 'test'), signal: signal.signal },
  });
});
afterAll(async () => {
  signal.abort();
  await running?.stop();
  await redis.stop();
  await rm(directory, { recursive: true });
});

/** What the command line prints, to either side, and with which exit code. */
const type = async (...argv: string[]): Promise<string> => {
  let printed = '';
  const write = (text: string): void => {
    printed += text;
  };
  const socketPath = join(directory, 'api.sock');
  const setExitCode = (): void => undefined;
  const deps = { socketPath, actor: 'ann', write, interactive: false, setExitCode };
  const program = createProgram('0', deps, []);
  const code = await runProgram(program, argv, write);
  return `${code} ${printed.trimEnd()}`;
};

const stateOf = async (hostId: string): Promise<string | undefined> => {
  const row = (await type('hosts')).split('\n').find((line) => line.startsWith(`${hostId} `));
  return row?.split(/  +/)[1];
};

test('the life of a host by its commands: enrolled, capped, revoked, removed', async () => {
  const card = join(directory, 'h1.json');
  const publicKey = exportPublicKey(verifyKeyOf(newSigningKey()));
  await writeFile(card, JSON.stringify({ hostId: 'h1', machineId: 'm', publicKey }));
  expect(await type('host', 'add', 'h1')).toContain('1 groundswell: no key of host h1 is known');
  expect(await type('host', 'add', 'h1', '--key', card, '--cap', '1')).toBe(
    '0 host h1 is enrolled, in zone default, with a cap of 1',
  );
  expect(await type('host', 'add', 'h1', '--cap', 'default')).toBe(
    "0 host h1 is enrolled, in zone default, with the fleet's cap of 2",
  );
  expect(await stateOf('h1')).toBe('not heard yet');

  expect(await type('host', 'remove', 'h1')).toMatch(/^1 groundswell: host h1 takes part: first/);
  expect(await type('host', 'revoke', 'h1')).toBe('0 revoked every key of host h1');
  expect(await stateOf('h1')).toBe('revoked');
  expect(await type('host', 'add', 'h1')).toContain('no key of host h1 is known');

  expect(await type('host', 'remove', 'h1')).toBe('0 host h1 is removed, with 0 containers');
  expect(await stateOf('h1')).toBeUndefined();
  expect(await type('host', 'remove', 'h1')).toBe(
    '1 groundswell: there is no host h1; see: groundswell hosts',
  );
  const records = (await type('audit', 'list')).split('\n').map((line) => line.split(/  +/));
  expect(records.slice(-4).map(([, , , action, subject]) => `${action} ${subject}`)).toEqual([
    'keys-changed host h1',
    'host-removed host h1',
    'keys-changed host h1',
    'action-refused host h1',
  ]);
});

test('a revocation that was not recorded is recorded when it is asked for again, once', async () => {
  const card = join(directory, 'h2.json');
  const publicKey = exportPublicKey(verifyKeyOf(newSigningKey()));
  await writeFile(card, JSON.stringify({ hostId: 'h2', machineId: 'm', publicKey }));
  await type('host', 'add', 'h2', '--key', card);
  const store = await openStore(join(directory, 'server', 'store.sqlite'));
  await revokeHost(store.db, 'h2');
  await store.close();
  expect(await type('host', 'revoke', 'h2')).toBe('0 revoked every key of host h2');
  expect(await stateOf('h2')).toBe('revoked');
  expect(await type('host', 'revoke', 'h2')).toBe('1 groundswell: host h2 is not enrolled');
  const [last] = (await type('audit', 'list')).split('\n').slice(-1);
  expect(last).toMatch(/keys-changed +host h2/);
});

test('what is named wrongly is refused by the server, in one sentence', async () => {
  expect(await type('pause', '--service', 'wbe')).toBe(
    '1 groundswell: there is no service wbe; see: groundswell services',
  );
  expect(await type('resume')).toBe('1 groundswell: fleet is not paused; see: groundswell status');
  expect(await type('pause', '--reason', 'lunch')).toBe('0 paused (fleet)');
  expect(await type('status')).toContain('paused (fleet) by ann: lunch');
  expect(await type('resume')).toBe('0 resumed (fleet)');
});
