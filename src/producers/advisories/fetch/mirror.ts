import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { z } from 'zod';
import type { FeedProblem } from '../../../core/advisories/advisory.ts';
import { FetchError } from './fetch-error.ts';
import { fileHash } from './file-content.ts';
import type { FetchContext, Fetcher } from './fetcher.ts';
import type { Memory } from './memory.ts';
import { readMemory, writeMemory } from './memory.ts';

/** The files of a feed's directory while its fetcher is at work. */
export interface MirrorFiles {
  /** Path for a file on its way in: beside the feed, where no parser looks. */
  incoming: (name: string) => string;
  has: (name: string) => Promise<boolean>;
  /** Puts what came in under its name; false where the same lies there already. */
  put: (from: string, name: string) => Promise<boolean>;
  remove: (name: string) => Promise<void>;
  /** Takes away every file that does not belong to the feed any more. */
  removeOthers: (kept: ReadonlySet<string>) => Promise<void>;
  /** Takes away everything, where some of it was lost already. */
  clear: () => Promise<void>;
  /** Tells of something that is not taken. */
  refuse: (problem: Pick<FeedProblem, 'file' | 'reason'> & Partial<FeedProblem>) => void;
}

/** The directory with what its fetcher knows of it. */
export interface Mirror<State extends object> extends MirrorFiles {
  /** As it was left; null: the first time, or from another address. */
  state: State | null;
  /** Keeps what is known by now, for the case that it cannot go on. */
  save: (state: State) => Promise<void>;
}

interface Outcome<State> {
  state: State;
  complete: boolean;
}

/** More of them say nothing more. */
const MOST_PROBLEMS = 100;

const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const openMirror = async <State extends object>(
  directory: string,
  memory: Memory,
  state: State | null,
) => {
  const incoming = join(directory, '.incoming');
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const changed = new Set<string>();
  const problems: FeedProblem[] = [];
  let isMissingSome = false;
  let refused = 0;

  let last: Promise<unknown> = Promise.resolve();
  /** One after the other, however many are at work. */
  const inTurn = async <T>(step: () => Promise<T>): Promise<T> => {
    const mine = last.then(step, step);
    last = mine;
    return mine;
  };

  /** Before the first change, so that a change that nobody was told of is known. */
  const unsettle = async (): Promise<void> => {
    if (memory.unsettled) return;
    memory.unsettled = true;
    await writeMemory(directory, memory);
  };

  const remove = async (name: string): Promise<void> =>
    inTurn(async () => {
      await unsettle();
      isMissingSome = true;
      await rm(join(directory, name), { force: true });
    });

  const removeOthers = async (kept: ReadonlySet<string>): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
      const name = relative(directory, join(entry.parentPath, entry.name));
      if (!entry.isDirectory() && !/(^|\/)\./.test(name) && !kept.has(name)) await remove(name);
    }
  };

  const mirror: Mirror<State> = {
    state,
    incoming: (name) => join(incoming, name.replaceAll('/', '_')),
    has: async (name) => exists(join(directory, name)),
    put: async (from, name) =>
      inTurn(async () => {
        const to = join(directory, name);
        if ((await exists(to)) && (await fileHash(to)) === (await fileHash(from))) {
          await rm(from);
          return false;
        }
        await unsettle();
        await mkdir(dirname(to), { recursive: true });
        await rename(from, to);
        changed.add(name);
        return true;
      }),
    remove,
    removeOthers,
    clear: async () => {
      isMissingSome = true;
      await inTurn(unsettle);
      await removeOthers(new Set());
    },
    refuse: (problem) => {
      refused += 1;
      if (refused <= MOST_PROBLEMS) problems.push({ record: '', field: '', ...problem });
    },
    save: async (known) =>
      inTurn(async () => {
        memory.state = known;
        await writeMemory(directory, memory);
      }),
  };
  const close = async (): Promise<void> => {
    await rm(incoming, { recursive: true, force: true });
  };
  return { mirror, changed, problems, hasLost: () => isMissingSome, close };
};

/**
 * A fetcher that has its directory kept: what changed, what was refused, and what is known of it from one time to the next.
 * `together`: its files mean something only together.
 */
export const mirrored =
  <State extends object>(
    schema: z.ZodType<State>,
    work: (mirror: Mirror<State>, context: FetchContext) => Promise<Outcome<State>>,
    { together = false } = {},
  ): Fetcher =>
  async (context) => {
    const { directory } = context;
    await mkdir(directory, { recursive: true });
    const memory = await readMemory(directory, context.address);
    const { version: since, unsettled: wasUnsettled } = memory;
    const state = schema.safeParse(memory.state).data ?? null;
    const opened = await openMirror(directory, memory, state);
    const { mirror, changed, problems } = opened;
    let stopped: FetchError | null = null;
    try {
      try {
        const outcome = await work(mirror, context);
        memory.state = outcome.state;
        memory.complete = outcome.complete;
      } catch (error) {
        if (!(error instanceof FetchError) || (changed.size === 0 && !opened.hasLost()))
          throw error;
        stopped = error;
      }
      const isOther = memory.version === null || memory.unsettled;
      if (isOther) memory.version = randomUUID();
      memory.unsettled = false;
      await writeMemory(directory, memory);
      const isAll = isOther && (wasUnsettled || together || opened.hasLost());
      return {
        version: memory.version ?? '',
        ...{ since, complete: memory.complete, problems, stopped },
        changed: isAll ? 'all' : [...changed].sort(),
      };
    } finally {
      await opened.close();
    }
  };
