import { hash } from 'node:crypto';
import type { Core } from './core.ts';
import { movesOf } from './moves.ts';
import { normalise } from './normalise.ts';
import { cloneWorld, Violation } from './world.ts';
import type { World } from './world.ts';

export interface Exploration {
  states: number;
  moves: number;
  seconds: number;
  ends: number;
  violation: { rule: string; message: string; path: string[] } | null;
}

export interface Judge {
  /** Throws a violation for a state that must not be. */
  state: (world: World) => void;
  /** Whether nothing is left to be done. */
  end: (world: World) => boolean;
  /** Which rule is broken when no end can be reached from here any more. */
  stuck: (world: World) => { rule: string; message: string };
}

/** 160 bits of a state's text stand for it; the texts themselves would not fit into memory. Processors hash so quickest. */
const digest = (text: string): string => hash('sha1', text, 'binary');

/** A growing list of numbers. */
const numbers = () => {
  let data = new Int32Array(1 << 14);
  let length = 0;
  return {
    push: (value: number): void => {
      if (length === data.length) {
        const larger = new Int32Array(length * 2);
        larger.set(data);
        data = larger;
      }
      data[length++] = value;
    },
    at: (index: number): number => data[index] ?? -1,
    length: (): number => length,
  };
};

/**
 * Every world that can be reached from `first`, breadth first, so that a violation comes with a shortest path.
 * When all are known, each must be able to reach an end without faults (L1).
 */
export const explore = (core: Core, first: World, judge: Judge, limit = 3_000_000): Exploration => {
  const began = performance.now();
  const seen = new Map<string, number>();
  const parents = numbers();
  const parentMove = numbers();
  /** Moves without faults, backwards: `to`, then `from`. */
  const from = numbers();
  const to = numbers();
  const isEnd: boolean[] = [];
  let moves = 0;
  const start = cloneWorld(first);
  seen.set(digest(normalise(core, start)), 0);
  parents.push(-1);
  parentMove.push(-1);
  let frontier: { id: number; world: World }[] = [{ id: 0, world: start }];

  const pathTo = (id: number): number[] => {
    const steps: number[] = [];
    for (let at = id; parents.at(at) >= 0; at = parents.at(at)) steps.push(parentMove.at(at));
    return steps.reverse();
  };
  const replay = (steps: number[]): { labels: string[]; world: World } => {
    let world = cloneWorld(first);
    normalise(core, world);
    const labels: string[] = [];
    for (const step of steps) {
      const move = movesOf(core, world)[step];
      if (move === undefined) break;
      labels.push(move.label);
      world = cloneWorld(world);
      move.apply(world);
      normalise(core, world);
    }
    return { labels, world };
  };
  const result = (violation: Exploration['violation']): Exploration => ({
    states: seen.size,
    moves,
    seconds: (performance.now() - began) / 1000,
    ends: isEnd.filter(Boolean).length,
    violation,
  });
  const violated = (error: unknown, id: number, lastLabel: string | null): Exploration => {
    if (!(error instanceof Violation)) throw error;
    const { labels } = replay(pathTo(id));
    return result({
      rule: error.rule,
      message: error.message,
      path: lastLabel === null ? labels : [...labels, lastLabel],
    });
  };

  while (frontier.length > 0) {
    const next: typeof frontier = [];
    // All of them before any of their moves: the first violation is one of those with the shortest way.
    for (const { id, world } of frontier) {
      try {
        judge.state(world);
      } catch (error) {
        return violated(error, id, null);
      }
      isEnd[id] = judge.end(world);
    }
    for (const { id, world } of frontier) {
      const possible = movesOf(core, world);
      for (const [index, move] of possible.entries()) {
        const after = cloneWorld(world, move.local);
        moves += 1;
        try {
          move.apply(after);
        } catch (error) {
          return violated(error, id, move.label);
        }
        const key = digest(normalise(core, after));
        let target = seen.get(key);
        if (target === undefined) {
          target = seen.size;
          if (target >= limit)
            throw new Error(`more than ${limit} states: the scenario is too large`);
          seen.set(key, target);
          parents.push(id);
          parentMove.push(index);
          next.push({ id: target, world: after });
        }
        if (move.fault === null) {
          from.push(id);
          to.push(target);
        }
      }
    }
    frontier = next;
  }
  const lost = firstLost(seen.size, isEnd, from, to);
  if (lost === null) return result(null);
  const { labels, world } = replay(pathTo(lost));
  const { rule, message } = judge.stuck(runOn(core, world));
  return result({ rule, message, path: labels });
};

/** What becomes of a world that cannot reach its end, when all goes on without faults for a while. */
const runOn = (core: Core, first: World): World => {
  let world = first;
  for (let step = 0; step < 200; step++) {
    const move = movesOf(core, world).find(({ fault }) => fault === null);
    if (move === undefined) break;
    world = cloneWorld(world);
    try {
      move.apply(world);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      break;
    }
    normalise(core, world);
  }
  return world;
};

/** The first state from which no end can be reached by moves without faults; null: there is none. */
const firstLost = (
  count: number,
  isEnd: boolean[],
  from: ReturnType<typeof numbers>,
  to: ReturnType<typeof numbers>,
): number | null => {
  const edges = from.length();
  const start = new Int32Array(count + 1);
  for (let i = 0; i < edges; i++) start[to.at(i) + 1] = (start[to.at(i) + 1] ?? 0) + 1;
  for (let i = 0; i < count; i++) start[i + 1] = (start[i + 1] ?? 0) + (start[i] ?? 0);
  const sources = new Int32Array(edges);
  const fill = start.slice();
  for (let i = 0; i < edges; i++) {
    const target = to.at(i);
    const place = fill[target] ?? 0;
    sources[place] = from.at(i);
    fill[target] = place + 1;
  }
  const good = new Uint8Array(count);
  const queue: number[] = [];
  for (let i = 0; i < count; i++)
    if (isEnd[i] === true) {
      good[i] = 1;
      queue.push(i);
    }
  for (let at = queue.pop(); at !== undefined; at = queue.pop())
    for (let i = start[at] ?? 0; i < (start[at + 1] ?? 0); i++) {
      const source = sources[i] ?? 0;
      if (good[source] === 1) continue;
      good[source] = 1;
      queue.push(source);
    }
  const lost = good.indexOf(0);
  return lost === -1 ? null : lost;
};
