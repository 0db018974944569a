import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { infoField } from '../../../src/core/redis-fault.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { redisUserRules } from '../../../src/jobs/redis-user.ts';
import { redisPassword, startRedisProcess } from './redis-process.ts';
import type { RedisProcess } from './redis-process.ts';
import { startRig, throughFault } from './rig.ts';
import type { Rig } from './rig.ts';

let redis: RedisProcess;
let admin: Redis;
let rig: Rig | null;
beforeEach(async () => {
  rig = null;
  redis = await startRedisProcess();
  admin = redis.client();
  // ioredis tells on the console that it may not ask.
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  await acl('groundswell', '~*', '&*', '+@all', '>pw');
  await acl('h1', ...redisUserRules('h1'), '>pw');
});
afterEach(async () => {
  await rig?.stop();
  await redis.stop();
  jest.restoreAllMocks();
});

const acl = async (user: string, ...rules: string[]): Promise<void> => {
  await admin.call('ACL', 'SETUSER', user, 'on', ...rules);
};
const as = (user: string, password = 'pw'): RedisAddress => ({
  kind: 'url',
  url: redis.url.replace(`:${redisPassword}@`, `${user}:${password}@`),
});
/** A right counts for who connects anew: what a connection has asked it does not ask again. */
const cutOff = async (...users: string[]): Promise<void> => {
  for (const user of users) await admin.client('KILL', 'USER', user);
};
const commands = async (): Promise<number> =>
  Number(infoField(await admin.info(), 'total_commands_processed') ?? 0);

test('a password that is changed in the middle', async () => {
  rig = await startRig(as('groundswell'), as('h1'));
  const borne = await throughFault(rig, {
    ...{ kind: 'wrong-password', words: /refuses the user or the password .*mend redis\.url/ },
    begin: async () => {
      for (const user of ['groundswell', 'h1']) await acl(user, 'resetpass', '>other');
      await cutOff('groundswell', 'h1');
    },
    end: async () => {
      for (const user of ['groundswell', 'h1']) await acl(user, 'resetpass', '>pw');
    },
  });
  expect(borne.load).toBeLessThan(0.5);
  expect(borne.doneMs).toBeLessThan(30_000);
  expect(rig.logged.join('\n')).toMatch(/refuses the user or the password/);
}, 180_000);

test('a password that is wrong from the start', async () => {
  rig = await startRig(as('groundswell', 'wrong'), as('h1', 'wrong'));
  await rig.untilTold('wrong-password', /refuses the user or the password/);
  for (const user of ['groundswell', 'h1']) await acl(user, '>wrong');
  await rig.untilWell();
  await rig.upgrade();
  await rig.untilDone();
}, 180_000);

test.each([
  ['server', 'groundswell', 'missing-right', /^the Redis user of redis\.url may not run INFO/],
  ['agent', 'h1', null, /^the agent of h1 lives, and says .*may not run INFO/],
] as const)(
  'a user of the %s who may not run INFO from its start on',
  async (_, user, kind, words) => {
    await acl(user, '-info');
    rig = await startRig(as('groundswell'), as('h1'));
    await rig.untilTold(kind, words);
    // BullMQ's own worker spins here: 40,000 errors a second, and a whole core.
    const [cpu, from, before] = [process.cpuUsage(), performance.now(), await commands()];
    await sleep(4_000);
    const seconds = (performance.now() - from) / 1_000;
    const used = process.cpuUsage(cpu);
    expect((used.user + used.system) / 1e6 / seconds).toBeLessThan(0.5);
    const perSecond = ((await commands()) - before) / seconds;
    if (process.env['GROUNDSWELL_FIGURES'] !== undefined)
      process.stderr.write(
        `${user}: ${(used.user + used.system) / 1e6 / seconds} cores, ${perSecond} commands/s\n`,
      );
    expect(perSecond).toBeLessThan(500);
    await acl(user, '+info');
    const given = performance.now();
    await rig.upgrade();
    await rig.untilDone();
    if (process.env['GROUNDSWELL_FIGURES'] !== undefined)
      process.stderr.write(`${user}: done after ${performance.now() - given}\n`);
    await rig.untilWell();
  },
  180_000,
);
