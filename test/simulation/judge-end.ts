import { anythingOpen } from './agent.ts';
import { isStale } from './look.ts';
import { leaderNow } from './server.ts';
import type { Box, Machine, World } from './world.ts';

const atRest = ({ on, alive, agent, dpkg, untold, boxes }: Machine): boolean =>
  on &&
  alive &&
  dpkg === 'rest' &&
  untold.length === 0 &&
  agent.journal.reports.size === 0 &&
  !anythingOpen(agent.journal) &&
  boxes.every(({ stopping }) => !stopping);

/** Whether nothing is left to be done, as far as anybody knows. */
const isOver = (world: World): boolean => {
  const fleet = leaderNow(world)?.fleet;
  if (fleet === undefined || fleet.grants.size > 0) return false;
  for (const { state } of fleet.waves.values())
    if (state === 'open' || state === 'stopping') return false;
  return world.machines.every(atRest);
};

interface Amiss {
  rule: string;
  message: string;
}

const amissOf = (world: World, box: Box): Amiss | null => {
  const { id, up, serves, maintained, downBy, machine } = box;
  const container = leaderNow(world)?.fleet.containers.get(id);
  const parked = container?.parked === true;
  if (!up && downBy === 'us' && !parked)
    return { rule: 'L2', message: `${id} was stopped by us and stays down` };
  if (!up && !parked) return { rule: 'L1', message: `${id} is down, and nobody is told` };
  if (up && !serves && !maintained)
    return { rule: 'L3', message: `the drain of ${id} is not undone` };
  // A drain whose finding was lost with its journal is undone to serving (R15).
  if (serves && maintained && machine.lives === 1)
    return { rule: 'R28', message: `${id} was in an operator's maintenance and serves` };
  if (isStale(box) && box.leftAt !== machine.lower)
    return { rule: 'L1', message: `${id} still runs old code` };
  return null;
};

/** What is not as it should be in the end; null: all is well. */
export const amiss = (world: World): Amiss | null => {
  for (const box of world.boxes.values()) {
    const found = amissOf(world, box);
    if (found !== null) return found;
  }
  for (const { id, intents, orphans } of world.machines) {
    // What a lost journal had begun, the next life of it ends, or the server by itself (R15, R33).
    const open = [...intents, ...[...orphans].filter((grantId) => !world.ended.has(grantId))];
    if (open.length > 0)
      return { rule: 'I4', message: `stops on ${id} have no outcome: ${open.join(', ')}` };
  }
  return null;
};

export const hasEnded = (world: World): boolean => isOver(world) && amiss(world) === null;

/** What waits, and why: by what an operator can ask for, and by how things are (L1). */
export const whatWaits = (world: World): string[] => {
  const { core, machines } = world;
  const server = leaderNow(world);
  if (server === null) return ['nobody leads'];
  const { fleet, highest: now } = server;
  const moment = { now, wall: { ms: 0, minuteOfDay: 0 } };
  const lines: string[] = [];
  for (const grant of fleet.grants.values())
    lines.push(
      `grant ${grant.id} of ${grant.container ?? `the upgrade of ${grant.host}`}: ${grant.step ?? 'granted'}${grant.failed ? `, failed: ${grant.failReason ?? ''}` : ''}; waits: ${core.grantWaits(fleet, grant, now) ?? 'nothing that it has told'}`,
    );
  for (const { id, state, pausedBy, members, upgrades } of fleet.waves.values()) {
    if (state !== 'open' && state !== 'stopping') continue;
    lines.push(`wave ${id} is ${state}${pausedBy === null ? '' : `, paused: ${pausedBy}`}`);
    for (const [host, upgrade] of upgrades)
      if (upgrade.state !== 'done')
        lines.push(`  upgrade of ${host}: ${upgrade.state}; ${upgrade.reason}`);
    for (const [container, member] of members)
      if (member.state === 'pending')
        lines.push(
          `  ${container}: ${core.explainContainer(fleet, container, moment)?.answer ?? 'unknown'}`,
        );
      else if (member.state === 'restarting' || member.state === 'failed')
        lines.push(`  ${container}: ${member.state}; ${member.reason}`);
  }
  for (const machine of machines) {
    if (atRest(machine)) continue;
    const { journal, waiting } = machine.agent;
    lines.push(
      `${machine.id}: ${machine.on ? '' : 'off, '}${machine.alive ? '' : 'no agent, '}dpkg ${machine.dpkg}, ${machine.untold.length} changes untold, ${journal.reports.size} reports not acknowledged${journal.settled ? '' : ', unsettled'}`,
    );
    for (const [id, { end, step, order }] of journal.grants)
      if (end === null)
        lines.push(`  ${id} of ${order.container}: ${step}; ${waiting.get(id) ?? 'under way'}`);
    for (const { jobId, step, order } of journal.upgrades.values())
      if (step !== 'ended')
        lines.push(`  upgrade ${jobId}: ${step}; ${waiting.get(order.grantId) ?? 'under way'}`);
  }
  return lines;
};
