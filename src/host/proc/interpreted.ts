import { statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import {
  importsOf,
  interpreterOf,
  isJava,
  moduleFiles,
  openedClasses,
  programOf,
} from '../../core/stale/interpreted.ts';
import { identityOf } from './file-content.ts';
import { list, modulesVariable, searchPath } from './module-paths.ts';
import { readProcLink, readProcText } from './read-processes.ts';
import type { SeenProcess } from './read-processes.ts';

/** Imports of source files by their identity: sources are read once. */
export type ImportMemory = Map<string, readonly string[]>;

const MAX_FILES = 2_000;
const MAX_REMEMBERED = 20_000;
const MAX_SOURCE_BYTES = 4 << 20;
/** /proc/PID/stat counts in these on every Linux, proc_pid_stat(5) and sysconf(_SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;
/** Start times are known to a hundredth of a second, file times to a tick of the kernel. */
const TOLERANCE_MS = 50;

/** When a process was started, in milliseconds of the wall clock; null where that is not known. */
const startedAtMs = (procRoot: string, startTime: string, wallNowMs: number): number | null => {
  const uptime = Number((readProcText(`${procRoot}/uptime`) ?? '').split(' ')[0]);
  return Number.isNaN(uptime) || uptime === 0
    ? null
    : wallNowMs - uptime * 1000 + (Number(startTime) / TICKS_PER_SECOND) * 1000;
};

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

/** What programs put there themselves, they also take away while they use it. */
const SCRATCH = /^\/(?:tmp|var\/tmp|run|dev\/shm)\//;

/**
 * Archives and classes that a Java program holds open and that were changed after it was started, as
 * needrestart finds them: a Java runtime reads its archives, and maps but its own.
 */
const changedArchives = (base: string, startedMs: number): string[] => {
  const changed = new Set<string>();
  for (const descriptor of list(`${base}/fd`)) {
    const opened = openedClasses(readProcLink(`${base}/fd/${descriptor}`) ?? '');
    if (opened === null) continue;
    const { path, deleted } = opened;
    const found = look(`${base}/root${path}`);
    const newer = found !== null && found.changedMs > startedMs + TOLERANCE_MS;
    if (newer || (deleted && (found !== null || !SCRATCH.test(path)))) changed.add(path);
  }
  return [...changed].sort();
};

/**
 * Source files of an interpreted program of the host (Python, Perl, Ruby) that were changed after
 * it was started: the script itself and the modules that it names, followed through their own
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
  if (interpreter === null) return [];
  const argv = (readProcText(`${base}/cmdline`) ?? '').split('\0').slice(0, -1);
  const program = programOf(interpreter, argv);
  const cwd = readProcLink(`${base}/cwd`);
  if (program === null || cwd === null) return [];

  const variable = `${modulesVariable[interpreter]}=`;
  const own = (readProcText(`${base}/environ`) ?? '')
    .split('\0')
    .filter((one) => one.startsWith(variable))
    .flatMap((one) => one.slice(variable.length).split(':'))
    .filter((path) => path !== '');
  const root = `${base}/root`;
  const script = program.kind === 'script' ? posix.resolve(cwd, program.path) : null;
  const path = [
    script === null ? cwd : dirname(script),
    ...own.map((one) => posix.resolve(cwd, one)),
    ...searchPath(interpreter, root),
  ];

  const seen = new Set<string>();
  const changed: string[] = [];
  const waiting: string[] = script === null ? [] : [script];
  const find = (name: string, from: string): void => {
    for (const directory of [dirname(from), ...path])
      for (const file of moduleFiles(interpreter, name)) waiting.push(join(directory, file));
  };
  if (program.kind === 'module') {
    find(program.name, join(cwd, '-'));
    find(`${program.name}.__main__`, join(cwd, '-'));
  }
  for (let at = 0; at < waiting.length && seen.size < MAX_FILES; at += 1) {
    const file = waiting[at] ?? '';
    if (seen.has(file)) continue;
    const found = look(root + file);
    if (found === null) continue;
    seen.add(file);
    if (found.changedMs > startedMs + TOLERANCE_MS) changed.push(file);
    let imports = options.memory.get(found.identity);
    if (imports === undefined) {
      imports =
        found.size > MAX_SOURCE_BYTES
          ? []
          : importsOf(interpreter, readProcText(root + file) ?? '');
      if (options.memory.size >= MAX_REMEMBERED) options.memory.clear();
      options.memory.set(found.identity, imports);
    }
    for (const name of imports) find(name, file);
  }
  return changed;
};
