import { constants } from 'node:os';
import type { ChildIdentity } from '../runtime.ts';
import { FORKER_NAME, identifyChild, SPARE_NAME, waitsForInput } from './child-identity.ts';
import { keepsAlive, makeMark, ownOutput, SPARE_SCRIPT, spawnShell } from './spare-process.ts';
import type { Ended, Spare } from './spare-process.ts';

/**
 * At each line `next` one spare is forked, which shares its pipes; when the command that it became has ended, both
 * outputs get a line with the mark. Ends with its input, which its parent's death ends too, once its command has.
 */
const SCRIPT = `
export LC_ALL=C
while IFS= read -r line; do
  [ "$line" = next ] || continue
  /bin/sh -c "$2" ${SPARE_NAME} "$1"
  printf '\\n%s ended %s\\n' "$1" "$?"
  printf '\\n%s ended\\n' "$1" >&2
done`;

/** A shell says 128 and the signal's number for what a signal ended; what exits so itself cannot be told from that. */
const SIGNAL_BASE = 128;

const endedBy = (status: number): Pick<Ended, 'exitCode' | 'signal'> => {
  const known = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const signal = known.find(([, number]) => number === status - SIGNAL_BASE)?.[0] ?? null;
  return { exitCode: signal === null ? status : null, signal };
};

export interface ForkerOptions {
  /** How long it waits to be used. */
  keepMs: number;
  /** A spare that is not there by then is not waited for. */
  greetingMs: number;
  /** Told the pid of each spare that is there, from now on to be used. */
  onSpare?: (pid: number) => void;
}

export interface Forker {
  /** The spare that waits for its command; null while there is none, and where somebody ended it. */
  spare: () => Spare | null;
  /** Whether a command of it runs. */
  isBusy: () => boolean;
  /** Whether it will have no spare any more. */
  isOver: () => boolean;
}

/**
 * A small shell that forks for us: one after another, processes that wait to become a command. To fork this
 * process costs so much more, and it pays again for each page of its memory that it writes to afterwards. Ends when it was not
 * used for a while. Null: it could not be forked itself.
 */
export const createForker = ({ keepMs, greetingMs, onSpare }: ForkerOptions): Forker | null => {
  const mark = makeMark();
  const spawned = spawnShell(SCRIPT, FORKER_NAME, mark, SPARE_SCRIPT);
  if (spawned === null) return null;
  const { shell, self } = spawned;
  keepsAlive(shell, false);

  const state = { over: false, busy: false };
  let waiting: ChildIdentity | null = null;
  let resolveEnd: ((ended: Ended) => void) | null = null;
  let texts = { stdout: '', stderr: '' };
  let limit: NodeJS.Timeout | undefined;

  const end = (): void => {
    clearTimeout(limit);
    state.over = true;
    waiting = null;
    shell.stdin.end();
  };
  const endAfter = (ms: number): void => {
    clearTimeout(limit);
    limit = setTimeout(end, ms).unref();
  };
  const next = (): void => {
    texts = { stdout: '', stderr: '' };
    endAfter(greetingMs);
    shell.stdin.write('next\n');
  };
  const finish = (how: Pick<Ended, 'exitCode' | 'signal'>): void => {
    if (!state.busy) return;
    const stdout = ownOutput(texts.stdout, mark);
    const stderr = ownOutput(texts.stderr, mark) ?? '';
    // What had not begun did nothing, however it ended.
    const ended = stdout === null ? { ...how, exitCode: null } : how;
    state.busy = false;
    keepsAlive(shell, false);
    const resolve = resolveEnd;
    resolveEnd = null;
    resolve?.({ ...ended, stdout: stdout ?? '', stderr });
  };
  const greet = (): void => {
    const pid = new RegExp(`\\n${mark} pid (\\d+)\\n`).exec(texts.stdout)?.[1];
    if (pid === undefined || waiting !== null || state.busy || state.over) return;
    waiting = identifyChild(Number(pid));
    if (waiting === null) {
      end();
      return;
    }
    endAfter(keepMs);
    onSpare?.(waiting.pid);
  };
  const look = (): void => {
    greet();
    const status = new RegExp(`\\n${mark} ended (\\d+)\\n`).exec(texts.stdout)?.[1];
    if (status === undefined || !texts.stderr.includes(`\n${mark} ended\n`)) return;
    const how = endedBy(Number(status));
    const wasUsed = state.busy && ownOutput(texts.stdout, mark) !== null;
    finish(how);
    // What ended before it was a command, or by a signal, may have left words behind that the next one would read.
    if (!wasUsed || how.signal !== null) end();
    else if (!state.over) next();
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
    finish({ exitCode: null, signal });
  });
  next();

  return {
    spare: () => {
      const child = waiting;
      if (child === null) return null;
      // We may not have heard of it yet. One that was stopped would hear of nothing.
      if (!waitsForInput(self) || !waitsForInput(child)) {
        end();
        return null;
      }
      return {
        child,
        begin: (input) => {
          waiting = null;
          state.busy = true;
          clearTimeout(limit);
          keepsAlive(shell, true);
          shell.stdin.write(input);
          return new Promise((resolve) => {
            resolveEnd = resolve;
          });
        },
        giveUp: () => {
          if (!state.busy) return;
          end();
          shell.kill('SIGKILL');
          finish({ exitCode: null, signal: null });
        },
        // It is still there for the next one.
        drop: () => undefined,
      };
    },
    isBusy: () => state.busy,
    isOver: () => state.over,
  };
};
