import type { ControlRecord, Leader, SequencedReport } from '../../src/core/messages.ts';
import type { Send } from '../../src/core/coordinator/turn.ts';
import { giveJob } from './agent.ts';
import { askToRead } from './records.ts';
import { submitReports } from './server.ts';
import { count, inLife, note } from './world.ts';
import type { Machine, Server, World } from './world.ts';

/** What was written so lately may not be on Redis's disk yet. */
const unsyncedMs = 1_000;

const wrote = ({ redis, time }: World, undo: () => void): void => {
  const now = time.now();
  while ((redis.lately[0]?.at ?? now) < now - unsyncedMs) redis.lately.shift();
  redis.lately.push({ at: now, undo });
};

export const agentReaches = ({ redis }: World, machine: Machine): boolean =>
  redis.up && machine.on && machine.weather.cut === 0;

export const serverReaches = ({ redis }: World, { cut }: Server): boolean => redis.up && cut === 0;

export const putRecord = (world: World, host: string, record: ControlRecord): void => {
  const { records } = world.redis;
  const before = records.get(host);
  records.set(host, record);
  wrote(world, () => {
    if (before === undefined) records.delete(host);
    else records.set(host, before);
  });
  const machine = world.machines.find(({ id }) => id === host);
  if (machine !== undefined) askToRead(world, machine);
};

const jobsOf = ({ redis }: World, host: string) => {
  const jobs = redis.jobs.get(host) ?? new Map<string, never>();
  redis.jobs.set(host, jobs);
  return jobs;
};

/** The relay puts a job in; what becomes of it then is the network's to say. */
export const putJob = (world: World, machine: Machine, send: Send, leader: Leader): void => {
  const { weather, random } = machine;
  const jobs = jobsOf(world, machine.id);
  const { jobId } = send;
  if (random.chance(weather.jobsLost)) {
    count(world, 'a job was lost');
    note(world, () => `Redis loses job ${jobId}`);
    // Either nothing is left of it, or it looks as if it had been done.
    if (random.chance(50)) jobs.set(jobId, { send, leader, state: 'over' });
    return;
  }
  jobs.set(jobId, { send, leader, state: 'waiting' });
  wrote(world, () => jobs.delete(jobId));
  deliver(world, machine, jobId);
  if (!random.chance(weather.doubled)) return;
  count(world, 'a job came twice');
  const again = random.between(1, 30_000);
  world.time.after(again, () => {
    note(world, () => `job ${jobId} comes once more`);
    giveJob(world, machine, { send, leader });
  });
};

const deliver = (world: World, machine: Machine, jobId: string): void => {
  const { weather, random } = machine;
  const late = weather.lateMs > 0 ? random.below(weather.lateMs) : 0;
  if (late > 1_000) count(world, 'a job came late');
  inLife(world, machine, random.between(2, 60) + late, () => {
    const put = world.redis.jobs.get(machine.id)?.get(jobId);
    if (put?.state !== 'waiting' || !agentReaches(world, machine)) return;
    if (world.redis.held.has(machine.id)) return;
    put.state = 'over';
    wrote(world, () => (put.state = 'waiting'));
    giveJob(world, machine, put);
  });
};

/** A worker has just connected, or its queue goes on: what waits there is handed over. */
export const fetchJobs = (world: World, machine: Machine): void => {
  for (const [jobId, { state }] of world.redis.jobs.get(machine.id) ?? [])
    if (state === 'waiting') deliver(world, machine, jobId);
};

/** A report on its way to whoever leads when it comes. */
export const sendReport = (world: World, machine: Machine, message: SequencedReport): void => {
  const { weather, random } = machine;
  if (random.chance(weather.reportsLost)) {
    count(world, 'a report was lost');
    note(world, () => `report ${message.seq} of ${machine.id} is lost`);
    return;
  }
  const now = world.time.now();
  const late = weather.lateMs > 0 ? random.below(weather.lateMs) : 0;
  let arrivesAt = now + random.between(2, 60) + late;
  if (random.chance(weather.reordered)) {
    count(world, 'a report may overtake');
    arrivesAt += random.below(3_000);
  } else {
    arrivesAt = Math.max(arrivesAt, machine.arrivesAt);
    machine.arrivesAt = arrivesAt;
  }
  const arrive = (): void => {
    world.redis.reports.push(message);
    wrote(world, () => {
      world.redis.reports = world.redis.reports.filter((other) => other !== message);
    });
    submitReports(world);
  };
  world.time.after(arrivesAt - now, arrive);
  if (!random.chance(weather.doubled)) return;
  count(world, 'a report came twice');
  world.time.after(arrivesAt - now + random.between(1, 30_000), arrive);
};

const comeBack = (world: World): void => {
  for (const machine of world.machines) {
    askToRead(world, machine);
    fetchJobs(world, machine);
  }
};

/** A crash with `appendfsync everysec`. */
export const loseLastSecond = (world: World): void => {
  const since = world.time.now() - unsyncedMs;
  for (const { at, undo } of world.redis.lately.reverse()) if (at >= since) undo();
  world.redis.lately = [];
  comeBack(world);
};

export const loseAll = (world: World): void => {
  const { redis } = world;
  redis.records.clear();
  redis.jobs.clear();
  redis.reports = [];
  redis.lately = [];
  redis.held.clear();
  comeBack(world);
};
