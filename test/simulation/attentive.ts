import type { OperatorAction } from '../../src/core/coordinator/operator-action.ts';
import type { Container, Fleet } from '../../src/core/coordinator/fleet.ts';
import { askFor } from './acts-of-people.ts';
import { powerOn } from './acts-on-machines.ts';
import { judgeHelp } from './judge-agent.ts';
import { changed, comesUp } from './look.ts';
import { leaderNow } from './server.ts';
import { note } from './world.ts';
import type { World } from './world.ts';

/** How often somebody looks after the fleet when nothing goes wrong any more. */
const everyMs = 15_000;

/** All that was broken is mended, and what was off is on. */
export const mend = (world: World): void => {
  note(world, () => '* from here on nothing goes wrong any more');
  world.quiet = true;
  world.redis.up = true;
  for (const machine of world.machines) {
    Object.assign(machine.weather, { cut: 0, jobsLost: 0, reportsLost: 0, recordsLost: 0 });
    Object.assign(machine.weather, { doubled: 0, lateMs: 0, reordered: 0 });
    Object.assign(machine, { broken: false, drainFails: 0, undrainFails: 0 });
    Object.assign(machine, { upgradeFails: 0, diskFull: 0 });
    Object.assign(machine, { fenced: false, dies: null });
    machine.traps.clear();
    machine.frozenUntil = Math.min(machine.frozenUntil, world.time.now());
    for (const box of machine.boxes) {
      Object.assign(box, { badStarts: 0, sickStarts: 0, slowness: 1 });
      if (!box.sick) continue;
      box.sick = false;
      changed(world, box);
    }
    powerOn(world, machine);
  }
  for (const server of world.servers) {
    Object.assign(server, { cut: 0, dies: null });
    server.frozenUntil = Math.min(server.frozenUntil, world.time.now());
  }
};

/** What never begins without a person's word, since a budget is 0: it says so, with wave and service (R17). */
const outages = (world: World, fleet: Fleet): OperatorAction[] => {
  const moment = { now: leaderNow(world)?.highest ?? 0, wall: { ms: 0, minuteOfDay: 0 } };
  const reasons: string[] = [];
  for (const { state, members, upgrades } of fleet.waves.values()) {
    if (state !== 'open') continue;
    for (const [container, member] of members)
      if (member.state === 'pending')
        reasons.push(world.core.explainContainer(fleet, container, moment)?.answer ?? '');
    for (const upgrade of upgrades.values()) reasons.push(upgrade.reason);
  }
  const named = reasons.flatMap((reason) => /allow-outage (\S+) (\S+)/.exec(reason)?.[0] ?? []);
  return [...new Set(named)].map((command): OperatorAction => {
    const [, waveId = '', service = ''] = command.split(' ');
    return { action: 'allow-outage', waveId, service };
  });
};

/** A container that is down, and is nobody's to start by itself: started by who sees it, or parked. */
const bringUp = (world: World, { id, view, parked }: Container, fleet: Fleet): void => {
  const box = world.boxes.get(id);
  if (box === undefined || parked || view.state !== 'stopped') return;
  if ([...fleet.grants.values()].some(({ container }) => container === id)) return;
  if (view.ownerStopped && world.random.chance(50)) {
    askFor(world, { action: 'park', container: id });
    return;
  }
  if (box.up || !box.machine.on) return;
  note(world, () => `* somebody starts ${id}`);
  judgeHelp(box);
  comesUp(world, box);
};

/** One look of somebody who does what `status`, `why` and the alerts say (L4). */
const attend = (world: World): void => {
  const fleet = leaderNow(world)?.fleet;
  if (fleet === undefined) return;
  const actions: OperatorAction[] = [];
  for (const { level } of fleet.pauses.values()) actions.push({ action: 'resume', level });
  for (const id of fleet.freezes.keys()) actions.push({ action: 'unfreeze', id });
  for (const { id, state } of fleet.hosts.values())
    if (state === 'excluded')
      actions.push({ action: 'host-add', hostId: id, zone: null, cap: null });
  for (const { id, state, pausedBy, approvedBy, upgrades, members } of fleet.waves.values()) {
    if (state !== 'open') continue;
    if (approvedBy === null) actions.push({ action: 'approve', waveId: id });
    const failed =
      [...upgrades.values()].some((upgrade) => upgrade.state === 'failed') ||
      [...members.values()].some((one) => one.state === 'stale' || one.state === 'unknown');
    if (failed) actions.push({ action: 'retry', scope: { of: 'wave', waveId: id } });
    if (pausedBy !== null) actions.push({ action: 'resume', level: { level: 'wave', waveId: id } });
  }
  actions.push(...outages(world, fleet));
  for (const action of actions) {
    const done = askFor(world, action);
    if (done !== null) note(world, () => `* somebody asks for ${action.action}: ${done}`);
  }
  for (const container of [...fleet.containers.values()]) bringUp(world, container, fleet);
};

export const attendFromNowOn = (world: World): void => {
  world.time.after(everyMs, () => {
    attend(world);
    attendFromNowOn(world);
  });
};
