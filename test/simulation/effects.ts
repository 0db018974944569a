import type { AgentEffect } from '../../src/core/agent/agent.ts';
import type { AgentGrant } from '../../src/core/agent/journal.ts';
import { boxOf, feed } from './agent.ts';
import { judgeAlert, judgeCheck, judgeStart, judgeStop } from './judge-agent.ts';
import {
  changed,
  comesUp,
  heartbeat,
  instanceOf,
  isStale,
  observe,
  settingsHash,
  viewOf,
  wellMs,
} from './look.ts';
import { askGate, awaitRoom, runUpgrade } from './packages.ts';
import { hear } from './records.ts';
import { wakeSender } from './reports.ts';
import { count, inLife, monoOf, note, takes } from './world.ts';
import type { Box, Machine, World } from './world.ts';

const healthyDeadlineMs = 20_000;
const probeMs = 700;
/** A stop of a former process may take this long before it is ended. */
const strayMs = 30_000;

const stateOf = ({ up }: Box) => (up ? ('running' as const) : ('stopped' as const));

/** Begin one effect of a turn that is durable. Its outcome comes back as an event, unless the process dies. */
export const perform = (world: World, machine: Machine, effect: AgentEffect): void => {
  switch (effect.kind) {
    case 'send-reports':
      return wakeSender(world, machine);
    case 'observe':
      return observe(world, machine, effect.container);
    case 'heartbeat':
      heartbeat(world, machine);
      return wakeSender(world, machine);
    case 'take-inventory':
      return;
    case 'alert':
      note(world, () => `${machine.id} alerts: ${effect.message}`);
      return judgeAlert(machine, effect.message);
    case 'end-stray-stops':
      return endStrayStops(world, machine);
    case 'run-upgrade':
      return runUpgrade(world, machine, effect);
    case 'await-room':
      return awaitRoom(world, machine, effect);
    case 'ask-gate':
      return askGate(world, machine);
    default: {
      const box = boxOf(machine, effect.grant.order.container);
      if (box !== undefined) performOn(world, box, effect);
    }
  }
};

type OnBox = Extract<AgentEffect, { grant: AgentGrant }>;

/** What an act has laid out for this moment happens within the next second. */
const spring = (world: World, box: Box, kind: string): void => {
  const { traps, random } = box.machine;
  const trap = traps.get(kind);
  if (trap === undefined) return;
  traps.delete(kind);
  world.time.after(random.below(random.chance(50) ? 60 : 1_000), () => {
    trap(box);
  });
};

const performOn = (world: World, box: Box, effect: OnBox): void => {
  const { grant } = effect;
  const { machine } = box;
  spring(world, box, effect.kind);
  const { grantId } = grant.order;
  const later = (least: number, most: number, run: () => void): void => {
    inLife(world, machine, takes(box, least, most), run);
  };
  switch (effect.kind) {
    case 'check':
      return inLife(world, machine, machine.random.between(5, 80), () => check(world, box, grant));
    case 'drain':
      if (grant.found !== 'maint') box.serves = false;
      return later(50, 2_000, () => {
        const ok = machine.drainFails === 0;
        if (!ok) count(world, 'a drain failed');
        const found = grant.found ?? 'ready';
        feed(world, machine, {
          kind: 'drained',
          grantId,
          ok,
          found,
          reason: ok ? '' : 'no answer',
        });
      });
    case 'stop':
      return stop(world, box, grant);
    case 'await-stray-stop':
      return awaitStrayStop(world, box, grantId, strayMs);
    case 'start':
      return later(300, 3_000, () => start(world, box, grantId));
    case 'watch-health':
      machine.clocks.set(grantId, world.core.startHealthClock(monoOf(world, machine)));
      return watchHealth(world, box, grantId, effect.deadline);
    case 'undrain':
      return later(50, 1_000, () => {
        const ok = machine.undrainFails === 0;
        if (!ok) count(world, 'an undrain failed');
        if (ok && grant.found !== 'maint') box.serves = true;
        feed(world, machine, { kind: 'undrained', grantId, ok, reason: ok ? '' : 'no answer' });
      });
    case 'verify':
      return inLife(world, machine, machine.random.between(50, 600), () => {
        feed(world, machine, {
          kind: 'verified',
          grantId,
          transactions: effect.transactions,
          atRest: machine.dpkg === 'rest',
          verification: isStale(box) ? 'stale' : 'verified',
          container: viewOf(box),
        });
      });
  }
};

/** R21: look at everything as late as can be; what core begins by it is judged by how things really are. */
const check = (world: World, box: Box, grant: AgentGrant): void => {
  const { machine } = box;
  const { grantId, expect } = grant.order;
  const { life } = machine;
  const unread = hear(world, machine);
  if (machine.life !== life) return;
  const answers =
    unread === null
      ? {
          ...{ state: stateOf(box), instance: instanceOf(box) },
          stale: isStale(box) ? ('stale' as const) : ('fresh' as const),
          health: box.up && !box.sick ? ('healthy' as const) : ('unhealthy' as const),
          atRest: { ok: machine.dpkg === 'rest', reason: 'a package manager is at work' },
          ...{ settingsHash, optOut: null },
          ...(box.drains ? { found: box.serves ? 'ready' : 'maint' } : {}),
        }
      : {
          state: expect.kind === 'died' ? ('stopped' as const) : ('running' as const),
          ...{ stale: 'stale' as const, health: 'unknown' as const },
          instance: expect.kind === 'instance' ? expect.instance : null,
          atRest: { ok: false, reason: unread },
          ...{ settingsHash, optOut: null },
        };
  const before = grant.step;
  feed(world, machine, { kind: 'checked', grantId, answers });
  const begins = machine.agent.busy.get(grantId) === 'stop' || grant.step === 'stopped';
  // Of a process that has died in this turn nothing was begun.
  if (machine.life === life && begins) judgeCheck(world, box, grant, before);
};

/** The command works on its own once it has begun, whatever becomes of the agent. */
const stop = (world: World, box: Box, grant: AgentGrant): void => {
  const { machine } = box;
  const { grantId } = grant.order;
  judgeStop(world, box, grant);
  if (box.awayFor === null) box.waived = false;
  box.awayFor = grantId;
  world.counts.stops += 1;
  const { boot } = machine;
  const over = (): void => {
    feed(world, machine, {
      ...{ kind: 'stop-over', grantId, state: stateOf(box), instance: instanceOf(box) },
    });
  };
  if (!box.up) return inLife(world, machine, 10, over);
  box.stopping = true;
  note(world, () => `${box.id}: its stop begins`);
  const took = takes(box, 200, 4_000);
  world.time.after(took, () => {
    if (!box.stopping || machine.boot !== boot) return;
    box.stopping = false;
    if (!box.up) return;
    Object.assign(box, { up: false, sick: false, downBy: 'us' });
    note(world, () => `${box.id} is down, by us`);
    changed(world, box);
  });
  inLife(world, machine, took + 5, over);
};

const awaitStrayStop = (world: World, box: Box, grantId: string, leftMs: number): void => {
  const { machine } = box;
  if (box.stopping && leftMs > 0)
    return inLife(world, machine, 500, () => {
      awaitStrayStop(world, box, grantId, leftMs - 500);
    });
  box.stopping = false;
  inLife(world, machine, 20, () => {
    feed(world, machine, {
      ...{ kind: 'stop-over', grantId, state: stateOf(box), instance: instanceOf(box) },
    });
  });
};

const endStrayStops = (world: World, machine: Machine): void => {
  for (const box of machine.boxes) {
    if (box.stopping && box.up) changed(world, box);
    box.stopping = false;
  }
  inLife(world, machine, 100, () => {
    const states = new Map(machine.boxes.map((box) => [box.name, stateOf(box)] as const));
    feed(world, machine, { kind: 'stray-stops-ended', states });
  });
};

const start = (world: World, box: Box, grantId: string): void => {
  const { machine } = box;
  if (!box.up && box.badStarts > 0) {
    box.badStarts -= 1;
    count(world, 'a start failed');
    note(world, () => `${box.id} does not start`);
  } else if (!box.up) {
    judgeStart(box);
    note(world, () => `${box.id} is started`);
    comesUp(world, box);
  }
  feed(world, machine, {
    ...{ kind: 'start-over', grantId, state: stateOf(box), instance: instanceOf(box) },
    reason: box.up ? '' : 'it did not come up',
  });
};

/** Probe until healthy, failed or down, by the clock that agents use. */
const watchHealth = (world: World, box: Box, grantId: string, deadline: boolean): void => {
  const { machine } = box;
  const tell = (result: 'healthy' | 'deadline' | 'down', reason: string): void => {
    machine.clocks.delete(grantId);
    feed(world, machine, { kind: 'health', grantId, result, reason });
    const step = machine.agent.journal.grants.get(grantId)?.step;
    if (step === 'healthy' || step === 'undrained' || step === 'done') box.ours = false;
  };
  inLife(world, machine, probeMs * box.slowness, () => {
    if (!box.up) return tell('down', 'it went down');
    const clock = machine.clocks.get(grantId);
    if (clock === undefined) return;
    const told = world.core.tellHealthClock(
      clock,
      { minHealthyTimeMs: wellMs, healthyDeadlineMs: deadline ? healthyDeadlineMs : null },
      { health: box.sick ? 'unhealthy' : 'healthy', reason: box.sick ? 'sick' : '' },
      monoOf(world, machine),
    );
    machine.clocks.set(grantId, told.clock);
    if (told.verdict.kind === 'waiting') return watchHealth(world, box, grantId, deadline);
    if (told.verdict.kind === 'healthy') return tell('healthy', '');
    tell('deadline', told.verdict.reason);
  });
};
