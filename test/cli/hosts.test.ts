import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCap } from '../../src/cli/hosts.ts';
import { commandLine } from './command-line.ts';
import type { CommandLine } from './command-line.ts';

let directory: string;
let line: CommandLine;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-hosts-'));
  line = await commandLine({ '/v1/redis-users': { text: 'made the Redis user of host h2' } });
});
afterEach(async () => {
  await line.close();
  await rm(directory, { recursive: true });
});

const card = async (redisPasswordSha256?: string | null): Promise<string> => {
  const path = join(directory, 'h2.json');
  const key = { hostId: 'h2', machineId: 'm', publicKey: 'k', redisPasswordSha256 };
  await writeFile(path, JSON.stringify(key));
  return path;
};

test("a host's cap is a whole number, or the fleet's again", () => {
  expect(readCap('3')).toBe(3);
  expect(readCap('default')).toBe('default');
  for (const wrong of ['0', '-1', '1.5', 'none', ''])
    expect(() => readCap(wrong)).toThrow('at least 1, or default');
});

test('enrol believes the key, makes the user of Redis and adds the host, in this order', async () => {
  const hash = 'a'.repeat(64);
  const said = await line.type('host', 'enrol', 'h2', '--key', await card(hash), '--zone', 'r1');
  expect([said.code, said.error]).toEqual([0, '']);
  expect(said.out).toContain('made the Redis user of host h2');
  expect(line.asked).toEqual([
    '/v1/keys {"actor":"ann","hostId":"h2","change":{"kind":"enrol","machineId":"m","publicKey":"k"}}',
    `/v1/redis-users {"actor":"ann","hostId":"h2","passwordSha256":"${hash}"}`,
    expect.stringContaining('"action":"host-add","hostId":"h2","zone":"r1"'),
  ]);
});

test.each([null, undefined])(
  'a card that tells no password of Redis (%s) is not enrolled; add takes it',
  async (none) => {
    const path = await card(none);
    const refused = await line.type('host', 'enrol', 'h2', '--key', path);
    expect(refused.code).toBe(1);
    expect(refused.error).toContain('a password of its own of 20 characters or more');
    expect(line.asked).toEqual([]);
    expect((await line.type('host', 'add', 'h2', '--key', path)).code).toBe(0);
    expect(line.asked).toHaveLength(2);
  },
);
