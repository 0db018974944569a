import type { AgentGrant } from '../../src/core/agent/journal.ts';
import type { PauseLevel } from '../../src/core/messages.ts';
import type { Core } from './core.ts';
import {
  answersFor,
  changes,
  endTransaction,
  feed,
  gateBefore,
  gateOf,
  grantOf,
  viewOf,
} from './agent-side.ts';
import { boxIndex, Violation } from './world.ts';
import type { Box, Machine, World } from './world.ts';

/** How an effect may turn out, and whether the agent dies right after it, before it can journal. */
export type Turnout = 'well' | 'badly' | 'sick' | 'broken' | 'unseen';

const drop = (machine: Machine, todo: string): void => {
  machine.todo = machine.todo.filter((other) => other !== todo);
};

/** Its watch notices a transaction long before anything is looked into again. */
export const isUnnoticed = ({ alive, todo }: Machine): boolean =>
  alive && todo.includes('notice-transaction -');

/** Whether a thing that is under way can come to its end now. */
export const canEnd = (machine: Machine, todo: string): boolean => {
  const [kind = '', id = ''] = todo.split(' ');
  // One that is asked in vain is asked again: what counts is that somebody mends the host.
  if (kind === 'ask-gate') return !machine.broken;
  if (kind === 'tell-transaction') return !isUnnoticed(machine);
  const grant = grantOf(machine, id);
  if (grant === undefined) return true;
  const index = boxIndex(grant.order.container);
  const box = machine.boxes[index] as Box;
  if (kind === 'await-stop') return !machine.stops.includes(index);
  if (kind === 'watch-long') return !box.up || !box.sick;
  return true;
};

/** Our stop was ended before it had done its work. */
const notStopped = (box: Box): void => {
  if (box.up) box.away = box.sick;
};

const stopBegins = (world: World, machine: Machine, index: number, grantId: string): void => {
  if (!machine.intents.includes(grantId))
    throw new Violation('I4', `the stop of ${grantId} begins without a durable intent`);
  (machine.boxes[index] as Box).away = true;
  machine.stops.push(index);
  const away = world.machines.flatMap(({ boxes }) => boxes.filter((box) => box.away)).length;
  const budget = world.fleet.services.get('web')?.budget;
  const limit = budget !== undefined && 'maxUnavailable' in budget ? budget.maxUnavailable : 0;
  if (away > Number(limit))
    throw new Violation('I1', `${away} containers are away by our doing, ${limit} may be`);
  const here = machine.boxes.filter((box) => box.away).length;
  if (here > world.fleet.settings.hostCap)
    throw new Violation('I6', `${here} containers of ${machine.id} are away, above its cap`);
};

/** Whether a pause is about a restart on a machine; in the model there is one service, which need not be named. */
export const concerns = (
  level: PauseLevel,
  machine: string,
  waveId: string,
  services: readonly string[] | null = null,
): boolean => {
  if ('hostId' in level) return level.hostId === machine;
  if (level.level === 'service') return services?.includes(level.service) ?? true;
  return level.level === 'wave' ? level.waveId === waveId : true;
};

/** What must hold at the last check before a stop, read off the bare facts (R13, R20, R21). */
const permitted = (
  world: World,
  { id, agent, heard }: Machine,
  { order, waveId }: AgentGrant,
): void => {
  const { record } = agent;
  const name = order.container;
  if (record === null || heard < 2 || world.now - record.seenAt > 15_000)
    throw new Violation('R13', `the stop of ${name} rests on a record that does not count`);
  const { voids, freezes, pauses, serverTime } = record.value;
  if (voids.includes(order.grantId))
    throw new Violation('R20', `the stop of ${name} begins, and its grant is void`);
  if (serverTime + world.now - record.seenAt >= order.beginBefore)
    throw new Violation('R21', `the stop of ${name} begins after its begin-before`);
  const paused =
    order.expect.kind !== 'retry' && pauses.some((level) => concerns(level, id, waveId));
  if (freezes.length > 0 || paused)
    throw new Violation('R21', `the stop of ${name} in ${waveId} begins while all is held`);
};

/** Do one thing that an agent has under way, and tell the agent how it went. */
export const carryOut = (
  core: Core,
  world: World,
  machine: Machine,
  todo: string,
  turnout: Turnout,
): void => {
  drop(machine, todo);
  const [kind = '', id = ''] = todo.split(' ');
  const tell: typeof feed = (...args) => {
    if (turnout !== 'unseen') feed(...args);
  };
  if (kind === 'tell-transaction') {
    machine.untold = false;
    const containers = machine.boxes.map((_, index) => viewOf(machine, index));
    return feed(core, world, machine, {
      kind: 'transaction',
      phase: 'over',
      upgraded: {
        changes,
        origin: { by: 'outside' },
        containers: containers.filter(({ stale }) => stale.length > 0),
        gate: gateOf(machine),
      },
    });
  }
  if (kind === 'notice-transaction') {
    feed(core, world, machine, { kind: 'transaction', phase: 'open' });
    return feed(core, world, machine, { kind: 'gate-before', before: gateBefore });
  }
  if (kind === 'ask-gate')
    return feed(core, world, machine, { kind: 'gate', gate: gateOf(machine) });
  if (kind === 'end-stray-stops') {
    for (const at of machine.stops) notStopped(machine.boxes[at] as Box);
    machine.stops = [];
    const states = new Map(
      machine.boxes.map((_, index) => {
        const view = viewOf(machine, index);
        return [view.name, view.state] as const;
      }),
    );
    return tell(core, world, machine, { kind: 'stray-stops-ended', states });
  }
  if (kind === 'run-upgrade') {
    const flying = [...machine.agent.journal.grants.values()].find(
      ({ end, failed, step }) => end === null && !failed && step !== 'journaled',
    );
    if (flying !== undefined)
      throw new Violation('R29', `an upgrade begins while ${flying.order.container} is restarted`);
    feed(core, world, machine, { kind: 'gate-before', before: gateBefore });
    machine.dpkg = 'ours';
    machine.todo.push(`await-upgrade ${id}`);
    return;
  }
  if (kind === 'await-upgrade') {
    if (machine.dpkg !== 'ours')
      return feed(core, world, machine, { kind: 'upgrade-not-begun', jobId: id });
    const ran = turnout !== 'badly';
    if (ran) endTransaction(machine);
    else machine.dpkg = 'rest';
    if (turnout === 'broken') machine.broken = true;
    drop(machine, 'tell-transaction -');
    machine.untold = false;
    const containers = machine.boxes.map((_, index) => viewOf(machine, index));
    return feed(core, world, machine, {
      kind: 'upgrade-over',
      jobId: id,
      finished: {
        ok: ran,
        reason: '',
        remedy: '',
        changes: ran ? changes : [],
        transcript: '',
        gate: gateOf(machine),
      },
      containers: containers.filter(({ stale }) => stale.length > 0),
    });
  }
  const grant = grantOf(machine, id);
  if (grant === undefined) return;
  const index = boxIndex(grant.order.container);
  const box = machine.boxes[index] as Box;
  const state = () => (box.up ? ('running' as const) : ('stopped' as const));
  const { instance } = answersFor(machine, index);
  switch (kind) {
    case 'check': {
      const before = machine.drains ? 'drained' : 'journaled';
      const last = grant.step === before && grant.ending === null;
      feed(core, world, machine, {
        kind: 'checked',
        grantId: id,
        answers: answersFor(machine, index),
      });
      if (!machine.todo.includes(`stop ${id}`)) return;
      if (machine.dpkg !== 'rest')
        throw new Violation('I7', `the stop of ${grant.order.container} is let in by dpkg's work`);
      if (machine.broken && !machine.untold && !grant.order.byHand && last)
        throw new Violation('R29', `${grant.order.container} is stopped on a host that is broken`);
      if (last) permitted(world, machine, grant);
      if (last && !grant.order.byHand && box.up && box.version === machine.lower)
        throw new Violation('I3', `${grant.order.container} runs the present code already`);
      return;
    }
    case 'drain': {
      const found = box.serves ? 'ready' : 'maint';
      box.serves = false;
      const ok = turnout !== 'badly';
      return tell(core, world, machine, { kind: 'drained', grantId: id, ok, found, reason: '' });
    }
    case 'stop':
      if (box.up) {
        stopBegins(world, machine, index, id);
        machine.todo.push(`await-stop ${id}`);
        return;
      }
      return feed(core, world, machine, {
        kind: 'stop-over',
        grantId: id,
        state: state(),
        instance,
      });
    case 'await-stray-stop':
      machine.stops = machine.stops.filter((other) => other !== index);
      return tell(core, world, machine, {
        kind: 'stop-over',
        grantId: id,
        state: state(),
        instance,
      });
    case 'await-stop':
      return feed(core, world, machine, {
        kind: 'stop-over',
        grantId: id,
        state: state(),
        instance,
      });
    case 'start':
      if (turnout !== 'badly' && !box.up) {
        if (box.downBy === 'owner')
          throw new Violation('L2', `${grant.order.container} is started, its owner stopped it`);
        Object.assign(box, { up: true, version: machine.lower, downBy: null, owed: false });
        box.instance += 1;
        box.sick = turnout === 'sick';
        box.away = box.sick;
      }
      return tell(core, world, machine, {
        kind: 'start-over',
        grantId: id,
        state: state(),
        instance: answersFor(machine, index).instance,
        reason: '',
      });
    case 'watch-health':
    case 'watch-long': {
      const result = !box.up ? 'down' : box.sick ? 'deadline' : 'healthy';
      return feed(core, world, machine, { kind: 'health', grantId: id, result, reason: '' });
    }
    case 'undrain': {
      const ok = !world.drainBroken;
      if (ok && grant.found !== 'maint') box.serves = true;
      return tell(core, world, machine, { kind: 'undrained', grantId: id, ok, reason: '' });
    }
    case 'verify':
      return feed(core, world, machine, {
        kind: 'verified',
        grantId: id,
        transactions: machine.agent.journal.transactions,
        atRest: machine.dpkg === 'rest',
        verification: box.version === machine.lower ? 'verified' : 'stale',
        container: viewOf(machine, index),
      });
    default:
      throw new Error(`nobody carries out ${kind}`);
  }
};
