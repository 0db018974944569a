/** Virtual time in ms: what is to happen next happens at once. */
export interface Timeline {
  now: () => number;
  after: (ms: number, run: () => void) => void;
  /** Let the next thing happen; answers false when there is none before `limit`. */
  step: (limit: number) => boolean;
}

interface Entry {
  at: number;
  /** Things of the same moment happen in the order in which they were asked for. */
  order: number;
  run: () => void;
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

export const createTimeline = (): Timeline => {
  const heap: Entry[] = [];
  let now = 0;
  let orders = 0;

  const push = (entry: Entry): void => {
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  };

  const pop = (): void => {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = heap[below];
      if (child === undefined) break;
      const other = heap[below + 1];
      if (other !== undefined && isBefore(other, child)) {
        child = other;
        below += 1;
      }
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  };

  return {
    now: () => now,
    after: (ms, run) => {
      push({ at: now + Math.max(0, ms), order: orders++, run });
    },
    step: (limit) => {
      const next = heap[0];
      if (next === undefined || next.at > limit) return false;
      pop();
      now = next.at;
      next.run();
      return true;
    },
  };
};
