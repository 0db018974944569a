import { begin } from './agent.ts';
import { upgradeByOthers } from './packages.ts';
import { disruptivePackage } from './first-fleet.ts';
import { askFor } from './acts-of-people.ts';
import { randomOf } from './random.ts';
import type { Schedule } from './schedule.ts';
import { lead, act as ask } from './server.ts';
import type { SimCore } from './sim-core.ts';
import { emptyStore } from './store.ts';
import { createTimeline } from './timeline.ts';
import type { Box, Machine, World } from './world.ts';

/** Virtual ms after which a fleet that has just been enrolled has been heard and is at rest. */
export const settledMs = 12_000;

const newBox = (machine: Machine, name: string, service: string, drains: boolean): Box => ({
  ...{ id: `${machine.id}/${name}`, name, service, machine, drains },
  ...{ up: true, version: 0, instance: 0, serves: true, maintained: false, sick: false },
  ...{ wellSince: 0, downBy: null, killed: null, awayFor: null },
  ...{ waived: false, ours: false },
  ...{ badStarts: 0, sickStarts: 0, slowness: 1, leftAt: -1, stopping: false, left: false },
  autostart: machine.random.chance(85),
});

const newMachine = (core: SimCore, { seed, plan }: Schedule, at: number): Machine => {
  const id = `h${at + 1}`;
  const { ratePpm, wallMinutes } = plan.hosts[at] ?? { ratePpm: 0, wallMinutes: 0 };
  const machine: Machine = {
    ...{ id, at, random: randomOf(seed, id), boxes: [], on: false, fenced: false, boot: 0 },
    weather: {
      ...{ cut: 0, jobsLost: 0, reportsLost: 0, recordsLost: 0 },
      ...{ doubled: 0, lateMs: 0, reordered: 0 },
    },
    ...{ alive: false, frozenUntil: 0, life: 0, bornAt: 0, lives: 1, durableRecord: null },
    ...{ synced: null, powerFails: null },
    agent: core.bootAgent(core.emptyJournal(`${id}-life1`, true)),
    ...{
      rises: 0,
      roseAt: 0,
      read: null,
      dies: null,
      intents: new Set(),
      orphans: new Set(),
      clocks: new Map(),
    },
    traps: new Map(),
    ...{ sentSeq: 0, lowest: 0, progressAt: 0, againMs: 2_000, sendAsked: false },
    ...{ resendAsked: false, heardLeader: null, arrivesAt: 0, sentOf: '' },
    ...{ changed: new Set(), wholeWanted: true, beatWanted: false, lookAt: Infinity },
    ...{ toldAt: 0, wholeAt: 0, readAsked: false, tickAsked: false },
    ...{ lower: 0, dpkg: 'rest', restSince: -60_000, untold: [], ran: new Map(), upgrading: null },
    ...{ watchOpen: false, broken: false, drainFails: 0, undrainFails: 0 },
    ...{
      upgradeFails: 0,
      diskFull: 0,
      wallOffsetMs: wallMinutes * 60_000,
      rate: 1 + ratePpm / 1_000_000,
    },
  };
  plan.services.forEach(({ boxes, drains }, index) => {
    for (let n = 1; n <= (boxes[at] ?? 0); n++)
      machine.boxes.push(newBox(machine, `s${index + 1}-${n}`, `s${index + 1}`, drains));
  });
  for (let n = 1; n <= plan.unclaimed; n++)
    machine.boxes.push(newBox(machine, `u-${n}`, `${id}/unassigned`, false));
  return machine;
};

const enrol = (world: World): void => {
  world.machines.forEach(({ id }, at) => {
    const { zone = 0, cap = null } = world.schedule.plan.hosts[at] ?? {};
    ask(world, 'op', { action: 'host-add', hostId: id, zone: `z${zone}`, cap });
  });
};

const upgradeAll = (world: World, name: string): void => {
  for (const machine of world.machines)
    world.time.after(machine.random.below(8_000), () => {
      upgradeByOthers(world, machine, { name, to: '1', takesMs: 3_000 });
    });
};

/** What the first wave is about, and the one that comes into its midst. */
const firstCauses = (world: World): void => {
  const { machines, schedule } = world;
  const { second } = schedule.plan;
  if (second !== null) world.time.after(second * 1_000, () => upgradeAll(world, 'lib1'));
  if (schedule.plan.first === 'others') return upgradeAll(world, 'lib0');
  const name = schedule.plan.first === 'ours' ? 'lib0' : disruptivePackage;
  askFor(world, {
    ...{ action: 'upgrade', hosts: machines.map(({ id }) => id), mode: 'packages' },
    packages: [{ name, want: 'exact', version: '1' }],
    allowRemove: false,
  });
};

/** A fleet that is enrolled, heard and at rest, and the first package transaction of what follows. */
export const firstWorld = (core: SimCore, schedule: Schedule, traced: boolean): World => {
  const world: World = {
    ...{ core, schedule, time: createTimeline(), random: randomOf(schedule.seed, 'server') },
    store: emptyStore(),
    redis: {
      ...{
        up: true,
        records: new Map(),
        jobs: new Map(),
        reports: [],
        held: new Set(),
        lately: [],
      },
    },
    machines: schedule.plan.hosts.map((_, at) => newMachine(core, schedule, at)),
    ...{ boxes: new Map(), services: new Map(), servers: [], given: new Map(), shown: new Map() },
    ...{ ended: new Set(), serverWallOffsetMs: 0 },
    ...{ quiet: false, retriers: 0, lastId: 0, trace: traced ? [] : null },
    counts: { steps: 0, faults: {}, stops: 0, grants: 0, waves: 0 },
  };
  const all = world.machines.flatMap(({ boxes }) => boxes);
  for (const box of all) {
    world.boxes.set(box.id, box);
    world.services.set(box.service, [...(world.services.get(box.service) ?? []), box]);
  }
  const maintained = all[schedule.plan.maintained];
  if (maintained?.drains === true) Object.assign(maintained, { serves: false, maintained: true });
  lead(world, 0);
  world.time.after(10, () => {
    enrol(world);
    for (const machine of world.machines) {
      machine.on = true;
      begin(world, machine);
    }
  });
  world.time.after(settledMs, () => {
    firstCauses(world);
  });
  return world;
};
