import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildIdentity } from '../runtime.ts';
import { signalUnlessReplaced } from './child-identity.ts';
import { createForker } from './forker.ts';
import type { Forker, ForkerOptions } from './forker.ts';
import { forkSpare, spareInput } from './spare-process.ts';
import type { Ended, Spare } from './spare-process.ts';

export interface Running {
  ended: Promise<Ended>;
  /** SIGTERM, and SIGKILL half a second later. A second after that nobody waits for its end any more. */
  kill: () => void;
}

const KILL_AFTER_MS = 500;
const GIVE_UP_AFTER_MS = 1_000;

export interface BeginOptions {
  /** Soft limit on open files: Node.js raises its own to the hard one, and what it starts inherits that. */
  openFiles: number;
  /** Told who it will be before it begins, so that it can be journaled first. */
  onChild?: (child: ChildIdentity) => void;
}

/**
 * Processes for commands that must begin at once. To fork a process with a heap of a hundred megabytes
 * takes many times as long as to write to a pipe, so one that waits already becomes the command. Small shells fork
 * them: one more than there are commands at once, each forked when it is first missed. None is kept that was not used for a
 * while.
 */
export interface SpareProcesses {
  /**
   * Begin `argv`, in which no word is empty or has a newline, in this very tick. Throws where it cannot be
   * begun: nothing was run then.
   */
  begin: (argv: readonly string[], options: BeginOptions) => Running;
}

/** Restarts of a wave follow closer than that. */
const usual: ForkerOptions = { keepMs: 10_000, greetingMs: 1_000 };

export const createSpareProcesses = (options: Partial<ForkerOptions> = {}): SpareProcesses => {
  let forkers: Forker[] = [];

  const keepOne = (): void => {
    forkers = forkers.filter((forker) => !forker.isOver());
    if (forkers.some((forker) => !forker.isBusy())) return;
    const fresh = createForker({ ...usual, ...options });
    // No more processes, files or memory now: the next command tells, if it is still so then.
    if (fresh !== null) forkers.push(fresh);
  };
  const takeOne = (): Spare | null => {
    for (const forker of forkers) {
      const spare = forker.spare();
      if (spare !== null) return spare;
    }
    return forkSpare();
  };
  const kill = async (spare: Spare, isOver: () => boolean): Promise<void> => {
    signalUnlessReplaced(spare.child, 'SIGTERM');
    await sleep(KILL_AFTER_MS, undefined, { ref: false });
    if (isOver()) return;
    signalUnlessReplaced(spare.child, 'SIGKILL');
    await sleep(GIVE_UP_AFTER_MS, undefined, { ref: false });
    spare.giveUp();
  };

  return {
    begin: (argv, { openFiles, onChild }) => {
      if (argv.some((word) => word === '' || word.includes('\n')))
        throw new Error(`not to be run: an empty word or a newline in ${JSON.stringify(argv)}`);
      const spare = takeOne();
      if (spare === null)
        throw new Error(
          `${argv[0] ?? ''} was not run: no process could be forked (too many processes or open files, no memory?)`,
        );
      try {
        onChild?.(spare.child);
      } catch (error) {
        spare.drop();
        throw error;
      }
      let over = false;
      const ended = spare.begin(spareInput(spare.child, openFiles, argv)).finally(() => {
        over = true;
      });
      // A fork holds up all else: what has come meanwhile goes first.
      setImmediate(keepOne);
      return {
        ended,
        kill: () => {
          void kill(spare, () => over);
        },
      };
    },
  };
};
