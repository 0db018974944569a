import { execa } from 'execa';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Notice } from '../../core/coordinator/turn.ts';

export interface NotifySettings {
  /** Argument vector; the notice is given as JSON on standard input. */
  command?: string[] | undefined;
  /** Gets the notice as a JSON POST. */
  webhook?: string | undefined;
}

const limitMs = 10_000;

interface InOrder {
  add: (act: () => Promise<void>) => void;
  /** Resolves when all that was added is over. */
  settled: () => Promise<void>;
}

/** Does one after the other, in the order in which they were asked for. */
const inOrder = (): InOrder => {
  let last = Promise.resolve();
  return {
    add: (act) => {
      last = last.then(act).catch(() => undefined);
    },
    settled: () => last,
  };
};

export interface Notifier {
  tell: (notice: Notice) => void;
  /** Waits for what is being told, up to a limit. */
  stop: () => Promise<void>;
}

/**
 * Tell operators that a wave needs approval, pauses, fails or ends. Each hears one notice at a time, in order: a
 * command need not be fit to run beside itself. Failing to tell is reported, never fatal.
 */
export const createNotifier = (
  { command = [], webhook }: NotifySettings,
  onError: (error: unknown, what: string) => void,
): Notifier => {
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
  return {
    tell: (notice) => {
      const body = JSON.stringify(notice);
      if (program !== undefined) toCommand.add(() => run(program, body));
      if (webhook !== undefined) toWebhook.add(() => post(webhook, body));
    },
    stop: async () => {
      const told = Promise.all([toCommand.settled(), toWebhook.settled()]);
      await Promise.race([told, sleep(limitMs, null, { ref: false })]);
    },
  };
};
