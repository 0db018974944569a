import { describe, expect, test } from '@jest/globals';
import {
  faultOfError,
  faultsOfInfo,
  lostDataFault,
  redisFaultName,
  redisFaultText,
  silentFault,
  slowFault,
  stopsWork,
} from '../../src/core/redis-fault.ts';
import type { RedisFaultKind } from '../../src/core/redis-fault.ts';

describe('what Redis and its client say', () => {
  test.each<[string, RedisFaultKind]>([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'wrong-password'],
    ['NOAUTH Authentication required.', 'wrong-password'],
    ['ERR invalid password', 'wrong-password'],
    ["NOPERM this user has no permissions to run the 'info' command", 'missing-right'],
    ["NOPERM User h1 has no permissions to run the 'info' command", 'missing-right'],
    ['NOPERM No permissions to access a key', 'missing-right'],
    ["READONLY You can't write against a read only replica.", 'read-only'],
    ["OOM command not allowed when used memory > 'maxmemory'. script: 1", 'full'],
    ['ERR max number of clients reached', 'too-many-clients'],
    ['NOREPLICAS Not enough good replicas to write.', 'refuses-writes'],
    ['MISCONF Redis is configured to save RDB snapshots, but it is', 'refuses-writes'],
    ['LOADING Redis is loading the dataset in memory', 'loading'],
    ["Socket timeout. Expecting data, but didn't receive any in 10000ms.", 'silent'],
    ['connect ECONNREFUSED 127.0.0.1:6379', 'unreachable'],
    ['write EPIPE', 'unreachable'],
    ['Connection is closed.', 'unreachable'],
    ['connect ENOENT /run/r.sock', 'unreachable'],
    ['getaddrinfo EAI_AGAIN redis', 'unreachable'],
    ['connect ETIMEDOUT', 'unreachable'],
    ['All sentinels are unreachable. Retrying from scratch after 200ms.', 'unreachable'],
    ['ERR value is not an integer or out of range', 'other'],
  ])('%s: %s', (message, kind) => {
    expect(faultOfError(message).kind).toBe(kind);
  });

  test('what a user may not do is named, and what others wrote is one bounded line', () => {
    expect(
      faultOfError("NOPERM this user has no permissions to run the 'info' command").what,
    ).toMatch(/may not run INFO$/);
    const long = redisFaultText(faultOfError(`${'x'.repeat(10_000)}\nmore`));
    expect(long.length).toBeLessThan(500);
    expect(long).not.toContain('\n');
  });
});

describe('what INFO tells', () => {
  const info = (...lines: string[]): string =>
    ['# Memory', 'used_memory:700', ...lines, ''].join('\r\n');
  test.each<[string[], RedisFaultKind[]]>([
    [['role:master', 'maxmemory:0', 'maxmemory_policy:noeviction'], []],
    [[], []],
    [['maxmemory:1001'], []],
    [['maxmemory:1000'], ['nearly-full']],
    [['maxmemory_policy:volatile-lru'], ['evicts']],
    [['role:slave', 'master_host:10.0.0.7', 'master_port:6379'], ['read-only']],
    [
      ['role:slave', 'maxmemory_policy:allkeys-lru', 'maxmemory:1'],
      ['read-only', 'evicts', 'nearly-full'],
    ],
  ])('%j: %j', (lines, kinds) => {
    expect(faultsOfInfo(info(...lines)).map(({ kind }) => kind)).toEqual(kinds);
  });
  test('a replica names its master', () => {
    const [fault] = faultsOfInfo(info('role:slave', 'master_host:10.0.0.7', 'master_port:6379'));
    expect(fault?.what).toBe('Redis is a read-only replica of 10.0.0.7:6379');
  });
});

test('each fault says what to do, and which of them stop the work', () => {
  const faults = [silentFault, slowFault(2_300), lostDataFault(true), lostDataFault(false)];
  expect(faults.map(redisFaultText)).toEqual([
    expect.stringMatching(/nothing is lost\): it stands still/),
    expect.stringMatching(/^Redis takes 2\.3 s to answer, [^(]*: look at/),
    expect.stringMatching(/^Redis went back to an earlier state .*: what was ordered is put in/),
    expect.stringMatching(/^Redis lost its data .*: what was ordered is put in/),
  ]);
  const kinds = Object.keys(redisFaultName) as RedisFaultKind[];
  expect(kinds.filter((kind) => !stopsWork({ kind }))).toEqual([
    ...['slow', 'nearly-full', 'evicts', 'lost-data'],
  ]);
});
