import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWriteStream } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { callApi, downloadApi } from '../../../src/api/client.ts';
import { readBundleFile } from '../../../src/audit/bundle-file.ts';
import { verifyBundle } from '../../../src/audit/verify-bundle.ts';
import { isOver } from '../../../src/cli/wave-text.ts';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import { verifyKeyOf } from '../../../src/jobs/signing-key.ts';
import { openSqlite } from '../../../src/store/open-sqlite.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { wait } from '../fleet/machines.ts';
import type { Machine } from '../fleet/machines.ts';
import { createServerAndAgents } from '../fleet/server-and-agents.ts';
import type { ServerAndAgents } from '../fleet/server-and-agents.ts';
import { startRedisProcess } from '../redis-faults/redis-process.ts';
import type { RedisProcess } from '../redis-faults/redis-process.ts';

let redis: RedisProcess;
let rig: ServerAndAgents;
let machine: Machine;
let incarnation: string;

beforeEach(async () => {
  redis = await startRedisProcess();
  rig = await createServerAndAgents({ kind: 'url', url: redis.url });
  await rig.startServer();
  await rig.enrol('h1', ['web-1']);
  const enrolled = rig.machines.get('h1');
  if (enrolled === undefined) throw new Error('there is no h1');
  machine = enrolled;
  ({ incarnation } = machine.agent.status());
  await rig.untilKnown();
  await waitUntil('its journal is settled', () => machine.agent.status().settled, wait);
});
afterEach(async () => {
  redis.signal('SIGCONT');
  await rig.dispose();
  await redis.stop();
});

const fileOf = (folder: string): string => join(rig.directory, folder, 'journal.sqlite');

/** The journal of an agent that was stopped, as a snapshot of its disk has it. */
const snapshot = async (to: string): Promise<void> => {
  await mkdir(join(rig.directory, to));
  for (const end of ['', '-wal'])
    await cp(`${fileOf(machine.journal)}${end}`, `${fileOf(to)}${end}`).catch(() => undefined);
};

/** Number of the last report in the journal. */
const lastSeq = (): number => {
  const handle = openSqlite(fileOf(machine.journal));
  try {
    const [row] = handle.prepare("select body from journal where part = 'scalars'").all();
    const { body } = row as { body: string };
    return (JSON.parse(body) as { lastSeq: number }).lastSeq;
  } finally {
    handle.close();
  }
};

const restartAll = async (version: number): Promise<void> => {
  await rig.upgradeEverywhere(version);
  await waitUntil(
    `the wave of version ${version} is over`,
    async () => {
      const { waves, grants } = await rig.status();
      return waves.length === version - 1 && waves.every(isOver) && grants.length === 0;
    },
    wait,
  );
};

const actions = async (): Promise<unknown[]> => {
  const records = await callApi(rig.socket, 'GET', '/v1/audit?limit=500');
  return (records as { record: Record<string, unknown> }[]).map(({ record }) => record['action']);
};

/** A new life has begun, the server knows, and goes on: nothing is done twice, and what is to be done is done. */
const goesOn = async (): Promise<void> => {
  await waitUntil(
    'a new life of the journal has begun',
    () => machine.agent.status().incarnation !== incarnation && machine.agent.status().settled,
    wait,
  );
  await rig.untilKnown();
  expect(rig.stops()).toEqual(['h1/web-1']);
  await restartAll(3);
  expect(rig.stops()).toEqual(['h1/web-1', 'h1/web-1']);
  await waitUntil(
    'the trail tells the end of both',
    async () => (await actions()).filter((action) => action === 'restart-ended').length === 2,
    wait,
  );
  expect(await actions()).toContain('host-incarnation');
  expect(await actions()).not.toContain('copy-refused');
  const trail = join(rig.directory, 'trail.jsonl.gz');
  await pipeline(await downloadApi(rig.socket, '/v1/audit/bundle'), createWriteStream(trail));
  const { active } = await loadOrMakeKeys(join(rig.data, 'server/keys.json'), null);
  const { findings } = await verifyBundle(readBundleFile(trail), {
    ...{ keys: new Map([[active.id, verifyKeyOf(active).publicKey]]), anchors: [] },
    ...{ partial: false, underWayMs: 0 },
  });
  expect(findings).toEqual([]);
};

test('a journal that was put back to before a restart', async () => {
  await machine.agent.stop();
  await snapshot('snapshot');
  await machine.restart('h1');
  await restartAll(2);
  await machine.agent.stop();
  await machine.restart('snapshot');
  await goesOn();
}, 240_000);

test('the same, where it has caught up with what the server has heard before Redis answers', async () => {
  await machine.agent.stop();
  await snapshot('snapshot');
  await machine.restart('h1');
  await restartAll(2);
  await machine.agent.stop();
  const told = lastSeq();
  redis.signal('SIGSTOP');
  await machine.restart('snapshot');
  expect(machine.agent.status().incarnation).toBe(incarnation);
  await waitUntil(
    'it has as many reports',
    async () => {
      // What its owner does with the container is something to report.
      if (machine.fake.container('web-1').instance === null)
        await machine.fake.host.runtime.start('web-1');
      else machine.fake.ownerStops('web-1');
      return lastSeq() > told;
    },
    { ...wait, everyMs: 300 },
  );
  await machine.fake.host.runtime.start('web-1');
  redis.signal('SIGCONT');
  await goesOn();
}, 240_000);

test('a journal that was deleted', async () => {
  await restartAll(2);
  await machine.agent.stop();
  await machine.restart('another');
  await goesOn();
}, 240_000);
