import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import type { ChildIdentity } from '../runtime.ts';
import { FORKER_NAME, identifyChild, isAtWork, SPARE_NAME } from './child-identity.ts';
import { keepsAlive, SPARE_SCRIPT, spawnShell } from './spare-process.ts';
import type { Ended, Shell, Spare } from './spare-process.ts';

/**
 * At each line `next` one spare is forked, which shares its pipes; when the command that it became has ended, both
 * outputs get a line with the mark. Ends with its input, which its parent's death ends too, once its command has.
 */
const SCRIPT = `
export LC_ALL=C
while IFS= read -r line; do
  [ "$line" = next ] || continue
  /bin/sh -c "$2" ${SPARE_NAME}
  printf '\\n%s %s\\n' "$1" "$?"
  printf '\\n%s\\n' "$1" >&2
done`;

/** A shell says 128 and the signal's number for what a signal ended. */
const SIGNAL_BASE = 128;

const endedBy = (status: number): Pick<Ended, 'exitCode' | 'signal'> => {
  const known = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const signal = known.find(([, number]) => number === status - SIGNAL_BASE)?.[0] ?? null;
  return { exitCode: signal === null ? status : null, signal };
};

/**
 * Cuts what a command wrote from what comes after it: answers the text before the mark's line, and the rest of that
 * line; null where the mark has not come yet.
 */
const cutAtMark = (text: string, mark: string): { before: string; rest: string } | null => {
  const at = text.indexOf(`\n${mark}`);
  const end = at === -1 ? -1 : text.indexOf('\n', at + 1);
  if (end === -1) return null;
  return { before: text.slice(0, at), rest: text.slice(at + 1 + mark.length, end) };
};

export interface Forker {
  /** The spare that waits for its command; null while there is none, and where somebody ended it. */
  spare: () => Spare | null;
  /** Whether a command of it runs. */
  isBusy: () => boolean;
  /** Whether it will have no spare any more. */
  isOver: () => boolean;
  /** Fork no more. A command that runs goes on. */
  end: () => void;
}

/**
 * A small shell that forks for us: one after another, processes that wait to become a command. To fork this
 * process costs so much more, and it pays again for each page of its memory that it writes to afterwards. Null: it could not
 * be forked itself.
 */
export const createForker = (onEnd: () => void): Forker | null => {
  const mark = randomBytes(16).toString('hex');
  const shell: Shell | null = spawnShell(SCRIPT, FORKER_NAME, mark, SPARE_SCRIPT);
  const self = shell?.pid === undefined ? null : identifyChild(shell.pid);
  if (shell === null || self === null) return null;
  keepsAlive(shell, false);

  const state = { over: false, busy: false };
  let waiting: ChildIdentity | null = null;
  let resolveEnd: ((ended: Ended) => void) | null = null;
  let texts = { stdout: '', stderr: '' };

  const end = (): void => {
    state.over = true;
    waiting = null;
    shell.stdin.end();
  };
  const next = (): void => {
    texts = { stdout: '', stderr: '' };
    shell.stdin.write('next\n');
  };
  const finish = (ended: Ended): void => {
    state.busy = false;
    keepsAlive(shell, false);
    const resolve = resolveEnd;
    resolveEnd = null;
    resolve?.(ended);
    onEnd();
  };
  /** The first line of a spare is its pid. */
  const greet = (): void => {
    const line = /^(\d+)\n/.exec(texts.stdout);
    if (line === null || waiting !== null || state.busy || state.over) return;
    texts.stdout = texts.stdout.slice(line[0].length);
    waiting = identifyChild(Number(line[1]));
    if (waiting === null) end();
  };
  const look = (): void => {
    greet();
    const out = cutAtMark(texts.stdout, mark);
    const err = cutAtMark(texts.stderr, mark);
    if (out === null || err === null) return;
    const how = endedBy(Number(out.rest));
    const ended = { ...how, stdout: out.before, stderr: err.before };
    // What ended before it had a command, or by a signal, may have left words behind that the next one would read.
    if (!state.busy || how.signal !== null) end();
    else if (!state.over) next();
    if (state.busy) finish(ended);
  };
  const hear = (which: 'stdout' | 'stderr'): void => {
    shell[which].setEncoding('utf8').on('data', (text: string) => {
      texts[which] += text;
      look();
    });
  };
  hear('stdout');
  hear('stderr');
  shell.once('close', (_exitCode, signal) => {
    end();
    // Somebody ended the shell; its pipes are closed, so its command is over as well.
    if (state.busy) finish({ exitCode: null, signal: signal ?? 'SIGKILL', ...texts });
  });
  next();

  return {
    spare: () => {
      const child = waiting;
      if (child === null) return null;
      // We may not have heard of it yet.
      if (!isAtWork(self) || !isAtWork(child)) {
        end();
        return null;
      }
      return {
        child,
        begin: (input) => {
          waiting = null;
          state.busy = true;
          keepsAlive(shell, true);
          shell.stdin.write(input);
          return new Promise((resolve) => {
            resolveEnd = resolve;
          });
        },
      };
    },
    isBusy: () => state.busy,
    isOver: () => state.over,
    end,
  };
};
