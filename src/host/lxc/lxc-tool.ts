import type { ChildIdentity } from '../runtime.ts';
import { createSpareProcesses } from './spare-processes.ts';

/** How a command of LXC ended. Exit codes are not to be trusted: they go into messages only. */
export interface ToolResult {
  stdout: string;
  stderr: string;
  /** Null: it was ended by us at its limit. */
  exitCode: number | null;
  timedOut: boolean;
}

export interface ToolOptions {
  timeoutMs: number;
  /** Called with the child's identity before it begins. */
  onChild?: (child: ChildIdentity) => void;
  /** Soft limit on open files of the command, and of the container that it starts. */
  openFiles?: number;
}

const spares = createSpareProcesses();

/** What a login, systemd(1) and the kernel give. */
const USUAL_OPEN_FILES = 1024;

/** What sh(1) exits with when there is no such program; the loader's errors have it too. */
const NOT_FOUND = 127;

/**
 * Runs one of LXC's tools on a container, in a session of its own, and ends it after `timeoutMs`. Throws where
 * it could not be begun, or was ended by a signal of others: it may have done nothing of what it was to do.
 */
export const runLxcTool = async (
  tool: string,
  lxcPath: string,
  name: string,
  args: readonly string[],
  { timeoutMs, onChild, openFiles = USUAL_OPEN_FILES }: ToolOptions,
): Promise<ToolResult> => {
  const argv = [tool, '-P', lxcPath, '-n', name, ...args];
  const options = { openFiles, ...(onChild === undefined ? {} : { onChild }) };
  const state = { timedOut: false };
  const running = spares.begin(argv, options);
  const limit = setTimeout(() => {
    state.timedOut = true;
    running.kill();
  }, timeoutMs);
  const { exitCode, signal, stdout, stderr } = await running.ended;
  clearTimeout(limit);
  if (exitCode === NOT_FOUND)
    throw new Error(`${tool} cannot be run (apt-get install lxc?): ${stderr.trim()}`);
  const { timedOut } = state;
  if (exitCode === null && !timedOut)
    throw new Error(
      `${tool} of ${name} ${signal === null ? 'was not run' : `was ended by ${signal}`}`,
    );
  return { stdout: stdout.trimEnd(), stderr: stderr.trimEnd(), exitCode, timedOut };
};
