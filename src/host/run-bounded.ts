import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { beginningOf } from '../core/beginning-of.ts';

export interface RunBoundedOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** The whole environment of the program; nothing of ours is added. */
  env: Readonly<Record<string, string>>;
  /** How much of the end of its output is kept. */
  maxOutputBytes: number;
}

export interface BoundedResult {
  /** `failed`: it could not be started at all, or died by a signal that was not ours. */
  ended: 'exited' | 'timed-out' | 'aborted' | 'failed';
  exitCode: number | null;
  /** The end of standard output and error together, as they came. */
  output: string;
  /** Why it could not be started or which signal ended it; empty otherwise. */
  problem: string;
}

/** Runs an argument vector to its end; never throws. */
export type RunBounded = (
  argv: readonly string[],
  options: RunBoundedOptions,
) => Promise<BoundedResult>;

/** What commands of operators get to see: a usual PATH, and nothing of the agent's environment. */
export const plainEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
};

const KILL_AFTER_MS = 500;
/** What a program left in the pipes when it ended is read for this long; its daemons may keep them open. */
const DRAIN_MS = 50;

const signalGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone: that is what was wanted.
  }
};

/**
 * Runs `argv` without a shell, without input, in `/` and in a process group of its own. At the limit, and on
 * abort, the whole group is ended (TERM, and KILL half a second later): lxc-attach hands its group on to the command
 * in the container, so that one ends too. Not execa: it waits until the last holder of a pipe is
 * gone, and a command that starts a daemon would never end.
 */
export const runBounded: RunBounded = async (argv, options) => {
  const [program = '', ...args] = argv;
  if (options.signal?.aborted === true)
    return { ended: 'aborted', exitCode: null, output: '', problem: '' };
  const child = spawn(program, args, {
    detached: true,
    // lxc-attach takes the working directory along into the container.
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...options.env },
  });
  let kept = Buffer.alloc(0);
  const keep = (chunk: Buffer): void => {
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > options.maxOutputBytes) kept = kept.subarray(-options.maxOutputBytes);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });

  const state: { ended: BoundedResult['ended'] } = { ended: 'exited' };
  let killer: NodeJS.Timeout | undefined;
  const end = (why: 'timed-out' | 'aborted') => (): void => {
    const { pid } = child;
    if (pid === undefined || state.ended !== 'exited') return;
    state.ended = why;
    signalGroup(pid, 'SIGTERM');
    killer = setTimeout(() => {
      signalGroup(pid, 'SIGKILL');
    }, KILL_AFTER_MS);
  };
  const limit = setTimeout(end('timed-out'), options.timeoutMs);
  const onAbort = end('aborted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const exit = await new Promise<{ exitCode: number | null; problem: string }>((resolve) => {
      child.once('error', (error) => {
        resolve({ exitCode: null, problem: error.message });
      });
      child.once('exit', (exitCode, signal) => {
        resolve({ exitCode, problem: signal === null ? '' : `ended by ${signal}` });
      });
    });
    await Promise.race([closed, sleep(DRAIN_MS)]);
    const output = kept.toString('utf8');
    const { ended } = state;
    if (ended !== 'exited') return { ended, exitCode: exit.exitCode, output, problem: '' };
    return { ended: exit.problem === '' ? 'exited' : 'failed', ...exit, output };
  } finally {
    clearTimeout(limit);
    options.signal?.removeEventListener('abort', onAbort);
    // What of the group outlived the program at the limit is killed now, not half a second later.
    if (killer !== undefined && child.pid !== undefined) {
      clearTimeout(killer);
      signalGroup(child.pid, 'SIGKILL');
    }
    child.stdout.destroy();
    child.stderr.destroy();
  }
};

/** One line that says how a command that did not exit with 0 ended, for reasons and messages. */
export const describeResult = (
  argv: readonly string[],
  { ended, exitCode, output, problem }: BoundedResult,
  timeoutMs: number,
): string => {
  const what = `command ${argv[0] ?? ''}`;
  const lastLine = beginningOf(output.trim().split('\n').at(-1)?.trim() ?? '', 200);
  const said = lastLine === '' ? '' : `: ${lastLine}`;
  switch (ended) {
    case 'timed-out':
      return `${what} did not end within ${timeoutMs} ms and was ended${said}`;
    case 'aborted':
      return `${what} was broken off`;
    case 'failed':
      return `${what} failed: ${problem}${said}`;
    case 'exited':
      return `${what} exited with ${exitCode ?? 'no code'}${said}`;
  }
};
