import { realpathSync, statSync } from 'node:fs';
import { interpreterOf, isJava, openedClasses } from '../../core/stale/interpreted.ts';
import type { Interpreter } from '../../core/stale/interpreted.ts';
import { identityOf } from './file-content.ts';
import type { ImportMemory } from './import-memory.ts';
import { firstNames, list, namesIn, searchPath } from './module-paths.ts';
import { sourcesOf } from './program-sources.ts';
import type { Names, SourceFile, SourceView } from './program-sources.ts';
import { readProgram, startedAtMs, TOLERANCE_MS } from './read-program.ts';
import { readProcLink, readProcText } from './read-processes.ts';
import type { SeenProcess } from './read-processes.ts';

const MAX_FILES = 2_000;
const MAX_MODULE_NAMES = 100_000;
const MAX_SOURCE_BYTES = 4 << 20;
/** A runtime opens its archives early, so that they have low numbers. */
const MAX_DESCRIPTORS = 10_000;

/** A source file: its identity and time; null where it is no regular file. */
const look = (path: string): { identity: string; changedMs: number; size: bigint } | null => {
  try {
    const found = statSync(path, { bigint: true });
    if (!found.isFile()) return null;
    return {
      identity: identityOf(found),
      changedMs: Number(found.ctimeNs / 1_000_000n),
      size: found.size,
    };
  } catch {
    return null;
  }
};

/** Archives and classes that a Java program holds open, by the links of its descriptors. */
export const openArchives = (base: string): { path: string; deleted: boolean }[] =>
  [...(firstNames(`${base}/fd`, MAX_DESCRIPTORS)?.names ?? [])]
    .map((descriptor) => openedClasses(readProcLink(`${base}/fd/${descriptor}`) ?? ''))
    .filter((opened) => opened !== null);

/** What programs put there themselves, they also take away while they use it. */
const SCRATCH = /^\/(?:tmp|var\/tmp|run|dev\/shm)\//;

/**
 * Archives and classes that a Java program holds open and that were changed after it was started, as
 * needrestart finds them: a Java runtime reads its archives, and maps but its own.
 */
const changedArchives = (base: string, startedMs: number): string[] => {
  const changed = new Set<string>();
  for (const { path, deleted } of openArchives(base)) {
    const found = look(`${base}/root${path}`);
    const newer = found !== null && found.changedMs > startedMs + TOLERANCE_MS;
    if (newer || (deleted && (found !== null || !SCRATCH.test(path)))) changed.add(path);
  }
  return [...changed].sort();
};

/** Where a file lies when links are followed; Node asks for what is beside that one. */
const realPath = (root: string, path: string): string => {
  try {
    const top = realpathSync(root);
    const real = realpathSync(root + path);
    const below = top === '/' ? real : real.slice(top.length);
    return real.startsWith(top) && below.startsWith('/') ? below : path;
  } catch {
    return path;
  }
};

/** The files that a process of the host sees. */
const hostView = (root: string, interpreter: Interpreter): SourceView => {
  const directories = new Map<string, Names | null>();
  return {
    look: (path): SourceFile | null => {
      const found = look(root + path);
      if (found === null) return null;
      return {
        path: interpreter === 'node' ? realPath(root, path) : path,
        own: false,
        identity: found.identity,
        changedMs: found.changedMs,
        read: () => (found.size > MAX_SOURCE_BYTES ? '' : readProcText(root + path)),
      };
    },
    names: (directory) => {
      const known = directories.get(directory);
      if (known !== undefined) return known;
      const names = namesIn(root + directory);
      directories.set(directory, names);
      return names;
    },
    searchPath: (language) => searchPath(language, (directory) => list(root + directory)),
  };
};

/**
 * Source files of an interpreted program of the host (Python, Perl, Ruby, PHP, Node) that were changed
 * after it was started: the script itself and the modules that it names, followed through their own
 * imports, as needrestart does. A program whose script cannot be told (`-c`, `-e`) has none. Of a Java
 * program, the archives that it holds open.
 */
export const changedSources = (
  procRoot: string,
  process: Pick<SeenProcess, 'pid' | 'startTime'>,
  options: { memory: ImportMemory; wallNowMs: number },
): string[] => {
  const base = `${procRoot}/${process.pid}`;
  const executable = readProcLink(`${base}/exe`) ?? '';
  const startedMs = startedAtMs(procRoot, process.startTime, options.wallNowMs);
  if (startedMs === null) return [];
  if (isJava(executable)) return changedArchives(base, startedMs);
  const interpreter = interpreterOf(executable);
  const running = interpreter === null ? null : readProgram(base, interpreter, executable);
  if (running === null) return [];
  return sourcesOf(running, hostView(`${base}/root`, running.interpreter), {
    memory: options.memory,
    budget: { files: MAX_FILES, names: MAX_MODULE_NAMES },
  })
    .filter(({ changedMs }) => changedMs > startedMs + TOLERANCE_MS)
    .map(({ path }) => path);
};
