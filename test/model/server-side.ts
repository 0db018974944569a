import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { FleetEvent } from '../../src/core/coordinator/step.ts';
import type { ControlAudit, Send } from '../../src/core/coordinator/turn.ts';
import type { Core } from './core.ts';
import { encode, expand } from './encode.ts';
import { checkGiven } from './given.ts';
import { Violation } from './world.ts';
import { checkWritten, rowsOf } from './written.ts';
import type { Machine, World } from './world.ts';

const machineOf = (world: World, id: string): Machine => {
  const machine = world.machines.find((other) => other.id === id);
  if (machine === undefined) throw new Error(`no machine ${id}`);
  return machine;
};

/** Ids that nothing in the world names: the smallest ones, so that what is forgotten can be named again. */
const freshIds = (world: World): (() => string) => {
  const { lastId } = world;
  if (lastId !== null) return () => `n${(world.lastId = (world.lastId ?? lastId) + 1)}`;
  let used: Set<string> | null = null;
  return () => {
    used ??= new Set(
      [
        ...expand(encode([world.fleet, world.machines, world.rows, world.wire])).matchAll(
          /n\d+(?=")/g,
        ),
      ].map(([id]) => id),
    );
    for (let n = 1; ; n++)
      if (!used.has(`n${n}`)) {
        used.add(`n${n}`);
        return `n${n}`;
      }
  };
};

/** What a crash of the server leaves: committed rows, under a new epoch. */
export const load = (fleet: Fleet): void => {
  fleet.epoch += 1;
  const provers = [...fleet.hosts.values()].flatMap(({ id, knowsMore }) => (knowsMore ? [id] : []));
  Object.assign(fleet, { provers, raised: false, inDoubt: provers.length > 0 });
  for (const host of fleet.hosts.values()) {
    host.recordN = 0;
    host.issued = [];
    host.greeted = false;
  }
};

/** R32: what has paused a wave with a host gate is to be seen until that passes, or a person goes on without it. */
const checkEnded = (fleet: Fleet, paused: ReadonlySet<string>): void => {
  for (const { id, state, byHand, members } of fleet.waves.values()) {
    if (state !== 'finished' || byHand || !paused.has(id)) continue;
    const broken = [...fleet.hosts.values()].filter(({ gate }) => gate !== null);
    for (const host of broken)
      if ([...members.keys()].some((container) => container.startsWith(`${host.id}/`)))
        throw new Violation('R32', `wave ${id} has ended, and ${host.id} is broken`);
  }
};

/**
 * R30: each restart here brings the code that is there when it begins, and each transaction is told of: what is old after
 * a restart is so by a newer transaction, and nothing is found without a known one.
 */
const checkTransactions = (
  { fleet, left, machines }: World,
  event: FleetEvent,
  failures: ReadonlyMap<string, number>,
): void => {
  const done =
    event.kind === 'report' &&
    event.message.report.kind === 'restart-finished' &&
    event.message.report.outcome === 'done';
  const mayBeFound =
    left['journal lost'] !== undefined || machines.some(({ seenTooEarly }) => seenTooEarly);
  for (const { id, cause, failures: now } of fleet.waves.values()) {
    if (done && now > (failures.get(id) ?? 0))
      throw new Violation('R30', `wave ${id} counts a transaction in the middle as its failure`);
    if (cause.kind === 'found-stale' && !failures.has(id) && !mayBeFound)
      throw new Violation('R34', `wave ${id} finds stale what a known transaction has made so`);
  }
};

/** R32: what its own failures paused goes on by a word about that wave alone. */
const checkOperator = (fleet: Fleet, event: FleetEvent, paused: readonly string[]): void => {
  if (event.kind !== 'operator' || event.action.action !== 'resume') return;
  const { level } = event.action;
  for (const id of paused)
    if (
      fleet.waves.get(id)?.state === 'open' &&
      fleet.waves.get(id)?.pausedBy === null &&
      !(level.level === 'wave' && level.waveId === id)
    )
      throw new Violation('R32', `wave ${id} is resumed by a word about ${level.level}`);
};

/** R29: nothing is ordered of a host that is not heard. */
const checkOrders = (fleet: Fleet, now: number, audits: readonly ControlAudit[]): void => {
  for (const { action, subject } of audits) {
    const heardAt = fleet.hosts.get(subject)?.heardAt ?? null;
    const isHeard = heardAt !== null && now - heardAt <= fleet.settings.staleLimitMs;
    if (action === 'upgrade-ordered' && !isHeard)
      throw new Violation('R29', `an upgrade of ${subject} is ordered, and it is silent`);
  }
};

/** The relay at work (R3). */
export const putIn = (core: Core, { fleet, wire }: World, send: Send): void => {
  const host = fleet.hosts.get(send.host) ?? { generation: 0 };
  wire.set(send.jobId, { ...send, leader: [core.generationOf(fleet, host), fleet.epoch] });
};

export type ServerTurnout = 'well' | 'crash' | 'pause';

/**
 * One step of the coordinator, committed whole. `crash`: it dies between the commit and the writing of
 * records and jobs; `pause`: it stands still there, and may write its record when another leads already.
 */
export const serve = (
  core: Core,
  world: World,
  event: FleetEvent,
  turnout: ServerTurnout = 'well',
  watch?: (dirty: { table: string; key: string }[]) => void,
): void => {
  const { fleet } = world;
  const had = new Set(fleet.grants.keys());
  const open = [...fleet.waves.values()].filter(({ state }) => state === 'open');
  const pausedBefore = open.filter(({ pausedBy }) => pausedBy !== null).map(({ id }) => id);
  const failures = new Map([...fleet.waves.values()].map((wave) => [wave.id, wave.failures]));
  const before = world.stored ?? rowsOf(fleet);
  const commands = core.fleetStep(fleet, event, {
    now: world.now,
    wall: { ms: 0, minuteOfDay: 0 },
    newId: freshIds(world),
  });
  watch?.(commands.dirty);
  if (event.kind !== 'operator') {
    const paused = commands.audits.filter(({ action }) => action === 'wave-paused');
    checkEnded(fleet, new Set([...pausedBefore, ...paused.map(({ waveId }) => waveId ?? '')]));
  }
  checkWritten(before, fleet, commands.dirty);
  world.stored = null;
  checkTransactions(world, event, failures);
  checkOperator(fleet, event, pausedBefore);
  checkOrders(fleet, world.now, commands.audits);
  const given = [...fleet.grants.values()].filter(
    ({ id, kind, expect }) =>
      !had.has(id) && kind === 'restart' && expect?.kind !== 'retry' && expect !== null,
  );
  checkGiven(fleet, world.now, given);
  for (const send of commands.sends) world.rows.set(send.jobId, send);
  for (const jobId of commands.closes) world.rows.delete(jobId);
  if (turnout === 'well') {
    for (const { host, record } of commands.records) machineOf(world, host).register = record;
    for (const send of commands.sends) putIn(core, world, send);
    return;
  }
  if (turnout === 'pause')
    for (const { host, record } of commands.records) machineOf(world, host).late = record;
  load(fleet);
  serve(core, world, { kind: 'tick' });
};

/** The server dies while nothing is being written; `paused`: the old leader may renew its records once more. */
export const changeLeader = (core: Core, world: World, paused: boolean): void => {
  if (paused)
    for (const machine of world.machines)
      if (machine.register !== null) {
        const [generation, epoch, n] = machine.register.number;
        machine.late = {
          ...machine.register,
          number: [generation, epoch, n + 1],
          serverTime: world.now,
        };
      }
  load(world.fleet);
  serve(core, world, { kind: 'tick' });
};
