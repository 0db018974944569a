import type { FleetImage } from '../../core/advisories/fleet-units.ts';

/** What comes within this time is told together. */
const gatherMs = 200;
/**
 * What waits to be matched is told with it, as far as it comes within this time: a wave that has begun is joined by nothing, so
 * half of what a feed brings would be an upgrade and a restart of its own.
 */
const gatherAtMostMs = 10_000;
/** What could not be told is tried again after this time. */
const againMs = 5_000;

export interface Gathering {
  /** What these need may have changed: it is told soon. */
  add: (images: Iterable<FleetImage>) => void;
  stop: () => void;
}

/** Images whose needs may have changed, until they are told: a feed brings thousands of advisories at once, and each costs a commit. */
export const createGathering = (ports: {
  /** One thing at a time. */
  inTurn: (work: () => Promise<void>) => Promise<void>;
  /** Nothing waits that may change what is told. */
  isWhole: () => Promise<boolean>;
  tell: (images: readonly FleetImage[]) => Promise<void>;
  onError: (error: unknown) => void;
}): Gathering => {
  const dirty = new Set<FleetImage>();
  /** By a clock that never goes back, in ms. */
  let since = 0;
  let waiting: NodeJS.Timeout | undefined;
  let stopped = false;
  const flush = async (): Promise<void> => {
    waiting = undefined;
    let images: FleetImage[] = [];
    try {
      if (performance.now() - since < gatherAtMostMs && !(await ports.isWhole())) {
        add([]);
        return;
      }
      images = [...dirty];
      dirty.clear();
      await ports.tell(images);
    } catch (error) {
      for (const image of images) dirty.add(image);
      add([], againMs);
      throw error;
    }
  };
  const add = (images: Iterable<FleetImage>, afterMs = gatherMs): void => {
    if (dirty.size === 0) since = performance.now();
    for (const image of images) dirty.add(image);
    if (dirty.size === 0 || stopped) return;
    waiting ??= setTimeout(() => {
      ports.inTurn(flush).catch(ports.onError);
    }, afterMs);
  };
  return {
    add: (images) => {
      add(images);
    },
    stop: () => {
      stopped = true;
      clearTimeout(waiting);
    },
  };
};
