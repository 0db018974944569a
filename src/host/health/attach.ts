import { plainEnvironment } from '../run-bounded.ts';
import type { BoundedResult, RunBounded } from '../run-bounded.ts';

/** Runs a command in a container, within a time. Never throws. */
export type Attach = (
  name: string,
  command: readonly string[],
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
) => Promise<BoundedResult>;

const OUTPUT_BYTES = 4_096;

/** lxc-attach(1) with the environment cleared, running `command` in a container. */
export const attachArguments = (
  lxcPath: string,
  name: string,
  command: readonly string[],
): string[] => [
  'lxc-attach',
  ...['-P', lxcPath, '-n', name, '--clear-env'],
  ...Object.entries(plainEnvironment).flatMap(([key, value]) => ['-v', `${key}=${value}`]),
  '--',
  ...command,
];

/**
 * `Attach` through lxc-attach. That of LXC 5.0.0 (Ubuntu 22.04) exits with 0 when a signal has ended the command:
 * it is asked once how it does that, and where it does not tell, a shell in the container does.
 */
export const createAttach = (run: RunBounded, lxcPath: string): Attach => {
  let tellsOfSignals: boolean | null = null;
  const attach: Attach = (name, command, limits) =>
    run(attachArguments(lxcPath, name, command), {
      ...limits,
      env: plainEnvironment,
      maxOutputBytes: OUTPUT_BYTES,
    });
  return async (name, command, limits) => {
    if (tellsOfSignals === null) {
      const asked = await attach(name, ['sh', '-c', 'kill -KILL $$'], limits);
      // The command would fare no better.
      if (asked.ended !== 'exited') return asked;
      // Anything else says nothing of it: there may be no shell in this container.
      if (asked.exitCode === 137) tellsOfSignals = true;
      if (asked.exitCode === 0) tellsOfSignals = false;
    }
    // Not its last command: a shell executes that in its own place.
    const told = ['sh', '-c', '"$@"; exit $?', 'sh', ...command];
    return attach(name, tellsOfSignals === false ? told : command, limits);
  };
};
