import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { ChildIdentity } from '../runtime.ts';
import { identifyChild, SPARE_NAME, STOP_MARK } from './child-identity.ts';

/**
 * Tells its pid; reads `begin` with that pid, a soft limit on open files, and then words, one a line, and becomes
 * that command at an empty line, with the same pid. Ends without one when its input does, so also with its parent, and at
 * anything else. What it says is read by people and by `readState`, so never translated.
 */
export const SPARE_SCRIPT = `
export LC_ALL=C
echo "$$"
IFS= read -r first && [ "$first" = "begin $$" ] || exit 0
IFS= read -r files || exit 0
while IFS= read -r word; do
  if [ -z "$word" ]; then
    ulimit -S -n "$files" 2>/dev/null
    [ "\${1##*/}" = lxc-stop ] && export ${STOP_MARK}=1
    exec "$@" </dev/null
  fi
  set -- "$@" "$word"
done`;

/** A shell with pipes of its own. */
export type Shell = ChildProcessByStdio<Writable, Readable, Readable>;

/** How a command ended: `exitCode` null where a signal ended it. */
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
}

/** What a spare reads to become `argv`. */
export const spareInput = (
  { pid }: ChildIdentity,
  openFiles: number,
  argv: readonly string[],
): string => `begin ${pid}\n${openFiles}\n${argv.join('\n')}\n\n`;

/** Whether a shell and its pipes, which are sockets to Node.js, keep this process from ending. */
export const keepsAlive = (shell: Shell, keep: boolean): void => {
  const how = keep ? 'ref' : 'unref';
  shell[how]();
  for (const pipe of shell.stdio) if (pipe instanceof Socket) pipe[how]();
};

/** Not execa, which tells of a failed fork only in its result: a spare has none until it is used. Null: none was forked. */
export const spawnShell = (script: string, ...args: readonly string[]): Shell | null => {
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
  return shell;
};

/** A spare of our own, forked in this very tick. Null: none could be. */
export const forkSpare = (): Spare | null => {
  const shell = spawnShell(SPARE_SCRIPT, SPARE_NAME);
  const child = shell?.pid === undefined ? null : identifyChild(shell.pid);
  if (shell === null || child === null) return null;
  const written = { stdout: '', stderr: '' };
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  shell.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    shell.once('close', (exitCode, signal) => {
      const { stdout, stderr } = written;
      // Its first line is its pid.
      resolve({ exitCode, signal, stdout: stdout.replace(/^.*\n?/, ''), stderr });
    });
  });
  return {
    child,
    begin: (input) => {
      shell.stdin.end(input);
      return ended;
    },
  };
};
