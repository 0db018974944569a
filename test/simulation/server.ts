import type { Answer, OperatorAction } from '../../src/core/coordinator/operator-action.ts';
import type { Commands, FleetEvent } from '../../src/core/coordinator/step.ts';
import type { ControlRecord, Leader } from '../../src/core/messages.ts';
import { newId } from './agent.ts';
import { configured } from './first-fleet.ts';
import { judgeCommit } from './judge-server.ts';
import { putJob, putRecord, serverReaches } from './redis.ts';
import { commit, load } from './store.ts';
import { count, inServer, note, wallOf } from './world.ts';
import type { Server, World } from './world.ts';

const every = { tickMs: 1_000, relayMs: 1_000, lostRecordsMs: 5_000, renewMs: 2_000 };
const leaseMs = 10_000;
const reserveMs = 10_000;
const putAgainMs = 30_000;

/** Its monotonic clock, which stands while its machine does. */
const monoOf = ({ time }: World, { bornAt, standstillMs }: Server): number =>
  time.now() - bornAt - standstillMs;

/** Server time: driven by the leader's clock, and never ahead of what is reserved (R14). */
export const serverNow = (world: World, server: Server): number => {
  const { timeBase, timeLimit } = server;
  server.highest = Math.max(server.highest, Math.min(timeBase + monoOf(world, server), timeLimit));
  return server.highest;
};

const leads = (world: World, server: Server): boolean =>
  monoOf(world, server) - server.renewedAt < leaseMs;

export const retire = (world: World, server: Server): void => {
  server.alive = false;
  world.servers = world.servers.filter((other) => other !== server);
};

const crash = (world: World, server: Server, downMs: number): void => {
  retire(world, server);
  lead(world, downMs);
};

/** Whoever may decide now: a former leader that does not know yet does not count. */
export const leaderNow = ({ servers, store, time }: World): Server | null => {
  const server = servers.find(({ epoch }) => epoch === store.epoch);
  return server !== undefined && server.frozenUntil <= time.now() ? server : null;
};

/** A tick that changes nothing and tells nobody anything is not counted. */
const isEmpty = ({ kind }: FleetEvent, { dirty, audits, sends, closes, records }: Commands) =>
  kind === 'tick' && [dirty, audits, sends, closes, records].every((wanted) => wanted.length === 0);

/**
 * One event, as the coordinator's loop takes it: core decides, all of it is committed or nothing (R19), then control
 * records, then jobs (R12). Null: it did not become durable.
 */
export const submit = (world: World, server: Server, event: FleetEvent): Commands | null => {
  const { store, core } = world;
  world.counts.steps += 1;
  const { dies } = server;
  const commands = core.fleetStep(server.fleet, event, {
    now: serverNow(world, server),
    wall: { ms: wallOf(world, { wallOffsetMs: world.serverWallOffsetMs }), minuteOfDay: 720 },
    newId: () => newId(world, 'n'),
  });
  const isLast = dies !== null && !isEmpty(event, commands) && (dies.steps -= 1) <= 0;
  if (isLast && dies.before) {
    note(world, () => `the server dies before it has committed ${event.kind}`);
    crash(world, server, dies.downMs);
    return null;
  }
  if (server.epoch !== store.epoch) {
    note(world, () => `a former leader finds that it does not lead`);
    retire(world, server);
    return null;
  }
  commit(store, server.fleet, commands);
  judgeCommit(world, server, commands);
  traceCommit(world, commands);
  retryWhatFails(world, commands);
  if (isLast) {
    note(world, () => `the server dies after it has committed ${event.kind}`);
    crash(world, server, dies.downMs);
    return commands;
  }
  publish(world, server, commands.records);
  if (commands.sends.length > 0) inServer(world, server, 1, () => relay(world, server));
  return commands;
};

/** Somebody is told of a failure, and tries it again. */
const retryWhatFails = (world: World, { audits }: Commands): void => {
  for (const { action, subject } of audits) {
    if (action !== 'grant-failed' || world.retriers === 0) continue;
    world.retriers -= 1;
    world.time.after(world.random.between(200, 8_000), () => {
      const answer = act(world, 'op', {
        ...{ action: 'retry', scope: { of: 'container', container: subject } },
      });
      if (answer?.ok !== true) return;
      count(world, 'retry');
      note(world, () => `* retry: ${answer.text}`);
    });
  }
};

const traceCommit = (world: World, { audits, notices }: Commands): void => {
  if (world.trace === null) return;
  for (const { action, subject, outcome, waveId, details } of audits) {
    const why = details['reason'] ?? details['why'] ?? '';
    note(
      world,
      () =>
        `server: ${action} ${subject}${outcome === null ? '' : ` ${outcome}`}${waveId === null ? '' : ` (wave ${waveId})`}${typeof why === 'string' && why !== '' ? `: ${why}` : ''}`,
    );
  }
  for (const { text } of notices) note(world, () => `server tells: ${text}`);
};

const publish = (
  world: World,
  server: Server,
  records: readonly { host: string; record: ControlRecord }[],
): void => {
  for (const { host, record } of records) {
    const n = record.number[2];
    server.unpublished.set(host, n);
    const { lateMs = 0 } = world.machines.find(({ id }) => id === host)?.weather ?? {};
    const late = lateMs > 0 ? world.random.below(lateMs) : 0;
    inServer(world, server, world.random.between(1, 20) + late, () => {
      // A later one is on its way; the earlier is written before the later, or not at all.
      if ((server.unpublished.get(host) ?? n) > n || !leads(world, server)) return;
      if (!serverReaches(world, server)) return;
      putRecord(world, host, record);
      if (server.unpublished.get(host) !== n) return;
      server.unpublished.delete(host);
      if (world.store.outbox.size > 0) relay(world, server);
    });
  }
};

/** R3: each open row's job is in Redis, put in by this leader. Nobody asks here who leads. */
const relay = (world: World, server: Server): void => {
  if (!serverReaches(world, server)) return;
  const now = world.time.now();
  holdQueues(world, server);
  for (const jobId of server.seen.keys())
    if (!world.store.outbox.has(jobId)) server.seen.delete(jobId);
  for (const send of world.store.outbox.values()) {
    const machine = world.machines.find(({ id }) => id === send.host);
    if (machine === undefined || server.unpublished.has(send.host)) continue;
    const host = server.fleet.hosts.get(send.host) ?? { generation: 0 };
    const leader: Leader = [world.core.generationOf(server.fleet, host), server.epoch];
    const there = world.redis.jobs.get(send.host)?.get(send.jobId);
    const last = server.seen.get(send.jobId);
    const isMine = last?.leader[0] === leader[0] && last.leader[1] === leader[1];
    const isOver = there?.state === 'over' && isMine && now - last.at >= putAgainMs;
    if (there !== undefined && isMine && !isOver) continue;
    if (there !== undefined) count(world, 'a job was put in again');
    server.seen.set(send.jobId, { at: now, leader });
    putJob(world, machine, send, leader);
  }
};

/** R31: the flag of the queue itself follows the rows in SQL. */
const holdQueues = ({ redis, machines }: World, { fleet }: Server): void => {
  const held = new Set<string>();
  for (const { level } of fleet.pauses.values())
    if (level.level === 'queue') held.add(level.hostId);
  if (held.size === 0 && redis.held.size === 0) return;
  const freed = machines.filter(({ id }) => redis.held.has(id) && !held.has(id));
  redis.held = held;
  for (const { id } of freed)
    for (const put of redis.jobs.get(id)?.values() ?? [])
      // They are put in anew by the next pass: the same as the queue's handing them over.
      if (put.state === 'waiting') redis.jobs.get(id)?.delete(put.send.jobId);
};

/** Reports wait in Redis until somebody leads who can be reached. */
export const submitReports = (world: World): void => {
  const server = leaderNow(world);
  if (server === null || !serverReaches(world, server)) return;
  const { redis } = world;
  for (
    let message = redis.reports.shift();
    message !== undefined;
    message = redis.reports.shift()
  ) {
    submit(world, server, { kind: 'report', message });
    if (!server.alive) return;
  }
};

export const act = (world: World, actor: string, action: OperatorAction): Answer | null => {
  const server = leaderNow(world);
  return server === null
    ? null
    : (submit(world, server, { kind: 'operator', actor, action })?.answer ?? null);
};

const repeat = (world: World, server: Server, everyMs: number, run: () => void): void => {
  inServer(world, server, everyMs, () => {
    run();
    if (server.alive) repeat(world, server, everyMs, run);
  });
};

/** Somebody takes over, once the lease of whoever led has run out. */
export const lead = (world: World, afterMs: number): void => {
  const { time, store } = world;
  time.after(afterMs, () => {
    const isHeld = world.servers.some(({ epoch }) => epoch === store.epoch);
    if (isHeld && store.leaseUntil > time.now()) return;
    store.epoch = Math.max(store.epoch + 1, Math.floor(time.now() / 1_000));
    store.leaseUntil = time.now() + leaseMs;
    const timeBase = store.reservedUntil;
    store.reservedUntil = timeBase + reserveMs;
    const server: Server = {
      epoch: store.epoch,
      fleet: load(world.core, store, configured(world.core, world.schedule.plan)),
      ...{ alive: true, frozenUntil: 0, standstillMs: 0, bornAt: time.now(), timeBase },
      ...{ timeLimit: store.reservedUntil, highest: 0, renewedAt: 0, cut: 0, dies: null },
      unpublished: new Map(),
      seen: new Map(),
    };
    world.servers.unshift(server);
    note(world, () => `a server leads, with epoch ${server.epoch}`);
    repeat(world, server, every.renewMs, () => {
      renew(world, server);
    });
    repeat(world, server, every.tickMs, () => submit(world, server, { kind: 'tick' }));
    repeat(world, server, every.relayMs, () => {
      relay(world, server);
      submitReports(world);
    });
    repeat(world, server, every.lostRecordsMs, () => {
      wantLostRecords(world, server);
    });
    submit(world, server, { kind: 'tick' });
    submitReports(world);
  });
};

const renew = (world: World, server: Server): void => {
  const { store } = world;
  if (server.epoch !== store.epoch) return retire(world, server);
  store.leaseUntil = world.time.now() + leaseMs;
  server.renewedAt = monoOf(world, server);
  store.reservedUntil = server.timeBase + server.renewedAt + reserveMs;
  server.timeLimit = store.reservedUntil;
};

const wantLostRecords = (world: World, server: Server): void => {
  if (!serverReaches(world, server)) return;
  for (const { id } of world.machines) {
    if (!server.fleet.hosts.has(id) || !server.alive) continue;
    if (server.unpublished.has(id) || !world.redis.records.has(id))
      submit(world, server, { kind: 'record-wanted', host: id });
  }
};
