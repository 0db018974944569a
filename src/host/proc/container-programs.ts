import { interpreterOf } from '../../core/stale/interpreted.ts';
import type { Interpreter } from '../../core/stale/interpreted.ts';
import { imageOf } from '../../core/stale/parse-stat.ts';
import { modulesVariable } from './module-paths.ts';
import { wordsChild } from './program-child.ts';
import type { StartWordsChild, WordsQuestion } from './program-child.ts';
import { programOfWords } from './read-program.ts';
import type { ProcessWords, RunningProgram } from './read-program.ts';
import { readProcLink, readProcText } from './read-processes.ts';

/** An interpreter in a container, as it was seen. */
export interface SeenImage {
  /** Its directory in procfs. */
  base: string;
  /** See `imageOf`: not the same any more when it runs another program. */
  image: string;
}

/** All interpreters that one container runs. */
export interface ContainerImages {
  name: string;
  /** One life of it has one init. */
  life: string;
  images: readonly SeenImage[];
}

/** What the programs of containers are, by their own words; only `read` waits for anything. */
export interface ContainerProgramsMemory {
  /** Reads what is not known yet; ends within a bound, whatever the containers do. */
  read: (containers: readonly ContainerImages[]) => Promise<void>;
  /** What a process runs (null: that cannot be told), or why that is not known. */
  of: (container: string, seen: SeenImage) => RunningProgram | null | { reason: string };
  /** Whether a child still hangs in memory of its processes: who reads their memory maps may wait behind it. */
  hangs: (container: string) => boolean;
}

/** A child that has not answered by then is left. */
const LIMIT_MS = 2_000;
/** All children of one scan together; those of containers that have failed before come last. */
const TOGETHER_MS = 20_000;
const AT_ONCE = 8;
/** Processes of one container that are asked in one scan, and characters that are remembered of it. */
const MAX_ASKED = 1_000;
const MAX_TEXT = 1 << 20;
const MAX_CONTAINERS = 2_000;
/** A container whose children fail so often is asked again after a while. */
const MAX_FAILURES = 3;
const AGAIN_MS = 600_000;

const NOT_READ = 'it was not read';
const NO_ANSWER = 'no answer';

export interface ContainerProgramsOptions {
  startChild?: StartWordsChild;
  /** Does something after so many milliseconds, unless what it answers is called before. */
  after?: (ms: number, then: () => void) => () => void;
  /** Milliseconds, never going back. */
  now?: () => number;
}

/** What has come by then is heard first. */
const afterMs = (ms: number, then: () => void): (() => void) => {
  const timer = setTimeout(() => setImmediate(then), ms);
  return () => {
    clearTimeout(timer);
  };
};

interface Known {
  life: string;
  programs: Map<string, { program: RunningProgram | null; length: number }>;
  /** Characters of all of them. */
  length: number;
  /** A child was left that has not ended. */
  hangs: boolean;
  /** Since one has answered. */
  failures: number;
  failedAt: number;
  failure: string;
  /** Why what is not known is not. */
  problem: string;
}

interface Question extends SeenImage, WordsQuestion {
  key: string;
  interpreter: Interpreter;
  executable: string;
}

const keyOf = ({ base, image }: SeenImage): string => `${base} ${image}`;

/** What the process whose directory in procfs is `base` runs now; null where it is gone. */
export const readImage = (base: string): string | null => {
  const text = readProcText(`${base}/stat`);
  return text === null ? null : imageOf(text);
};

const questionOf = (seen: SeenImage): Question | null => {
  const executable = readProcLink(`${seen.base}/exe`) ?? '';
  const interpreter = interpreterOf(executable);
  if (interpreter === null) return null;
  const environ = modulesVariable[interpreter] !== undefined;
  return { ...seen, key: keyOf(seen), interpreter, executable, environ };
};

/** What was read is of the program that was seen: it can have executed another one meanwhile. */
const isStill = ({ base, image }: SeenImage): boolean => readImage(base) === image;

/** Leaves out what does not run any more, and all of an earlier life. */
const forget = (known: Known, { life, images }: ContainerImages): void => {
  const alive = new Set(life === known.life ? images.map(keyOf) : []);
  for (const [key, { length }] of known.programs)
    if (!alive.has(key)) {
      known.programs.delete(key);
      known.length -= length;
    }
  if (life !== known.life) Object.assign(known, { life, failures: 0 });
};

const remember = (known: Known, asked: Question, words: ProcessWords | null): void => {
  if (words === null || !isStill(asked)) return;
  const program = programOfWords(asked.base, asked, words);
  const { length } = JSON.stringify(program);
  if (known.length + length > MAX_TEXT) {
    known.problem = `more than ${MAX_TEXT} characters to remember`;
    return;
  }
  known.length += length;
  known.programs.set(asked.key, { program, length });
};

/**
 * Command lines and environments of processes of containers lie in memory that a container's root can have
 * supplied by a file system that does not answer (FUSE), or locked by a thread that waits for one: who reads
 * them may wait for ever, and a thread that does cannot be ended. So children do, each for one container, beside the scan, and each program is read once. A child that does not answer
 * in time is left, and harms its own container alone: what is not known there is said to be so.
 */
export const containerProgramsMemory = (
  options: ContainerProgramsOptions = {},
): ContainerProgramsMemory => {
  const { startChild = wordsChild(), after = afterMs } = options;
  const { now = () => performance.now() } = options;
  const containers = new Map<string, Known>();

  const knownOf = (name: string): Known => {
    const found = containers.get(name);
    if (found !== undefined) return found;
    const known: Known = {
      ...{ life: '', programs: new Map(), length: 0, hangs: false },
      ...{ failures: 0, failedAt: 0, failure: '', problem: NOT_READ },
    };
    containers.set(name, known);
    return known;
  };
  /** Why no child is started for it; null: one is. */
  const refusal = ({ hangs, failures, failedAt, failure }: Known): string | null =>
    hangs || (failures >= MAX_FAILURES && now() - failedAt < AGAIN_MS) ? failure : null;
  const fail = (known: Known, failure: string): void => {
    Object.assign(known, { failures: known.failures + 1, failedAt: now() });
    Object.assign(known, { failure, problem: failure });
  };

  const ask = async (known: Known, questions: readonly Question[]): Promise<void> => {
    let answered = 0;
    const child = startChild(questions, (words) => {
      const asked = questions[answered];
      answered += 1;
      if (asked !== undefined) remember(known, asked, words);
    });
    let stopWatching = (): void => undefined;
    const expired = new Promise<null>((resolve) => {
      stopWatching = after(LIMIT_MS, () => {
        resolve(null);
      });
    });
    const problem = await Promise.race([child.ended, expired]);
    stopWatching();
    if (problem === '') known.failures = 0;
    else fail(known, problem ?? NO_ANSWER);
    if (problem !== null) return;
    child.abandon();
    known.hangs = true;
    void child.ended.then(() => (known.hangs = false));
  };

  const readOne = async (container: ContainerImages, deadline: number): Promise<void> => {
    const known = knownOf(container.name);
    forget(known, container);
    const questions = container.images
      .filter((seen) => !known.programs.has(keyOf(seen)))
      .map(questionOf)
      .filter((question) => question !== null);
    if (questions.length === 0) return;
    const refused = now() > deadline ? 'too many containers give no answer' : refusal(known);
    known.problem =
      refused ?? (questions.length > MAX_ASKED ? `more than ${MAX_ASKED} to ask` : NOT_READ);
    if (refused === null) await ask(known, questions.slice(0, MAX_ASKED));
  };

  return {
    read: async (asked) => {
      // There may be names of containers that are no more.
      if (containers.size >= MAX_CONTAINERS)
        for (const [name, { hangs }] of containers) if (!hangs) containers.delete(name);
      const deadline = now() + TOGETHER_MS;
      const waiting = [...asked].sort(
        (one, other) => knownOf(one.name).failures - knownOf(other.name).failures,
      );
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
          await readOne(next, deadline);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    },
    of: (container, seen) => {
      const known = containers.get(container);
      const found = known?.programs.get(keyOf(seen));
      return found === undefined ? { reason: known?.problem ?? NOT_READ } : found.program;
    },
    hangs: (container) => containers.get(container)?.hangs === true,
  };
};
