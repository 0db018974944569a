import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '../../../src/api/client.ts';
import type { StatusView } from '../../../src/cli/views.ts';
import { isOver } from '../../../src/cli/wave-text.ts';
import { recordLifeMs } from '../../../src/core/agent/record.ts';
import type { RunningServer } from '../../../src/main/run-server.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import type { AgentChildOptions } from '../fleet/agent.child.ts';
import { enrolHost, wait } from '../fleet/machines.ts';
import { startServer } from '../fleet/start-server.ts';
import { startTestRedis } from '../redis.ts';
import type { TestRedis } from '../redis.ts';

const hostId = 'h1';
/** Shorter than a record counts. */
const beginBeforeMs = 5_000;

let redis: TestRedis;
let server: RunningServer;
let directory: string;
let socket: string;
let agent: ChildProcess | null = null;

beforeEach(async () => {
  redis = await startTestRedis({ own: true });
  directory = await mkdtemp(join(tmpdir(), 'gs-stopped-'));
  socket = join(directory, 'api.sock');
  server = await startServer({ dataDirectory: directory, redis: redis.address, beginBeforeMs });
});
afterEach(async () => {
  if (agent !== null) {
    const gone = new Promise((resolve) => agent?.once('exit', resolve));
    agent.kill('SIGKILL');
    await gone;
  }
  await server.stop();
  await redis.stop();
  await rm(directory, { recursive: true });
});

/** The next message of the agent's process; rejects where it ends instead. */
const said = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => {
      reject(new Error(`the agent ended with ${code}`));
    });
  });

const startAgent = async (holdAt: AgentChildOptions['holdAt']): Promise<ChildProcess> => {
  await enrolHost(socket, { hostId, directory });
  const options: AgentChildOptions = {
    ...{ hostId, containers: ['web-1'], redis: redis.address, directory, holdAt },
    publicKeys: server.publicKeys,
  };
  const child = fork(
    join(import.meta.dirname, '../fleet/agent.child.ts'),
    [JSON.stringify(options)],
    { execArgv: ['--import', 'tsx'] },
  );
  agent = child;
  expect(await said(child)).toBe('up');
  return child;
};

const status = async (): Promise<StatusView> =>
  (await callApi(socket, 'GET', '/v1/status')) as StatusView;

const recordsOf = async (action: string): Promise<Record<string, unknown>[]> => {
  const records = await callApi(socket, 'GET', '/v1/audit?limit=500');
  return (records as { record: Record<string, unknown> }[])
    .map(({ record }) => record)
    .filter((record) => record['action'] === action);
};

test.each(['journaled', 'drained'] as const)(
  'an agent that is stopped in the check of a %s grant for longer than every lease begins nothing by it',
  async (holdAt) => {
    const child = await startAgent(holdAt);
    await waitUntil(
      'the host has told',
      async () => (await status()).hosts.every(({ state }) => state === 'ok'),
      wait,
    );
    const held = said(child);
    child.send('upgrade');
    expect(await held).toBe('held');
    const [first] = (await status()).grants;
    child.kill('SIGSTOP');
    // The fault itself: what was granted and what was heard are both over when it goes on.
    await sleep(Math.max(beginBeforeMs, recordLifeMs) + 2_000);
    child.send('go on');
    child.kill('SIGCONT');

    await waitUntil(
      'the wave is over',
      async () => {
        const { waves, grants } = await status();
        return waves.length === 1 && waves.every(isOver) && grants.length === 0;
      },
      wait,
    );
    expect((await status()).waves[0]?.counts).toMatchObject({ verified: 1 });
    const events = said(child);
    child.send('events');
    const undone = holdAt === 'drained' ? ['drain web-1', 'undrain web-1 as ready'] : [];
    expect(await events).toEqual([
      ...undone,
      ...['drain web-1', 'stop web-1', 'start web-1', 'undrain web-1 as ready'],
    ]);
    const ends = await recordsOf('grant-ended');
    const outcomes = new Map(ends.map(({ grant, outcome }) => [grant, outcome]));
    expect(outcomes.get(first?.id)).toMatch(/^(void|refused)$/);
    const begun = await waitUntil(
      'the trail has the stop',
      async () => {
        const records = await recordsOf('stop-begun');
        return records.length > 0 ? records : null;
      },
      wait,
    );
    expect(begun.map(({ grant }) => outcomes.get(grant))).toEqual(['done']);
  },
  240_000,
);
