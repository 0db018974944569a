import { machineActs } from './acts-on-machines.ts';
import { containerActs } from './acts-on-containers.ts';
import { networkActs } from './acts-on-network.ts';
import { peopleActs } from './acts-of-people.ts';
import type { Doing } from './doing.ts';
import { isStale } from './look.ts';
import type { Act, Kind } from './schedule.ts';
import { count, note } from './world.ts';
import type { Machine, World } from './world.ts';

const doings: Record<Kind, Doing> = {
  ...networkActs,
  ...machineActs,
  ...containerActs,
  ...peopleActs,
};

/** Carry out one act of a schedule. */
export const carryOut = (world: World, act: Act): void => {
  const machine = world.machines[act.host % world.machines.length] as Machine;
  // What is being restarted, or waits for it, is where most can go wrong.
  const inPlay = machine.boxes.filter((one) => isStale(one) || one.awayFor !== null || !one.up);
  const among = inPlay.length > 0 && act.n % 5 !== 0 ? inPlay : machine.boxes;
  const box = among[act.box % Math.max(1, among.length)] ?? null;
  const done = doings[act.kind](world, { act, machine, box });
  if (done === null) return;
  count(world, act.kind);
  note(world, () => `* ${act.kind}: ${done}`);
};
