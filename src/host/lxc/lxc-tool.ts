import type { ChildIdentity } from '../runtime.ts';
import { identifyChild } from './child-identity.ts';
import { createSpareProcesses } from './spare-process.ts';

/** How a command of LXC ended. Exit codes are not to be trusted: they go into messages only. */
export interface ToolResult {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  timedOut: boolean;
}

export interface ToolOptions {
  timeoutMs: number;
  /** Called with the child's identity as soon as it is there, before it is awaited. */
  onChild?: (child: ChildIdentity) => void;
}

const spares = createSpareProcesses();

/** What sh(1) exits with when there is no such program. */
const NOT_FOUND = 127;

/**
 * Runs one of LXC's tools on a container, in a session of its own, and ends it after `timeoutMs`. Throws only
 * when the tool cannot be run at all.
 */
export const runLxcTool = async (
  tool: string,
  lxcPath: string,
  name: string,
  args: readonly string[],
  { timeoutMs, onChild }: ToolOptions,
): Promise<ToolResult> => {
  const running = spares.begin([tool, '-P', lxcPath, '-n', name, ...args]);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    running.kill();
  }, timeoutMs);
  if (running.pid !== undefined) {
    const child = identifyChild(running.pid);
    if (child !== null) onChild?.(child);
  }
  const result = await running;
  clearTimeout(limit);
  if (result.code === 'ENOENT' || result.exitCode === NOT_FOUND)
    throw new Error(`${tool} is not installed: install LXC (apt-get install lxc)`);
  return {
    stdout: result.stdout,
    stderr: result.stderr,
    exitCode: result.exitCode ?? null,
    timedOut,
  };
};
