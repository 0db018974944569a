import { Socket } from 'node:net';
import { execa } from 'execa';
import { STOP_MARK } from './child-identity.ts';

/**
 * Soft limit on open files that a login and systemd(1) give. Node.js raises its own to the hard one, and what it
 * starts inherits that: containers would come back with another limit than they had.
 */
const OPEN_FILES = 1024;

/**
 * Reads words, one a line, and becomes that command at an empty line; ends without one when its input does,
 * so also with its parent. It has the pid of the command from the beginning.
 */
const SCRIPT = `
ulimit -S -n ${OPEN_FILES} 2>/dev/null
while IFS= read -r word; do
  if [ -z "$word" ]; then
    [ "$1" = lxc-stop ] && export ${STOP_MARK}=1
    exec "$@" </dev/null
  fi
  set -- "$@" "$word"
done`;

/** A shell that waits for the one command that it becomes. */
const spawnSpare = () =>
  execa('sh', ['-c', SCRIPT, 'groundswell-spare'], {
    stdin: 'pipe',
    // A session of its own: Ctrl-C at a terminal does not reach it.
    detached: true,
    reject: false,
    forceKillAfterDelay: 500,
    // Read by people and by `readState`: never translated.
    env: { LC_ALL: 'C' },
  });

export type SpareProcess = ReturnType<typeof spawnSpare>;

/** Whether a child and its pipes, which are sockets to Node.js, keep this process from ending. */
const keepsAlive = (child: SpareProcess, keep: boolean): void => {
  const how = keep ? 'ref' : 'unref';
  child[how]();
  for (const pipe of [child.stdin, child.stdout, child.stderr])
    if (pipe instanceof Socket) pipe[how]();
};

/** How long a spare waits to be used; restarts of a wave follow closer than that. */
const KEEP_MS = 10_000;

/**
 * Processes for commands that must begin at once. To fork a process with a heap of a hundred megabytes
 * takes many times as long as to write to a pipe, so one that was forked before becomes the command, and the
 * next one is forked while that runs. None is kept where nothing was run for a while.
 */
export interface SpareProcesses {
  /** Begin `argv`, in which no word is empty or has a newline. The command begins in this very tick. */
  begin: (argv: readonly string[]) => SpareProcess;
}

export const createSpareProcesses = (): SpareProcesses => {
  let spare: SpareProcess | null = null;
  let idle: NodeJS.Timeout | undefined;

  const discard = (): void => {
    spare?.stdin.end();
    spare = null;
  };
  const keepOne = (): void => {
    if (spare === null) {
      const fresh = spawnSpare();
      keepsAlive(fresh, false);
      fresh.once('exit', () => {
        if (spare === fresh) spare = null;
      });
      spare = fresh;
    }
    clearTimeout(idle);
    idle = setTimeout(discard, KEEP_MS).unref();
  };

  return {
    begin: (argv) => {
      if (argv.some((word) => word === '' || word.includes('\n')))
        throw new Error(`not to be run: an empty word or a newline in ${JSON.stringify(argv)}`);
      const used = spare ?? spawnSpare();
      spare = null;
      keepsAlive(used, true);
      used.stdin.on('error', () => undefined);
      used.stdin.end(`${argv.join('\n')}\n\n`);
      setImmediate(keepOne);
      return used;
    },
  };
};
