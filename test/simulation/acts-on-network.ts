import { forAWhile } from './doing.ts';
import type { Doing } from './doing.ts';
import { loseAll, loseLastSecond, fetchJobs } from './redis.ts';
import { askToRead } from './records.ts';
import { wakeSender } from './reports.ts';
import { leaderNow, submitReports } from './server.ts';
import type { Machine, Weather, World } from './world.ts';

const reconnect = (world: World, machine: Machine): void => {
  askToRead(world, machine);
  fetchJobs(world, machine);
  wakeSender(world, machine);
};

/** Shares of messages, or more delay, on one host's way for a while; every third time on that of all. */
const weather =
  (what: keyof Weather, amount: (n: number) => number): Doing =>
  (world, at) => {
    const { act, machine } = at;
    const all = act.n % 3 === 0 ? world.machines : [machine];
    const more = amount(act.n);
    for (const one of all)
      forAWhile(
        world,
        at,
        () => (one.weather[what] += more),
        () => (one.weather[what] -= more),
      );
    return `${more} on the way of ${all.map(({ id }) => id).join(', ')} for ${act.seconds} s`;
  };

/** From a fifth to all of them. */
const percent = (n: number): number => 20 + 2 * n;

const partition: Doing = (world, at) => {
  const { act, machine } = at;
  const all = act.n % 5 === 0 ? world.machines : [machine];
  for (const one of all)
    forAWhile(
      world,
      at,
      () => (one.weather.cut += 1),
      () => {
        one.weather.cut -= 1;
        reconnect(world, one);
      },
    );
  return `${all.map(({ id }) => id).join(', ')} and Redis for ${act.seconds} s`;
};

const cutOff: Doing = (world, at) => {
  const server = leaderNow(world);
  if (server === null) return null;
  forAWhile(
    world,
    at,
    () => (server.cut += 1),
    () => {
      server.cut -= 1;
      submitReports(world);
    },
  );
  return `the server and Redis for ${at.act.seconds} s`;
};

const down: Doing = (world, at) => {
  const { redis } = world;
  if (!redis.up) return null;
  const lost = at.act.n % 3;
  redis.up = false;
  world.time.after(at.act.seconds * 1_000, () => {
    redis.up = true;
    if (lost === 1) loseLastSecond(world);
    if (lost === 2) loseAll(world);
    for (const machine of world.machines) reconnect(world, machine);
    submitReports(world);
  });
  if (lost === 1) loseLastSecond(world);
  return `for ${at.act.seconds} s${['', ', and its last second is lost', ', and it comes back empty'][lost] ?? ''}`;
};

export const networkActs = {
  'jobs lost': weather('jobsLost', percent),
  'reports lost': weather('reportsLost', percent),
  'records lost': weather('recordsLost', percent),
  'messages doubled': weather('doubled', percent),
  'messages late': weather('lateMs', (n) => 500 * (n + 1)),
  'messages reordered': weather('reordered', percent),
  partition,
  'server cut off': cutOff,
  'redis down': down,
  'redis loses a second': (world) => {
    loseLastSecond(world);
    return 'all that was written lately';
  },
  'redis loses all': (world) => {
    loseAll(world);
    return 'all';
  },
} satisfies Record<string, Doing>;
