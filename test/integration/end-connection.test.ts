import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { connectSender, connectWorker } from '../../src/jobs/connections.ts';
import { endConnection } from '../../src/jobs/end-connection.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { startProxy } from './redis-faults/proxy.ts';
import type { Proxy } from './redis-faults/proxy.ts';
import { startRedisProcess } from './redis-faults/redis-process.ts';
import type { RedisProcess } from './redis-faults/redis-process.ts';

let redis: RedisProcess;
let proxy: Proxy;
beforeEach(async () => {
  redis = await startRedisProcess();
  proxy = await startProxy(redis.port);
});
afterEach(async () => {
  proxy.stop();
  await redis.stop();
});

const connected = async (connect: typeof connectWorker): Promise<Redis> => {
  const url = redis.url.replace(/:\d+$/, `:${proxy.port}`);
  const client = connect({ kind: 'url', url }, () => undefined);
  await waitUntil('it is connected', () => client.status === 'ready', { deadlineMs: 10_000 });
  return client;
};
const inStatus = (client: Redis, status: string): Promise<unknown> =>
  waitUntil(status, () => client.status === status, { deadlineMs: 10_000, everyMs: 1 });

test.each([
  ['sent', 'one after it', (client: Redis) => client.ping()],
  ['blocking', 'one after it', (client: Redis) => client.blpop('nothing', 0)],
])(
  'a command that is %s, and %s, ends with a connection between two attempts',
  async (_, __, ask) => {
    const client = await connected(connectWorker);
    proxy.swallow();
    const before = ask(client);
    const settled = Promise.allSettled([before]);
    proxy.stop();
    await inStatus(client, 'reconnecting');
    const after = Promise.allSettled([client.llen('x')]);
    endConnection(client);
    const results = [...(await settled), ...(await after)];
    expect(results.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    await inStatus(client, 'end');
  },
);

test('so does what waits on a connection that swallows it, within seconds', async () => {
  const client = await connected(connectWorker);
  proxy.swallow();
  const settled = Promise.allSettled([client.ping()]);
  endConnection(client);
  expect((await settled).map(({ status }) => status)).toEqual(['rejected']);
  await inStatus(client, 'end');
});

test('a connection ends in whatever state it is', async () => {
  const fresh = connectSender({ kind: 'url', url: redis.url }, () => undefined);
  endConnection(fresh);
  await inStatus(fresh, 'end');
  const ready = await connected(connectSender);
  endConnection(ready);
  endConnection(ready);
  await inStatus(ready, 'end');
});

test('what was sent before a loss ends, too, where an attempt has come as far as a connection', async () => {
  const client = await connected(connectWorker);
  const sent = Promise.allSettled([client.blpop('nothing', 0)]);
  // Whoever connects from now on is let in, and cut off before it is served.
  redis.signal('SIGSTOP');
  proxy.cut();
  await inStatus(client, 'connect');
  proxy.cut();
  await inStatus(client, 'reconnecting');
  endConnection(client);
  expect((await sent).map(({ status }) => status)).toEqual(['rejected']);
  redis.signal('SIGCONT');
});
