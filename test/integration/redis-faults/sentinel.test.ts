import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { infoField } from '../../../src/core/redis-fault.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { freePort, redisPassword, runRedisServer, startRedisProcess } from './redis-process.ts';
import type { RedisProcess } from './redis-process.ts';
import { startRig } from './rig.ts';
import type { Rig } from './rig.ts';

let master: RedisProcess;
let replica: RedisProcess;
let directory: string;
let sentinel: ReturnType<typeof runRedisServer>;
let sentinelPort: number;
let ask: Redis;
let rig: Rig;

beforeEach(async () => {
  master = await startRedisProcess();
  replica = await startRedisProcess([`replicaof 127.0.0.1 ${master.port}`]);
  directory = await mkdtemp(join(tmpdir(), 'gs-sentinel-'));
  sentinelPort = await freePort();
  const config = join(directory, 'sentinel.conf');
  await writeFile(
    config,
    [
      ...['bind 127.0.0.1', `port ${sentinelPort}`, `dir ${directory}`],
      `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
      `sentinel auth-pass mymaster ${redisPassword}`,
      'sentinel down-after-milliseconds mymaster 1000',
      'sentinel failover-timeout mymaster 5000',
      '',
    ].join('\n'),
  );
  sentinel = runRedisServer([config, '--sentinel'], '');
  ask = new Redis({ host: '127.0.0.1', port: sentinelPort, retryStrategy: () => 50 });
  ask.on('error', () => undefined);
  const of = (info: string): boolean =>
    /^master0:name=mymaster,status=ok,.*slaves=1/m.test(info) && infoField(info, 'role') === null;
  await waitUntil('Sentinel knows both', async () => of(await ask.info('sentinel')), {
    ...{ deadlineMs: 15_000, everyMs: 100 },
  });
  rig = await startRig({
    ...{ kind: 'sentinel', url: `redis://:${redisPassword}@mymaster` },
    sentinels: [`redis://127.0.0.1:${sentinelPort}`],
  });
});
afterEach(async () => {
  await rig.stop();
  ask.disconnect();
  sentinel.kill('SIGKILL');
  await sentinel;
  await Promise.all([master.stop(), replica.stop()]);
  await rm(directory, { recursive: true });
});

test('a failover in the middle of a wave: it goes on at the new master, nothing lost, nothing twice', async () => {
  let killed = 0;
  rig.fake.duringStop = async () => {
    rig.fake.duringStop = () => Promise.resolve();
    await master.kill();
    killed = performance.now();
  };
  await rig.upgrade();
  await waitUntil('the master is killed', () => killed > 0, { deadlineMs: 10_000 });
  await rig.untilTold('unreachable', /Redis cannot be reached/);
  await rig.untilDone();
  expect(performance.now() - killed).toBeLessThan(20_000);
  expect(infoField(await replica.client().info(), 'role')).toBe('master');
  // The old one comes back as a replica; nobody goes back to it.
  await master.start();
  const old = master.client();
  await waitUntil('it is a replica', async () => infoField(await old.info(), 'role') === 'slave', {
    ...{ deadlineMs: 20_000, everyMs: 100 },
  });
  await rig.upgrade();
  await rig.untilDone();
}, 180_000);
