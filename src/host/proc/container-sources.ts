import { posix } from 'node:path';
import { interpreterOf, isJava } from '../../core/stale/interpreted.ts';
import { mountOf } from '../../core/stale/parse-mountinfo.ts';
import type { Mount } from '../../core/stale/parse-mountinfo.ts';
import { readImage } from './container-programs.ts';
import type { SeenImage } from './container-programs.ts';
import type { Effort } from './effort.ts';
import { reasonOf } from './error-code.ts';
import { findInUpper } from './find-in-upper.ts';
import { openArchives } from './interpreted.ts';
import { mergedRoot } from './merged-root.ts';
import { sourcesOf } from './program-sources.ts';
import type { SourceBudget, SourceFile, SourceView } from './program-sources.ts';
import { startedAtMs, TOLERANCE_MS } from './read-program.ts';
import { readProcLink } from './read-processes.ts';
import type { SeenProcess } from './read-processes.ts';
import type { Surroundings } from './scan-surroundings.ts';
import type { UpperLayer } from './upper-layer.ts';

/** A process of a container that may be an interpreter, with the mounts that it sees. */
export interface Interpreting extends SeenImage {
  process: SeenProcess;
  mounts: readonly Mount[];
}

/** Those of one container; what they run is read beside the scan, and judged when it has been. */
export interface ContainerPrograms {
  name: string;
  lower: string;
  init: SeenProcess;
  /** The device of its root. */
  overlay: string;
  effort: Effort;
  /** Opens its upper layer for this alone: it must not use up what mappings need. */
  openUpper: () => UpperLayer | null;
  interpreting: Interpreting[];
}

/** Something that could not be told, of a process (null: of the container), and of a file of its program. */
interface UntoldProgram {
  process: SeenProcess | null;
  path?: string;
  reason: string;
}

/** What was found of them. */
export interface JudgedPrograms {
  /** Files of the host that a program is made of, and that were changed since its container's start. */
  replaced: { process: SeenProcess; paths: string[] }[];
  unread: UntoldProgram[];
}

/** How much is looked at for one program, and for all of a container. */
const ONE: SourceBudget = { files: 2_000, names: 40_000 };
const ALL: SourceBudget = { files: 6_000, names: 120_000 };
const MAX_PROGRAMS = 64;
/** More of one process say nothing that these do not. */
const MAX_NAMED = 10;
/** Of which so many are asked whether the container shows them. */
const MAX_ASKED = 50;
/** More processes that could not be read say nothing that these do not. */
const MAX_UNREAD = 10;

const unknownProgram = (why: string): { reason: string } => ({
  reason: `its command line is not known: ${why}`,
});
const TOO_MANY = 'there are more programs in its container than are looked into';

/** Whether a path of the container lies on its root, and not on a volume. */
const isOnRoot = (mounts: readonly Mount[], overlay: string, path: string): boolean => {
  const mount = mountOf(mounts, path);
  return mount?.device === overlay && mount.root === '/';
};

const archivesIn = (base: string, view: SourceView): SourceFile[] =>
  openArchives(base)
    .slice(0, ONE.files)
    .map(({ path }) => view.look(path))
    .filter((file) => file !== null);

/** The sources of programs of one container, or why they cannot be told: many of its processes run the same. */
const sourcesReader = (around: Surroundings, { name, overlay }: ContainerPrograms) => {
  const left = { ...ALL };
  const known = new Map<string, SourceFile[]>();
  return (seen: Interpreting, view: SourceView): SourceFile[] | { reason: string } => {
    const { base, mounts } = seen;
    const executable = readProcLink(`${base}/exe`) ?? '';
    // In a chroot inside the container its paths begin elsewhere.
    if (readProcLink(`${base}/root`) !== '/') return [];
    if (isJava(executable)) return archivesIn(base, view);
    if (interpreterOf(executable) === null) return [];
    const running = around.memory.programs.of(name, seen);
    if (running === null) return [];
    if ('reason' in running) return unknownProgram(running.reason);
    const { program, cwd } = running;
    if (program.kind === 'script' && !isOnRoot(mounts, overlay, posix.resolve(cwd, program.path)))
      return [];
    const key = JSON.stringify(running);
    const same = known.get(key);
    if (same !== undefined) return same;
    const budget = {
      files: Math.min(ONE.files, left.files),
      names: Math.min(ONE.names, left.names),
    };
    if (known.size >= MAX_PROGRAMS || budget.files <= 0 || budget.names <= 0)
      return { reason: TOO_MANY };
    left.files -= budget.files;
    left.names -= budget.names;
    const found = sourcesOf(running, view, { memory: around.memory.imports, budget });
    left.files += budget.files;
    left.names += Math.max(0, budget.names);
    known.set(key, found);
    return found;
  };
};

/** Each directory on the way to a path, and the path. */
const wayTo = (path: string): string[] => {
  const names = path.slice(1).split('/');
  return names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`);
};

/**
 * Whether the container shows the host's file there, and that one was changed: what an opaque or moved
 * directory hides is not what its programs read.
 */
const shownReader = (
  around: Surroundings,
  upper: UpperLayer,
  options: { lower: string; isChanged: (changedMs: number) => boolean },
): ((path: string) => boolean | { reason: string }) => {
  const lower = around.lowerOf(options.lower);
  const known = new Map<string, boolean | { reason: string }>();
  const ask = (path: string): boolean | { reason: string } => {
    try {
      const { state, lowerPath } = findInUpper(upper, path);
      const found = state === 'none' || state === 'metadata' ? lower.stat(lowerPath) : null;
      return found !== null && options.isChanged(Number(found.ctimeNs / 1_000_000n));
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  };
  return (path) => {
    const answer = known.get(path) ?? ask(path);
    known.set(path, answer);
    return answer;
  };
};

/** Those whose files the host has changed, asked of the container's own layers. */
const judgeIn = (
  around: Surroundings,
  programs: ContainerPrograms,
  options: { upper: UpperLayer; isChanged: (changedMs: number) => boolean },
): JudgedPrograms => {
  const { overlay, effort, lower } = programs;
  const { upper, isChanged } = options;
  const view = mergedRoot(upper, around.sharedRootOf(lower), effort);
  const read = sourcesReader(around, programs);
  const judged: JudgedPrograms = { replaced: [], unread: [] };
  const changed: { process: SeenProcess; paths: string[] }[] = [];
  try {
    for (const one of programs.interpreting) {
      effort.spend(0);
      // Another program by now: it has begun after this look, as a process may.
      if (readImage(one.base) !== one.image) continue;
      const sources = read(one, view);
      if ('reason' in sources) {
        judged.unread.push({ process: one.process, reason: sources.reason });
        continue;
      }
      const paths = sources
        .filter((file) => !file.own && isChanged(file.changedMs))
        .map(({ path }) => path)
        .filter((path) => isOnRoot(one.mounts, overlay, path));
      if (paths.length > 0)
        changed.push({ process: one.process, paths: paths.slice(0, MAX_ASKED) });
    }
  } catch (error) {
    // What was found until then stands.
    judged.unread.push({ process: null, reason: reasonOf(error) });
  }
  const ways = new Set(changed.flatMap(({ paths }) => paths.flatMap(wayTo)));
  around.memory.xattrs.prefetch(upper.questions([...ways]));
  const isShown = shownReader(around, upper, { lower, isChanged });
  for (const { process, paths } of changed) {
    const answers = paths.map((path) => ({ path, answer: isShown(path) }));
    const replaced = answers.filter(({ answer }) => answer === true).map(({ path }) => path);
    if (replaced.length > 0) judged.replaced.push({ process, paths: replaced.slice(0, MAX_NAMED) });
    const failed = answers.find(({ answer }) => typeof answer !== 'boolean');
    if (failed !== undefined && typeof failed.answer !== 'boolean')
      judged.unread.push({ process, path: failed.path, reason: failed.answer.reason });
  }
  return { ...judged, unread: judged.unread.slice(0, MAX_UNREAD) };
};

/**
 * Of the interpreted programs of a container those that are made of files of the host which were changed
 * since the container was started: its root may go on to show it those of before, also to a program
 * that was started later. What a program says of itself is a hint, looked up in the two layers alone; of
 * a program of more files than are looked at, what was seen counts.
 */
export const judgePrograms = (
  around: Surroundings,
  programs: ContainerPrograms,
): JudgedPrograms => {
  const wallNowMs = around.wallNow();
  const startedMs = startedAtMs(around.procRoot, programs.init.startTime, wallNowMs);
  if (startedMs === null)
    return {
      replaced: [],
      unread: [{ process: null, reason: 'the time of its start is not known' }],
    };
  // A time to come is of a clock that was set back: it would outlast each restart.
  const isChanged = (changedMs: number): boolean =>
    changedMs > startedMs + TOLERANCE_MS && changedMs <= wallNowMs + TOLERANCE_MS;
  let upper: UpperLayer | null = null;
  try {
    upper = programs.openUpper();
    if (upper === null) return { replaced: [], unread: [] };
    return judgeIn(around, programs, { upper, isChanged });
  } catch (error) {
    return { replaced: [], unread: [{ process: null, reason: reasonOf(error) }] };
  } finally {
    upper?.close();
  }
};
