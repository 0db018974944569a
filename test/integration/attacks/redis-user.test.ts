import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { controlRecordKey, presenceKey } from '../../../src/jobs/queue-names.ts';
import { makeRedisUser } from '../../../src/jobs/make-redis-user.ts';
import { jobsOf, startAttacker } from './attacker.ts';
import { startTestRedis } from '../redis.ts';
import type { TestRedis } from '../redis.ts';

let server: TestRedis;
let admin: Redis;
let h1: Redis;
const { key } = startAttacker(new Redis({ lazyConnect: true }));

beforeAll(async () => {
  server = await startTestRedis({ own: true });
  admin = server.client();
  const hash = createHash('sha256').update('secret').digest('hex');
  // A Redis without a file of users says that it forgets them.
  expect(await makeRedisUser(admin, 'h1', hash)).toEqual({
    what: 'made the Redis user',
    left: [expect.stringContaining('Redis forgets it when it is restarted')],
  });
  await admin.set(controlRecordKey('h2'), 'record');
  await admin.lpush(key('fleet', 'wait'), 'h2_x');
  await admin.hset(key('fleet', 'h2_x'), 'data', '{}');
  if (server.address.kind !== 'socket') throw new Error('want an own server');
  h1 = new Redis({ path: server.address.path, username: 'h1', password: 'secret' });
});
afterAll(async () => {
  h1.disconnect();
  await server.stop();
});

const script = (command: string, ...args: string[]): string[] => [
  ...['EVAL', `return redis.call('${command}', unpack(ARGV))`, '0'],
  ...args,
];

const forbidden: string[][] = [
  // Other hosts.
  ['GET', controlRecordKey('h2')],
  ['SET', controlRecordKey('h2'), 'x'],
  ['LPUSH', key(jobsOf('h2'), 'wait'), 'x'],
  ['DEL', key(jobsOf('h2'), 'wait')],
  ['LPUSH', key(jobsOf('h10'), 'wait'), 'x'],
  ['HSET', key('fleet', 'h2_x'), 'data', 'x'],
  ['HGETALL', key('fleet', 'h2_x')],
  ['HSET', key('fleet', 'h10_x'), 'data', 'x'],
  ['SET', presenceKey('h2'), 'x'],
  ['LPUSH', key('advisories', 'wait'), 'x'],
  ['SET', 'anything', 'x'],
  // The same from a script of its own.
  script('GET', controlRecordKey('h2')),
  script('HSET', key('fleet', 'h2_x'), 'data', 'x'),
  script('FLUSHALL'),
  script('KEYS', '*'),
  // The server and its other users.
  ...['FLUSHALL', 'FLUSHDB', 'SAVE', 'BGREWRITEAOF', 'SHUTDOWN', 'MONITOR', 'DBSIZE'].map((one) => [
    one,
  ]),
  ['CONFIG', 'GET', 'requirepass'],
  ['CONFIG', 'SET', 'dir', '/tmp'],
  ['ACL', 'LIST'],
  ['ACL', 'SETUSER', 'h1', '+@all'],
  ['CLIENT', 'LIST'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
  ['SCRIPT', 'FLUSH'],
  ['FUNCTION', 'FLUSH'],
  ['KEYS', '*'],
  ['SCAN', '0'],
  ['REPLICAOF', 'localhost', '1'],
  ['MODULE', 'LIST'],
  ['DEBUG', 'JMAP'],
  ['PUBLISH', 'x', 'x'],
  ['SUBSCRIBE', 'x'],
  ['SLOWLOG', 'GET'],
  ['SELECT', '1'],
];

describe('the Redis user of a host', () => {
  test.each(forbidden.map((command) => [command.join(' ').slice(0, 80), command]))(
    'may not: %s',
    async (_, command) => {
      const [name = '', ...args] = command;
      await expect(h1.call(name, ...args)).rejects.toThrow(
        /NOPERM|permission|can't|access|not allowed/,
      );
    },
  );

  test('may, as adding needs it, take away what others have put in: these send it again', async () => {
    expect(await h1.call('LRANGE', key('fleet', 'wait'), '0', '-1')).toEqual(['h2_x']);
    expect(await h1.call('DEL', key('fleet', 'wait'))).toBe(1);
    expect(await h1.call('HSET', key('fleet', 'meta'), 'paused', '1')).toBe(1);
    // Read it cannot, nor change it.
    expect(await admin.hget(key('fleet', 'h2_x'), 'data')).toBe('{}');
  });

  test('another password ends whoever came with the one of before; a user of somebody else stays as it is', async () => {
    if (server.address.kind !== 'socket') throw new Error('want an own server');
    const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
    await makeRedisUser(admin, 'h7', hashOf('first'));
    const thief = new Redis({
      ...{ path: server.address.path, username: 'h7', password: 'first' },
      retryStrategy: () => null,
    });
    thief.on('error', () => undefined);
    await thief.ping();
    const ended = once(thief, 'end');
    expect((await makeRedisUser(admin, 'h7', hashOf('second'))).what).toBe(
      'gave another password to the Redis user',
    );
    await ended;
    await admin.call('ACL', 'SETUSER', 'backup', 'on', '~*', '+@read', '>theirs');
    const before = await admin.call('ACL', 'GETUSER', 'backup');
    await expect(makeRedisUser(admin, 'backup', hashOf('ours'))).rejects.toThrow('something else');
    expect(await admin.call('ACL', 'GETUSER', 'backup')).toEqual(before);
  });
});
