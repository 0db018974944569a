import type { OperatorAction } from '../../src/core/coordinator/operator-action.ts';
import { boot, bootOver, changesOf, feed, gateOf, observe, viewOf } from './agent-side.ts';
import type { Core } from './core.ts';
import { serve } from './server-side.ts';
import { base, clone } from './world.ts';
import type { Machine, Scenario, World } from './world.ts';

/** Let all reports arrive and each record be read, until nothing is on its way. */
const settle = (core: Core, world: World): void => {
  for (const machine of world.machines) {
    const host = world.fleet.hosts.get(machine.id);
    const { journal } = machine.agent;
    for (const [seq, report] of [...journal.reports])
      if (seq > (host?.ackedSeq ?? 0) || host?.incarnation !== journal.incarnation)
        serve(core, world, {
          kind: 'report',
          message: {
            host: machine.id,
            incarnation: journal.incarnation,
            seq,
            acked: core.ackedOf(journal),
            echo: machine.agent.record?.value.number ?? [0, 0, 0],
            report,
          },
        });
    if (machine.register !== null)
      feed(core, world, machine, {
        kind: 'record',
        record: clone(machine.register),
        newIncarnation: 'never',
      });
  }
};

/** A fleet at rest, all of it known, right after a package transaction that made every container stale. */
export const firstWorld = (core: Core, scenario: Scenario): World => {
  const settings = {
    ...core.defaultFleetSettings,
    beginBeforeMs: scenario.beginBeforeMs ?? 20_000,
    deadlineMs: 30_000,
    staleLimitMs: 30_000,
    refusalBackoffMs: 5_000,
    hostCap: scenario.hostCap,
    maxFailures: scenario.maxFailures ?? 0,
    canaries: scenario.canaries ?? 1,
  };
  const fleet = core.emptyFleet(settings, 1, 1);
  fleet.services.set('web', {
    name: 'web',
    match: [{ container: '*' }],
    budget: { maxUnavailable: scenario.budget },
    mode: 'auto',
    restartBroken: false,
  });
  const machines = scenario.hosts.map(({ boxes, maintained }, at): Machine => ({
    id: `h${at + 1}`,
    alive: false,
    heard: 2,
    agent: bootOver(core, core.emptyJournal(`h${at + 1}-i`, true)),
    boxes: Array.from({ length: boxes }, (_, index) => ({
      up: true,
      version: 0,
      instance: 0,
      serves: index !== maintained,
      maintained: index === maintained,
      downBy: null,
      owed: false,
      away: false,
      sick: false,
      alerted: false,
    })),
    drains: scenario.drains ?? true,
    stops: [],
    lower: 0,
    dpkg: 'rest',
    broken: false,
    untold: false,
    seenTooEarly: false,
    todo: [],
    register: null,
    late: null,
    wandering: [],
    intents: [],
  }));
  const world: World = {
    now: base,
    fleet,
    machines,
    rows: new Map(),
    wire: new Map(),
    left: { ...scenario.faults },
    drainBroken: false,
    keepsPauses: scenario.keepsPauses ?? false,
    lastId: null,
    restored: false,
    decisions: 0,
    stored: null,
  };
  for (const machine of machines) {
    const action = { action: 'host-add', hostId: machine.id, zone: '', cap: null } as const;
    serve(core, world, { kind: 'operator', actor: 'op', action });
    boot(core, world, machine);
  }
  for (let round = 0; round < 3; round++) {
    settle(core, world);
    for (const machine of machines) if (round < 2) observe(core, world, machine);
  }
  if (scenario.ownUpgrade === true) {
    const action = {
      action: 'upgrade' as const,
      hosts: machines.map(({ id }) => id),
      mode: 'packages' as const,
      packages: [{ name: 'lib', want: 'newest', version: null }],
      allowRemove: false,
    } satisfies OperatorAction;
    serve(core, world, { kind: 'operator', actor: 'op', action });
    return world;
  }
  for (let wave = 1; wave <= (scenario.waves ?? 1); wave++)
    for (const machine of machines) {
      machine.lower = wave;
      feed(core, world, machine, {
        kind: 'transaction',
        phase: 'over',
        upgraded: {
          changes: changesOf(wave),
          origin: { by: 'outside' },
          containers: machine.boxes.map((_, index) => viewOf(machine, index)),
          gate: gateOf(machine),
        },
      });
    }
  return world;
};
