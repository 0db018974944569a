import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { ChildIdentity } from '../runtime.ts';
import { identifyChild, SPARE_NAME, STOP_MARK } from './child-identity.ts';

/**
 * Is given a mark, with which each line begins that is its own and no command's. Tells its pid; reads `begin` with that pid, a soft
 * limit on open files, and then words, one a line, says on both outputs that it begins, and becomes that command at an empty
 * line, with the same pid. Ends without one when its input does, so also with its parent, and at anything else.
 * What the command says is read by people and by `readState`, so never translated.
 */
export const SPARE_SCRIPT = `
export LC_ALL=C
mark=$1
set --
printf '\\n%s pid %s\\n' "$mark" "$$"
IFS= read -r first && [ "$first" = "begin $$" ] || exit 0
IFS= read -r files || exit 0
while IFS= read -r word; do
  if [ -z "$word" ]; then
    ulimit -S -n "$files" 2>/dev/null
    [ "\${1##*/}" = lxc-stop ] && export ${STOP_MARK}=1
    printf '\\n%s begins\\n' "$mark"
    printf '\\n%s begins\\n' "$mark" >&2
    exec "$@" </dev/null
  fi
  set -- "$@" "$word"
done`;

/** A shell with pipes of its own. */
export type Shell = ChildProcessByStdio<Writable, Readable, Readable>;

/** How a command ended. Both null: it was never begun, or nobody heard of its end. */
export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A process that waits for the one command that it becomes. */
export interface Spare {
  child: ChildIdentity;
  begin: (input: string) => Promise<Ended>;
  /** Wait no longer for the end of what was begun: it cannot be told. */
  giveUp: () => void;
  /** It will not be used. */
  drop: () => void;
}

export const makeMark = (): string => randomBytes(16).toString('hex');

/** What a spare reads to become `argv`. */
export const spareInput = (
  { pid }: ChildIdentity,
  openFiles: number,
  argv: readonly string[],
): string => `begin ${pid}\n${openFiles}\n${argv.join('\n')}\n\n`;

/**
 * What was written after the line `<mark> begins`, and before the next line with the mark where there is one: the command's
 * own. Null: it has not begun.
 */
export const ownOutput = (text: string, mark: string): string | null => {
  const begins = `\n${mark} begins\n`;
  const at = text.indexOf(begins);
  if (at === -1) return null;
  const own = text.slice(at + begins.length);
  const end = own.indexOf(`\n${mark} `);
  return end === -1 ? own : own.slice(0, end);
};

/** Whether a shell and its pipes, which are sockets to Node.js, keep this process from ending. */
export const keepsAlive = (shell: Shell, keep: boolean): void => {
  const how = keep ? 'ref' : 'unref';
  shell[how]();
  for (const pipe of shell.stdio) if (pipe instanceof Socket) pipe[how]();
};

export interface Spawned {
  shell: Shell;
  self: ChildIdentity;
}

/** Not execa, which tells of a failed fork only in its result: a spare has none until it is used. Null: none was forked. */
export const spawnShell = (script: string, ...args: readonly string[]): Spawned | null => {
  let shell: Shell;
  try {
    shell = spawn('/bin/sh', ['-c', script, ...args], {
      stdio: 'pipe',
      // A session of its own: Ctrl-C at a terminal does not reach it.
      detached: true,
    });
  } catch {
    // Some errors (ENOMEM) are thrown.
    return null;
  }
  // Others are told later; what could not be forked has no pid, and perhaps no pipes.
  shell.on('error', () => undefined);
  if (shell.pid === undefined) return null;
  // Written to after it has died: its end tells.
  shell.stdin.on('error', () => undefined);
  const self = identifyChild(shell.pid);
  if (self !== null) return { shell, self };
  keepsAlive(shell, false);
  shell.stdin.end();
  return null;
};

/** What a command left in the pipes when it ended is read for this long; what it started may keep them open. */
const DRAIN_MS = 200;

/** A spare of our own, forked in this very tick. Null: none could be. */
export const forkSpare = (): Spare | null => {
  const mark = makeMark();
  const spawned = spawnShell(SPARE_SCRIPT, SPARE_NAME, mark);
  if (spawned === null) return null;
  const { shell, self } = spawned;
  const written = { stdout: '', stderr: '' };
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  shell.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  let finish = (): void => undefined;
  const ended = new Promise<Ended>((resolve) => {
    finish = () => {
      const stdout = ownOutput(written.stdout, mark);
      const stderr = ownOutput(written.stderr, mark) ?? '';
      const { exitCode, signalCode } = shell;
      shell.stdout.destroy();
      shell.stderr.destroy();
      resolve(
        stdout === null
          ? { exitCode: null, signal: signalCode, stdout: '', stderr }
          : { exitCode, signal: signalCode, stdout, stderr },
      );
    };
    let drain: NodeJS.Timeout | undefined;
    shell.once('exit', () => {
      drain = setTimeout(finish, DRAIN_MS);
    });
    shell.once('close', () => {
      clearTimeout(drain);
      finish();
    });
  });
  return {
    child: self,
    begin: (input) => {
      shell.stdin.end(input);
      return ended;
    },
    giveUp: () => {
      finish();
    },
    drop: () => {
      keepsAlive(shell, false);
      shell.stdin.end();
    },
  };
};
