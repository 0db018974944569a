import { execa } from 'execa';
import { BED_MARK, signalProcess } from './processes.ts';

export interface CommandResult {
  stdout: string;
  stderr: string;
  /** The exit status; 128 + the signal's number when it was killed, as a shell says it. */
  exitCode: number;
}

export interface CommandOptions {
  /** Written to standard input; without it standard input is empty. */
  input?: string;
  /** Kill its whole process group after this time, and throw. Without it, wait for ever. */
  timeoutMs?: number;
  directory?: string;
  environment?: Record<string, string>;
}

/** Runs programs for one bed: marked with its directory, and in sessions of their own. */
export interface Commands {
  /** Answers the result whatever the exit status; throws only when the program cannot be run. */
  run: (argv: readonly string[], options?: CommandOptions) => Promise<CommandResult>;
  /** Like `run`, and throws with the program's own words when the exit status is not 0. */
  must: (argv: readonly string[], options?: CommandOptions) => Promise<string>;
}

const SIGNAL_EXIT: Partial<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** The environment of everything that is started for the bed in `bedDirectory`. */
export const bedEnvironment = (bedDirectory: string): Record<string, string> => ({
  [BED_MARK]: bedDirectory,
  LC_ALL: 'C.UTF-8',
});

/**
 * Commands of the bed in `bedDirectory`. Each gets a session of its own, so that Ctrl-C in the
 * terminal reaches only the caller, which then cleans up with tools that nobody interrupts.
 */
export const bedCommands = (bedDirectory: string): Commands => {
  const run: Commands['run'] = async (argv, options = {}) => {
    const [file, ...args] = argv;
    if (file === undefined) throw new Error('run: an empty command');
    const program = execa(file, args, {
      ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
      ...(options.directory === undefined ? {} : { cwd: options.directory }),
      env: { ...bedEnvironment(bedDirectory), ...options.environment },
      detached: true,
      reject: false,
      stripFinalNewline: false,
      maxBuffer: 64 * 1024 * 1024,
    });
    // Not execa's own timeout: that kills lxc-attach alone, and leaves the program in the host with
    // our end of its pipes.
    const late = new AbortController();
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            late.abort();
            if (program.pid !== undefined) signalProcess(-program.pid, 'SIGKILL');
          }, options.timeoutMs);
    const result = await program;
    clearTimeout(timer);
    if (late.signal.aborted)
      throw new Error(`${argv.join(' ')}: no end after ${options.timeoutMs ?? 0} ms, killed`);
    if (result.exitCode === undefined && result.signal === undefined)
      throw new Error(`${argv.join(' ')}: cannot be run: ${result.message}`);
    return {
      stdout: result.stdout,
      stderr: result.stderr,
      exitCode: result.exitCode ?? SIGNAL_EXIT[result.signal ?? ''] ?? 137,
    };
  };
  return {
    run,
    must: async (argv, options) => {
      const result = await run(argv, options);
      if (result.exitCode !== 0)
        throw new Error(
          `${argv.join(' ')}: exit ${result.exitCode}: ${(result.stderr || result.stdout).trim().slice(-2000)}`,
        );
      return result.stdout;
    },
  };
};
