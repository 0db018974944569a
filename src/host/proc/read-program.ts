import { closeSync, constants, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { programOf } from '../../core/stale/interpreted.ts';
import type { Interpreter, Program } from '../../core/stale/interpreted.ts';
import { modulesVariable } from './module-paths.ts';
import { readProcLink, readProcText } from './read-processes.ts';

/** What an interpreter runs, by its process's own word: nothing but a hint. */
export interface RunningProgram {
  interpreter: Interpreter;
  program: Exclude<Program, null>;
  cwd: string;
  /** Directories that its environment puts before the others. */
  own: readonly string[];
}

/** A process may be given millions of bytes of them, and may change them. */
export const MAX_ARGV_BYTES = 1 << 16;
export const MAX_ENVIRON_BYTES = 1 << 18;
const MAX_OWN_DIRECTORIES = 32;
/** PATH_MAX: longer ones name nothing. */
const MAX_PATH = 4096;

/** The beginning of an open file, however long it has become. */
export const readUpTo = (fd: number, limit: number): string => {
  const buffer = Buffer.allocUnsafe(limit);
  let length = 0;
  for (let got = -1; got !== 0 && length < limit; length += got)
    got = readSync(fd, buffer, length, limit - length, length);
  return buffer.toString('utf8', 0, length);
};

/** The beginning of a file of procfs; '' where it is gone or may not be read. */
const readBeginning = (path: string, limit: number): string => {
  try {
    const fd = openSync(path, constants.O_RDONLY);
    try {
      return readUpTo(fd, limit);
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
};

/** Strings that each end with a NUL; one that was cut off at the limit is left out. */
const strings = (text: string): string[] => text.split('\0').slice(0, -1);

/** A path that can be looked up: not one whose bytes are not UTF-8. */
const canBe = (path: string): boolean =>
  path !== '' && path.length < MAX_PATH && !path.includes('\ufffd');

/** Where a virtual environment of Python keeps its packages, by the name that its interpreter was called with. */
const packagesOfEnvironment = (argv0: string, cwd: string, executable: string): string[] => {
  const version = /\/python(3\.\d+)(?: \(deleted\))?$/.exec(executable)?.[1];
  const home = /^(.*)\/bin\/python[\d.]*$/.exec(canBe(argv0) ? argv0 : '')?.[1];
  return version === undefined || home === undefined
    ? []
    : [posix.resolve(cwd, home, `lib/python${version}/site-packages`)];
};

/** The beginnings of what lies in the memory of a process: whoever reads them waits for that. */
export interface ProcessWords {
  cmdline: string;
  /** Not read where the interpreter takes no directories from it. */
  environ: string;
}

/** What the process whose directory in procfs is `base` runs, by its words; null where that cannot be told. */
export const programOfWords = (
  base: string,
  { interpreter, executable }: { interpreter: Interpreter; executable: string },
  words: ProcessWords,
): RunningProgram | null => {
  const argv = strings(words.cmdline);
  const program = programOf(interpreter, argv);
  const cwd = readProcLink(`${base}/cwd`);
  if (program === null || cwd?.startsWith('/') !== true) return null;
  if (!canBe(program.kind === 'script' ? program.path : program.name)) return null;
  const variable = modulesVariable[interpreter];
  const directories =
    variable === undefined
      ? []
      : strings(words.environ)
          .filter((one) => one.startsWith(`${variable}=`))
          .flatMap((one) => one.slice(variable.length + 1).split(':'))
          .filter(canBe)
          .slice(0, MAX_OWN_DIRECTORIES)
          .map((one) => posix.resolve(cwd, one));
  const environment =
    interpreter === 'python' ? packagesOfEnvironment(argv[0] ?? '', cwd, executable) : [];
  return { interpreter, program, cwd, own: [...directories, ...environment] };
};

/** The same, read at once: only of processes of the host, for those in containers may make it wait for ever. */
export const readProgram = (
  base: string,
  interpreter: Interpreter,
  executable: string,
): RunningProgram | null =>
  programOfWords(
    base,
    { interpreter, executable },
    {
      cmdline: readBeginning(`${base}/cmdline`, MAX_ARGV_BYTES),
      environ:
        modulesVariable[interpreter] === undefined
          ? ''
          : readBeginning(`${base}/environ`, MAX_ENVIRON_BYTES),
    },
  );

/** /proc/PID/stat counts in these on every Linux, proc_pid_stat(5) and sysconf(_SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;
/** Start times are known to a hundredth of a second, file times to a tick of the kernel. */
export const TOLERANCE_MS = 50;

/** When a process was started, in milliseconds of the wall clock; null where that is not known. */
export const startedAtMs = (
  procRoot: string,
  startTime: string,
  wallNowMs: number,
): number | null => {
  const uptime = Number((readProcText(`${procRoot}/uptime`) ?? '').split(' ')[0]);
  return Number.isNaN(uptime) || uptime === 0
    ? null
    : wallNowMs - uptime * 1000 + (Number(startTime) / TICKS_PER_SECOND) * 1000;
};
