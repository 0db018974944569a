import type { ContainerName } from '../../core/ids.ts';

/**
 * One thing at a time per container, also over lives of the loop: a start that a former life began ends
 * before this one's. Work on a free lane begins in this tick.
 */
export type Lanes = (name: ContainerName, work: () => Promise<void>) => Promise<void>;

export const createLanes = (): Lanes => {
  const last = new Map<ContainerName, Promise<void>>();
  return (name, work) => {
    const before = last.get(name);
    const mine = before === undefined ? work() : before.then(work, work);
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    last.set(name, settled);
    void settled.then(() => {
      if (last.get(name) === settled) last.delete(name);
    });
    return mine;
  };
};
