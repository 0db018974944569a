import { execa } from 'execa';
import type { ChildIdentity } from '../runtime.ts';
import { identifyChild, STOP_MARK } from './child-identity.ts';

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

/**
 * Runs one of LXC's tools on a container, in a session of its own (Ctrl-C at a terminal does not
 * reach it), and kills it after `timeoutMs`. Throws only when the tool cannot be run at all.
 */
export const runLxcTool = async (
  tool: string,
  lxcPath: string,
  name: string,
  args: readonly string[],
  { timeoutMs, onChild }: ToolOptions,
): Promise<ToolResult> => {
  const running = execa(tool, ['-P', lxcPath, '-n', name, ...args], {
    stdin: 'ignore',
    detached: true,
    reject: false,
    timeout: timeoutMs,
    forceKillAfterDelay: 500,
    // Read by people and by `readState`: never translated.
    env: { LC_ALL: 'C', ...(tool === 'lxc-stop' ? { [STOP_MARK]: '1' } : {}) },
  });
  if (running.pid !== undefined) {
    const child = identifyChild(running.pid);
    if (child !== null) onChild?.(child);
  }
  const result = await running;
  if (result.code === 'ENOENT')
    throw new Error(`${tool} is not installed: install LXC (apt-get install lxc)`);
  return {
    stdout: result.stdout,
    stderr: result.stderr,
    exitCode: result.exitCode ?? null,
    timedOut: result.timedOut,
  };
};
