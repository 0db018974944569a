import type { AgentEffect } from '../../src/core/agent/agent.ts';
import type { GateBefore } from '../../src/core/agent/journal.ts';
import type { GateAnswer } from '../../src/core/messages.ts';
import type { PackageChange } from '../../src/core/packages.ts';
import { feed } from './agent.ts';
import { judgeUpgrade } from './judge-agent.ts';
import { isStale, observe, viewOf } from './look.ts';
import { count, inLife, note } from './world.ts';
import type { Machine, World } from './world.ts';

/** A transaction is over when the manager has been idle for so long (R30). */
const idleMs = 5_000;
const gateLimitMs = 30_000;

const gateBefore: GateBefore = { at: 0, abilities: null, healthy: [] };

const gateOf = ({ broken }: Machine): GateAnswer =>
  broken ? { ok: false, reason: 'the network is gone' } : { ok: true, reason: '' };

const staleViews = (machine: Machine) => machine.boxes.filter(isStale).map(viewOf);

export const changeOf = (name: string, to: string): PackageChange => ({
  ...{ name, arch: '', source: name, from: '0', to },
});

/** Files change from the first one on, and again until the last: what was started meanwhile is old as well. */
const beginChanging = (machine: Machine, by: 'outside' | 'ours'): void => {
  machine.dpkg = by;
  machine.lower += 1;
};

const endChanging = (world: World, machine: Machine, changes: PackageChange[]): void => {
  machine.dpkg = 'rest';
  machine.restSince = world.time.now();
  machine.lower += 1;
  machine.untold.push(...changes);
};

/** Somebody else upgrades packages; it waits for the lock. */
export const upgradeByOthers = (
  world: World,
  machine: Machine,
  { name, to, takesMs }: { name: string; to: string; takesMs: number },
): void => {
  if (!machine.on) return;
  if (machine.dpkg !== 'rest') {
    world.time.after(1_000, () => upgradeByOthers(world, machine, { name, to, takesMs }));
    return;
  }
  beginChanging(machine, 'outside');
  note(world, () => `${machine.id}: somebody upgrades ${name} to ${to}`);
  watchSoon(world, machine, machine.random.below(2_000));
  const end = (): void => {
    // Interrupted by a loss of power: somebody has to repair it first.
    if (!machine.on) return world.time.after(5_000, end);
    endChanging(world, machine, [changeOf(name, to)]);
    note(world, () => `${machine.id}: the upgrade of ${name} by others is over`);
    watchSoon(world, machine, idleMs + machine.random.below(2_000));
  };
  world.time.after(takesMs, end);
};

const watchSoon = (world: World, machine: Machine, ms: number): void => {
  inLife(world, machine, ms, () => {
    watch(world, machine);
  });
};

export const beginWatch = (world: World, machine: Machine): void => {
  watchSoon(world, machine, machine.random.between(500, 2_500));
};

/** The watch on the package database looks, unless an upgrade of ours has suspended it. */
const watch = (world: World, machine: Machine): void => {
  if (machine.upgrading !== null) return;
  const { dpkg, restSince } = machine;
  if (dpkg !== 'rest') {
    if (!machine.watchOpen || machine.agent.journal.gate === null) {
      machine.watchOpen = true;
      feed(world, machine, { kind: 'transaction', phase: 'open' });
      feed(world, machine, { kind: 'gate-before', before: gateBefore });
    }
    return;
  }
  const idle = world.time.now() - restSince;
  if (machine.untold.length > 0) {
    if (idle < idleMs) return watchSoon(world, machine, idleMs - idle + 100);
    return tellTransaction(world, machine, () => undefined);
  }
  if (!machine.watchOpen) return;
  machine.watchOpen = false;
  tellOver(world, machine, [], null);
};

const tellOver = (
  world: World,
  machine: Machine,
  changes: PackageChange[],
  gate: GateAnswer | null,
): void => {
  const containers = changes.length === 0 ? [] : staleViews(machine);
  feed(world, machine, {
    kind: 'transaction',
    phase: 'over',
    upgraded: { changes, origin: { by: 'outside' }, containers, gate },
  });
  observe(world, machine, null);
};

/** The gate is asked until it passes, or the limit is over; then the transaction is told (R29, R30). */
const tellTransaction = (world: World, machine: Machine, then: () => void): void => {
  machine.watchOpen = true;
  feed(world, machine, { kind: 'transaction', phase: 'open' });
  const { lower } = machine;
  askUntil(world, machine, gateLimitMs, (gate) => {
    // Another one has begun meanwhile: they are told together.
    if (machine.dpkg !== 'rest' || machine.lower !== lower) return then();
    const changes = machine.untold;
    const { life } = machine;
    const { transactions } = machine.agent.journal;
    machine.watchOpen = false;
    tellOver(world, machine, changes, gate);
    if (machine.agent.journal.transactions > transactions) machine.untold = [];
    if (machine.life === life) then();
  });
};

const askUntil = (
  world: World,
  machine: Machine,
  leftMs: number,
  then: (gate: GateAnswer) => void,
): void => {
  inLife(world, machine, 1_000, () => {
    const gate = gateOf(machine);
    if (gate.ok || leftMs <= 0) then(gate);
    else askUntil(world, machine, leftMs - 1_000, then);
  });
};

export const askGate = (world: World, machine: Machine): void => {
  inLife(world, machine, 200, () => {
    feed(world, machine, { kind: 'gate', gate: gateOf(machine) });
  });
};

type AwaitRoom = Extract<AgentEffect, { kind: 'await-room' }>;

export const awaitRoom = (world: World, machine: Machine, effect: AwaitRoom): void => {
  const { jobId, everyMs } = effect;
  inLife(world, machine, everyMs, () => {
    if (!machine.agent.awaitRoom.has(jobId)) return;
    if (machine.diskFull === 0) feed(world, machine, { kind: 'room', jobId });
    else awaitRoom(world, machine, effect);
  });
};

type Run = Extract<AgentEffect, { kind: 'run-upgrade' }>;

/** R29: find the upgrade that a former life has begun, or begin it; it goes on whatever becomes of the agent. */
export const runUpgrade = (world: World, machine: Machine, run: Run): void => {
  const { jobId, resume } = run;
  machine.upgrading = jobId;
  if (resume && machine.ran.has(jobId)) return awaitUpgrade(world, machine, jobId);
  if (resume)
    return inLife(world, machine, 100, () => {
      machine.upgrading = null;
      feed(world, machine, { kind: 'upgrade-not-begun', jobId });
      watchSoon(world, machine, 100);
    });
  suspendWatch(world, machine, () => {
    feed(world, machine, { kind: 'gate-before', before: gateBefore });
    // Indexes are fetched first: a crash up to here keeps it from beginning.
    inLife(world, machine, machine.random.between(300, 3_000), () => {
      beginUpgrade(world, machine, run);
    });
  });
};

/** What the watch is at comes to its end first. */
const suspendWatch = (world: World, machine: Machine, then: () => void): void => {
  if (machine.dpkg === 'rest' && machine.untold.length === 0)
    return inLife(world, machine, 5, then);
  if (machine.dpkg === 'rest' && world.time.now() - machine.restSince >= idleMs)
    return tellTransaction(world, machine, () => suspendWatch(world, machine, then));
  inLife(world, machine, 1_000, () => suspendWatch(world, machine, then));
};

const beginUpgrade = (world: World, machine: Machine, { jobId, order }: Run): void => {
  if (machine.dpkg !== 'rest') {
    inLife(world, machine, 1_000, () => beginUpgrade(world, machine, { jobId, order } as Run));
    return;
  }
  judgeUpgrade(machine);
  const noRoom = machine.diskFull > 0;
  if (noRoom) count(world, 'an upgrade found no room');
  const ok = machine.upgradeFails === 0 && !noRoom;
  // One that fails has changed nothing.
  if (ok) beginChanging(machine, 'ours');
  else machine.dpkg = 'ours';
  note(world, () => `${machine.id}: our upgrade begins`);
  const changes = order.packages.map(({ name, version }) => changeOf(name, version ?? '1'));
  const ran = { state: 'running' as const, ok: true, noRoom, changes };
  machine.ran.set(jobId, ran);
  const end = (): void => {
    // After a loss of power it is configured to its end.
    if (!machine.on) return world.time.after(5_000, end);
    if (ok) endChanging(world, machine, changes);
    else Object.assign(machine, { dpkg: 'rest', restSince: world.time.now() });
    Object.assign(ran, { state: 'over', ok, changes: ok ? changes : [] });
    note(world, () => `${machine.id}: our upgrade is over${ok ? '' : ', and has failed'}`);
    // Of a journal that was lost nobody awaits it: to its watch it is one of others.
    watchSoon(world, machine, idleMs + 500);
  };
  world.time.after(machine.random.between(2_000, 12_000), end);
  awaitUpgrade(world, machine, jobId);
};

const awaitUpgrade = (world: World, machine: Machine, jobId: string): void => {
  const ran = machine.ran.get(jobId);
  if (ran?.state !== 'over')
    return inLife(world, machine, 500, () => awaitUpgrade(world, machine, jobId));
  askUntil(world, machine, gateLimitMs, (gate) => {
    const { ok, noRoom, changes } = ran;
    machine.upgrading = null;
    const { life } = machine;
    const wasKnown = machine.agent.journal.upgrades.get(jobId)?.step === 'running';
    feed(world, machine, {
      ...{ kind: 'upgrade-over', jobId, containers: changes.length > 0 ? staleViews(machine) : [] },
      finished: {
        ...{ ok, reason: ok ? '' : 'a package failed', remedy: '', changes, transcript: '', gate },
        ...(noRoom ? { code: 'disk-full' } : {}),
      },
    });
    const isJournaled = machine.agent.journal.upgrades.get(jobId)?.step === 'ended';
    if (wasKnown && isJournaled)
      machine.untold = machine.untold.filter((change) => !changes.includes(change));
    if (machine.life === life) watchSoon(world, machine, 100);
  });
};
