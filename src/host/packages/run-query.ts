import { execa } from 'execa';

export interface QueryOutput {
  exitCode: number;
  /** Standard output and standard error, in the order in which they were written. */
  all: string;
  stdout: string;
}

export interface QueryOptions {
  timeoutMs: number;
  /** The whole environment of the command. */
  environment: Record<string, string>;
}

/**
 * Runs a command of a package manager that changes no package, and answers what it said whatever its exit status.
 * Throws when it cannot be started, or has not ended after `timeoutMs` (it is killed then).
 */
export const runQuery = async (
  argv: readonly string[],
  { timeoutMs, environment }: QueryOptions,
): Promise<QueryOutput> => {
  const [file = '', ...args] = argv;
  const result = await execa(file, args, {
    env: environment,
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    timeout: timeoutMs,
    forceKillAfterDelay: 5000,
    maxBuffer: 256 * 1024 * 1024,
    stripFinalNewline: false,
  });
  if (result.timedOut)
    throw new Error(`${argv.slice(0, 4).join(' ')}: no end after ${timeoutMs} ms, ended by us`);
  if (result.exitCode === undefined)
    throw new Error(`${argv.slice(0, 4).join(' ')}: ${result.originalMessage ?? result.message}`);
  return { exitCode: result.exitCode, all: result.all, stdout: result.stdout };
};
