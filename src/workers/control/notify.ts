import { execa } from 'execa';
import type { Notice } from '../../core/coordinator/turn.ts';

export interface NotifySettings {
  /** Argument vector; the notice is given as JSON on standard input. */
  command?: string[] | undefined;
  /** Gets the notice as a JSON POST. */
  webhook?: string | undefined;
}

const limitMs = 10_000;

/** Does one after the other, in the order in which they were asked for. */
const inOrder = (): ((act: () => Promise<void>) => void) => {
  let last = Promise.resolve();
  return (act) => {
    last = last.then(act).catch(() => undefined);
  };
};

/**
 * Tell operators that a wave needs approval, pauses, fails or ends. Each hears one notice at a time, in order: a
 * command need not be fit to run beside itself. Failing to tell is reported, never fatal.
 */
export const createNotifier = (
  { command = [], webhook }: NotifySettings,
  onError: (error: unknown, what: string) => void,
): ((notice: Notice) => void) => {
  const [program, ...args] = command;
  const [toCommand, toWebhook] = [inOrder(), inOrder()];
  const run = async (file: string, body: string): Promise<void> => {
    try {
      // Our own output, not a pipe: a child that the command leaves behind would keep that open, and us waiting.
      const output = { stdout: 'ignore', stderr: 'inherit' } as const;
      await execa(file, args, { input: `${body}\n`, timeout: limitMs, extendEnv: true, ...output });
    } catch (error) {
      onError(error, `notification command ${file}`);
    }
  };
  const post = async (url: string, body: string): Promise<void> => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(limitMs),
      });
      if (!response.ok) throw new Error(`answered ${response.status}`);
    } catch (error) {
      onError(error, `webhook ${url}`);
    }
  };
  return (notice) => {
    const body = JSON.stringify(notice);
    if (program !== undefined) toCommand(() => run(program, body));
    if (webhook !== undefined) toWebhook(() => post(webhook, body));
  };
};
