import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { ChildIdentity } from '../runtime.ts';
import { identifyChild, SPARE_NAME, STOP_MARK } from './child-identity.ts';
import { isLive, readProcessStat } from './process-stat.ts';

/**
 * Reads a soft limit on open files and then words, one a line, and becomes that command at an empty line;
 * ends without one when its input does, so also with its parent. It has the pid of the command from the
 * beginning. What it says is read by people and by `readState`, so never translated.
 */
const SCRIPT = `
export LC_ALL=C
IFS= read -r files || exit 0
while IFS= read -r word; do
  if [ -z "$word" ]; then
    ulimit -S -n "$files" 2>/dev/null
    [ "\${1##*/}" = lxc-stop ] && export ${STOP_MARK}=1
    exec "$@" </dev/null
  fi
  set -- "$@" "$word"
done`;

/** A shell that waits for the one command that it becomes. */
type Spare = ChildProcessByStdio<Writable, Readable, Readable>;

/** How a command ended: `exitCode` null where a signal ended it. */
export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  ended: Promise<Ended>;
  /** SIGTERM, and SIGKILL half a second later. */
  kill: () => void;
}

const KILL_AFTER_MS = 500;

/** Whether a child and its pipes, which are sockets to Node.js, keep this process from ending. */
const keepsAlive = (child: Spare, keep: boolean): void => {
  const how = keep ? 'ref' : 'unref';
  child[how]();
  for (const pipe of child.stdio) if (pipe instanceof Socket) pipe[how]();
};

/** Not execa, which tells of a failed fork only in its result: a spare has none until it is used. Null: none was forked. */
const spawnSpare = (): Spare | null => {
  let child: Spare;
  try {
    child = spawn('/bin/sh', ['-c', SCRIPT, SPARE_NAME], {
      stdio: 'pipe',
      // A session of its own: Ctrl-C at a terminal does not reach it.
      detached: true,
    });
  } catch {
    // Some errors (ENOMEM) are thrown.
    return null;
  }
  // Others are told later; what could not be forked has no pid, and perhaps no pipes.
  child.on('error', () => undefined);
  if (child.pid === undefined) return null;
  // Written to after it has died: its end tells.
  child.stdin.on('error', () => undefined);
  return child;
};

const isUsable = ({ pid, exitCode, signalCode }: Spare): boolean =>
  pid !== undefined &&
  exitCode === null &&
  signalCode === null &&
  isLive(readProcessStat('/proc', pid));

const endOf = (child: Spare): Promise<Ended> => {
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  return new Promise((resolve) => {
    child.once('close', (exitCode, signal) => {
      resolve({ exitCode, signal, ...written });
    });
  });
};

/** How long a spare waits to be used; restarts of a wave follow closer than that. */
const KEEP_MS = 10_000;

export interface BeginOptions {
  /** Soft limit on open files: Node.js raises its own to the hard one, and what it starts inherits that. */
  openFiles: number;
  /** Told who it will be before it begins, so that it can be journaled first. */
  onChild?: (child: ChildIdentity) => void;
}

/**
 * So many are forked when there is none left: a restart takes two, and both are forked while its container stops,
 * which takes the longest, and none while it starts.
 */
const SPARES = 2;

/**
 * Processes for commands that must begin at once. To fork a process with a heap of a hundred megabytes
 * takes many times as long as to write to a pipe, so one that was forked before becomes the command, and the
 * next ones are forked while that runs. None is kept where nothing was run for a while.
 */
export interface SpareProcesses {
  /**
   * Begin `argv`, in which no word is empty or has a newline, in this very tick. Throws where it cannot be
   * begun: nothing was run then.
   */
  begin: (argv: readonly string[], options: BeginOptions) => Running;
}

export const createSpareProcesses = (): SpareProcesses => {
  let spares: Spare[] = [];
  let idle: NodeJS.Timeout | undefined;

  const discard = (): void => {
    for (const spare of spares) spare.stdin.end();
    spares = [];
  };
  const fork = (): void => {
    const fresh = spawnSpare();
    // No more processes, files or memory now: the next command tells, if it is still so then.
    if (fresh === null) return;
    keepsAlive(fresh, false);
    spares.push(fresh);
    // A fork holds up all else: what has come meanwhile goes first.
    if (spares.length < SPARES) setImmediate(fork);
  };
  const keepSome = (): void => {
    spares = spares.filter(isUsable);
    if (spares.length === 0) fork();
    clearTimeout(idle);
    idle = setTimeout(discard, KEEP_MS).unref();
  };
  const takeOne = (): Spare | null => {
    for (let spare = spares.shift(); spare !== undefined; spare = spares.shift())
      if (isUsable(spare)) return spare;
    return spawnSpare();
  };

  return {
    begin: (argv, { openFiles, onChild }) => {
      if (argv.some((word) => word === '' || word.includes('\n')))
        throw new Error(`not to be run: an empty word or a newline in ${JSON.stringify(argv)}`);
      const used = takeOne();
      const child = used?.pid === undefined ? null : identifyChild(used.pid);
      if (used === null || child === null)
        throw new Error(
          `${argv[0] ?? ''} was not run: no process could be forked (too many processes or open files, no memory?)`,
        );
      keepsAlive(used, true);
      const ended = endOf(used);
      onChild?.(child);
      used.stdin.end(`${[openFiles, ...argv].join('\n')}\n\n`);
      setImmediate(keepSome);
      return {
        ended,
        kill: () => {
          used.kill('SIGTERM');
          setTimeout(() => used.kill('SIGKILL'), KILL_AFTER_MS).unref();
        },
      };
    },
  };
};
