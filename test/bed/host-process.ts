import { once } from 'node:events';
import { execa } from 'execa';
import { bedEnvironment } from './command.ts';
import { childrenOf, commandLine, signalProcess } from './processes.ts';
import { waitUntil } from './wait-until.ts';

/** A long-running program in a host, such as the agent. It dies with the host at the latest. */
export interface HostProcess {
  /** Its pid as the outer machine sees it. */
  outerPid: number;
  /** What it has written up to now. */
  stdout: () => string;
  stderr: () => string;
  /** The exit status, as lxc-attach(1) passes it on, once it has ended. */
  exited: Promise<number>;
  /** Sends a signal to the program itself, not to its children, and does not wait. */
  signal: (signal: NodeJS.Signals) => void;
  /** Sends the signal (default SIGKILL) and waits for the end. */
  kill: (signal?: NodeJS.Signals) => Promise<number>;
}

/** Starts `attachCommand` (an lxc-attach with everything behind it) and finds the program in it. */
export const spawnInHost = async (
  bedDirectory: string,
  attachCommand: readonly string[],
  what: string,
): Promise<HostProcess> => {
  const [file = '', ...args] = attachCommand;
  const attach = execa(file, args, {
    stdin: 'ignore',
    env: bedEnvironment(bedDirectory),
    detached: true,
    reject: false,
    buffer: false,
  });
  const written = { stdout: '', stderr: '' };
  attach.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  attach.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  let ended = false;
  // Not execa's own end: that also awaits children of the program which keep its pipes open.
  const exited = once(attach, 'exit').then(([code]: unknown[]) => {
    ended = true;
    return typeof code === 'number' ? code : 137;
  });
  const attachPid = attach.pid;
  if (attachPid === undefined) throw new Error(`${what}: lxc-attach cannot be started`);
  // Until it executes the program, the child of lxc-attach has its command line too. Its name tells
  // nothing: it differs between kernels (lxc-attach runs itself anew from a memfd), and the program
  // may be an lxc-attach itself, into a container of the host.
  const outerPid = await waitUntil(
    `${what} to start in the host; it wrote: ${written.stderr}`,
    async () => {
      if (ended) throw new Error(`${what}: ended at once: ${written.stderr || written.stdout}`);
      for (const child of await childrenOf(attachPid)) {
        const words = await commandLine(child);
        if (words && words !== (await commandLine(attachPid))) return child;
      }
      return null;
    },
    { deadlineMs: 10_000 },
  );
  const signal = (name: NodeJS.Signals): void => {
    if (!ended) signalProcess(outerPid, name);
  };
  return {
    outerPid,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    exited,
    signal,
    kill: async (name = 'SIGKILL') => {
      signal(name);
      return exited;
    },
  };
};
