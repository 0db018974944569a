import type { AgentGrant } from '../../src/core/agent/journal.ts';
import { reached } from '../../src/core/messages.ts';
import type { Step } from '../../src/core/messages.ts';
import { concerns } from '../model/effects.ts';
import { Violation } from '../model/world.ts';
import { isStale, settle } from './look.ts';
import { monoOf } from './world.ts';
import type { Box, Machine, World } from './world.ts';

const recordLifeMs = 15_000;

const isAway = (world: World, box: Box): boolean => {
  settle(world, box);
  return box.awayFor !== null && !box.waived;
};

/** What was in force when the latest grant of those that are away was given. */
const latest = (world: World, boxes: readonly Box[]) =>
  boxes
    .flatMap(({ awayFor }) => world.given.get(awayFor ?? '') ?? [])
    .reduce((one, other) => (other.order > one.order ? other : one));

/** I1, I6: containers that we stopped and that are not back, counted in the world itself. */
const judgeAway = (world: World, box: Box, grantId: string): void => {
  const facts = world.given.get(grantId);
  if (facts === undefined) throw new Violation('R19', `${box.id} is stopped for no known grant`);
  const before = box.awayFor;
  box.awayFor = grantId;
  const inService = (world.services.get(box.service) ?? []).filter((one) =>
    isAwayWith(world, one, box),
  );
  const counted = inService.filter(
    ({ awayFor }) => world.given.get(awayFor ?? '')?.exempt !== true,
  );
  if (!facts.exempt && counted.length > latest(world, counted).limit)
    throw new Violation(
      'I1',
      `${counted.map(({ id }) => id).join(', ')} of ${box.service} are away by our doing, ${latest(world, counted).limit} may be`,
    );
  const all = [...world.boxes.values()].filter((one) => isAwayWith(world, one, box));
  const { zoneCap, fleetCap } = facts;
  const zoneOf = ({ machine }: Box) => world.schedule.plan.hosts[machine.at]?.zone;
  const here = all.filter(({ machine }) => machine === box.machine);
  const inZone = all.filter((one) => zoneOf(one) === zoneOf(box));
  const named = (boxes: readonly Box[]): string => boxes.map(({ id }) => id).join(', ');
  if (here.length > latest(world, here).hostCap)
    throw new Violation('I6', `${named(here)} are away, above the cap of their host`);
  if (zoneCap !== null && inZone.length > zoneCap)
    throw new Violation('I6', `${named(inZone)} are away, above the cap of their zone`);
  if (fleetCap !== null && all.length > fleetCap)
    throw new Violation('I6', `${named(all)} are away, above the cap of the fleet`);
  box.awayFor = before;
};

const isAwayWith = (world: World, one: Box, added: Box): boolean =>
  one === added || isAway(world, one);

/** R31: what was shown as paused, and was not resumed since, begins nothing (I5); retries pass (R26). */
const judgePauses = (world: World, box: Box, { order, waveId }: AgentGrant): void => {
  if (order.expect.kind === 'retry') return;
  for (const level of world.shown.values())
    if (concerns(level, box.machine.id, waveId, [order.service, box.service]))
      throw new Violation('I5', `the stop of ${box.id} begins after \`paused\` is shown`);
};

/** A stop command is about to begin. */
export const judgeStop = (world: World, box: Box, grant: AgentGrant): void => {
  const { grantId } = grant.order;
  if (!box.machine.intents.has(grantId))
    throw new Violation('I4', `the stop of ${box.id} begins without a durable intent`);
  judgeAway(world, box, grantId);
  judgePauses(world, box, grant);
};

/** What must hold in the moment of the last check before a stop, by how things really are. */
export const judgeCheck = (world: World, box: Box, grant: AgentGrant, before: Step): void => {
  const { machine } = box;
  const { order, waveId } = grant;
  const { read } = machine;
  if (machine.dpkg !== 'rest')
    throw new Violation('I7', `the stop of ${box.id} begins while packages change`);
  const mono = monoOf(world, machine);
  if (read === null || machine.rises === 0 || mono - machine.roseAt > recordLifeMs)
    throw new Violation('R13', `the stop of ${box.id} rests on a record that does not count`);
  const pauses = order.expect.kind === 'retry' ? [] : read.pauses;
  if (read.freezes.length > 0)
    throw new Violation('R21', `the stop of ${box.id} begins in a freeze`);
  // R24: one that goes on after a crash passes over the rest.
  if (before === 'stopping') return;
  if (read.voids.includes(order.grantId))
    throw new Violation('R20', `the stop of ${box.id} begins, and its grant is void`);
  if (read.serverTime + mono - machine.roseAt >= order.beginBefore && machine.rises > 0)
    throw new Violation('R21', `the stop of ${box.id} begins after its begin-before`);
  if (pauses.some((level) => concerns(level, machine.id, waveId, [order.service])))
    throw new Violation('R21', `the stop of ${box.id} begins under a pause`);
  if (!order.byHand && box.up && !isStale(box))
    throw new Violation('I3', `${box.id} runs the present code already`);
  if (machine.broken && machine.untold.length === 0 && machine.lives === 1 && !order.byHand)
    throw new Violation('R29', `${box.id} is stopped on a host that is broken`);
};

/** R25: what its owner stopped is its owner's to start (L2). */
export const judgeStart = (box: Box): void => {
  if (box.downBy === 'owner')
    throw new Violation('L2', `${box.id} is started, its owner stopped it`);
};

/** R29: between draining and undrained of a restart no upgrade of ours begins. */
export const judgeUpgrade = (machine: Machine): void => {
  for (const { end, failed, step, order } of machine.agent.journal.grants.values())
    if (end === null && !failed && step !== 'journaled')
      throw new Violation('R29', `an upgrade begins while ${order.container} is restarted`);
};

/** R15: what the lost life of a journal is known to have stopped is ours to start, and no question to a person. */
export const judgeAlert = ({ read }: Machine, message: string): void => {
  const suspect = read?.suspects.find(({ container }) =>
    message.startsWith(`${container} is down`),
  );
  if (suspect !== undefined && reached(suspect.step, 'stopping'))
    throw new Violation(
      'R15',
      `a person is asked about ${suspect.container}, which is ours to start`,
    );
};

/** A person starts what is down: not what an agent had stopped, unless it lost its journal or was told to leave it (L2). */
export const judgeHelp = ({ id, downBy, left, machine }: Box): void => {
  if (downBy === 'us' && machine.lives === 1 && !left)
    throw new Violation('L2', `${id} was stopped by us and stays down`);
};
