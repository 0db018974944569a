import { createHash } from 'node:crypto';
import type { Core } from './core.ts';
import { firstWorld } from './first-world.ts';
import { judgeFor } from './judge.ts';
import { movesOf } from './moves.ts';
import type { Move } from './moves.ts';
import { load, serve } from './server-side.ts';
import { cloneWorld, Violation } from './world.ts';
import type { Scenario, World } from './world.ts';

/** Random ways through a world whose store is put back to a backup on each; a seed is a way. */
export interface Walks {
  walks: number;
  steps: number;
  seconds: number;
  violation: { rule: string; message: string; path: string[]; seed: number } | null;
}

type Walk = Pick<Walks, 'steps' | 'violation'>;

/** Numbers below `limit`, the same for each seed. */
const randomFrom = (seed: number): ((limit: number) => number) => {
  let drawn = 0;
  return (limit) => {
    const digest = createHash('md5').update(`${seed} ${drawn++}`).digest();
    return digest.readUInt32BE(0) % limit;
  };
};

/** So many moves with faults; then as many as it takes without any, up to a limit that means that it takes for ever. */
const wild = 160;
const atMost = 4_000;
/** One in so many moves is a fault, where there is any. */
const faultEvery = 8;

const labelled = (label: string, apply: (world: World) => void): Move => ({
  ...{ label, fault: null, local: false, apply },
});

/** What a server finds that is started over the files of a backup: an earlier fleet, under a new epoch (R16). */
const restore = (core: Core, backup: World, isReused: boolean): Move =>
  labelled('the store is put back to the backup', (world) => {
    const { epoch } = world.fleet;
    const { fleet, rows } = cloneWorld(backup);
    Object.assign(world, { fleet, rows });
    // Epochs rise with each start: those of the forgotten time come once more, or this server was started often.
    if (!isReused) world.fleet.epoch = Math.max(world.fleet.epoch, epoch - 1);
    Object.assign(world, { restored: true, stored: null });
    load(world.fleet);
    serve(core, world, { kind: 'tick' });
  });

/** The same, and the store says so: nobody leads under a number of the forgotten time, for numbers follow the time. */
const restoreKnown = (core: Core, backup: World): Move =>
  labelled('the store is put back to the backup, and says so', (world) => {
    const { epoch } = world.fleet;
    const { fleet, rows } = cloneWorld(backup);
    Object.assign(world, { fleet, rows, restored: true, stored: null });
    world.fleet.epoch = Math.max(fleet.epoch, epoch);
    load(world.fleet);
    serve(core, world, { kind: 'store-restored', actor: 'op', madeAt: 0, restoredAt: 1 });
  });

/** Walk from the scenario's first world; the backup is made, and put back, somewhere on the way. */
const walk = (core: Core, scenario: Scenario, seed: number): Walk => {
  const below = randomFrom(seed);
  const world = firstWorld(core, scenario);
  // What the backup names is not to be given to something else.
  world.lastId = 1_000;
  const judge = judgeFor(core, scenario);
  const backupAt = below(wild / 2);
  // Often soon: the backup may be of the moment before.
  const restoreAt = backupAt + 1 + below(below(2) === 0 ? 12 : wild / 2);
  const restores = [
    restoreAt,
    ...(scenario.saysSo === true ? [restoreAt + 1 + below(wild / 2)] : []),
  ];
  const path: string[] = [];
  let backup: World | null = null;

  /** What both store and journal have lost nobody can know of: a person has to look. */
  const mayLoseJournal = (): boolean =>
    backup === null ||
    (!world.restored &&
      world.machines.every(({ agent: { journal } }) =>
        [...journal.grants.values()].every(({ end }) => end !== null),
      ));

  const next = (step: number): Move => {
    const isSettled = world.machines.every(({ agent }) => agent.journal.settled);
    if (backup !== null && step >= (restores[0] ?? Infinity) && isSettled) {
      restores.shift();
      return scenario.saysSo === true
        ? restoreKnown(core, backup)
        : restore(core, backup, below(2) === 0);
    }
    if (step >= wild) world.left.delay = 1;
    const moves = movesOf(core, world).filter(
      ({ fault }) => fault !== 'journal lost' || mayLoseJournal(),
    );
    const sound = moves.filter(({ fault }) => fault === null);
    // Time passes also while an agent could read once more what it has read.
    const faulty = moves.filter(({ fault }) => (step < wild ? fault !== null : fault === 'delay'));
    const some =
      sound.length === 0 || (faulty.length > 0 && below(faultEvery) === 0) ? faulty : sound;
    const move = some[below(some.length)];
    if (move === undefined) throw new Violation('L1', 'nothing can happen any more');
    return move;
  };

  let step = 0;
  try {
    for (; step < atMost; step += 1) {
      if (step === backupAt) backup = cloneWorld(world);
      if (step >= wild && judge.end(world)) return { steps: step, violation: null };
      const move = next(step);
      path.push(move.label);
      move.apply(world);
      judge.state(world);
    }
    const { rule, message } = judge.stuck(world);
    throw new Violation(rule, message);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { steps: step, violation: { rule: error.rule, message: error.message, path, seed } };
  }
};

/** Walk by each seed from `seeds.from` on, until one shows a violation. */
export const walkAll = (
  core: Core,
  scenario: Scenario,
  seeds: { from: number; count: number },
): Walks => {
  const began = performance.now();
  const all: Walks = { walks: 0, steps: 0, seconds: 0, violation: null };
  while (all.walks < seeds.count && all.violation === null) {
    const { steps, violation } = walk(core, scenario, seeds.from + all.walks);
    Object.assign(all, { walks: all.walks + 1, steps: all.steps + steps, violation });
  }
  return { ...all, seconds: (performance.now() - began) / 1_000 };
};
