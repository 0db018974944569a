import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { repeat } from '../../jobs/repeat.ts';
import { anchoredUpTo, checkpointsAfter, saveAnchored } from '../../store/checkpoints.ts';
import type { Store } from '../../store/open-store.ts';

/** Places outside of the store that checkpoints are sent to; each is told all of them, in order. */
export interface AnchorSettings {
  /** One line of JSON each is appended. */
  file?: string | undefined;
  /** Facility of logger(1), such as `auth`; priority notice, tag groundswell-audit. */
  syslog?: string | undefined;
  /** Each is a JSON POST. */
  webhook?: string | undefined;
}

const limitMs = 10_000;
const pageRows = 100;
/** A place that did not take one is tried again so soon, if nothing new wakes it before. */
const againMs = 60_000;
const stopMs = 3_000;

const toFile =
  (path: string) =>
  async (line: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    const file = await open(path, 'a+', 0o640);
    try {
      const { size } = await file.stat();
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
      // What was broken off in the middle of a line stays one of its own.
      const isTorn = size > 0 && buffer[0] !== 0x0a;
      await file.appendFile(`${isTorn ? '\n' : ''}${line}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  };

const toSyslog =
  (facility: string) =>
  async (line: string): Promise<void> => {
    // A message longer than the default of 1 KiB would be cut.
    const options = ['--tag', 'groundswell-audit', '--priority', `${facility}.notice`];
    // Without a log that takes it, it would end as if all were well.
    const strict = ['--socket-errors=on', '--size', '8192'];
    await execa('logger', [...options, ...strict, '--', line], { timeout: limitMs });
  };

const toWebhook =
  (url: string) =>
  async (line: string): Promise<void> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: line,
      // A redirection would be followed without what was to be told.
      redirect: 'error',
      signal: AbortSignal.timeout(limitMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`answered ${response.status}`);
  };

/** Rejects after a while; a file system that hangs does so for ever. */
const inTime = async (sent: Promise<void>): Promise<void> => {
  const late = new AbortController();
  const limit = sleep(2 * limitMs, undefined, { signal: late.signal, ref: false }).then(() => {
    throw new Error('it does not answer');
  });
  try {
    await Promise.race([sent, limit]);
  } finally {
    late.abort();
    limit.catch(() => undefined);
  }
};

export interface AnchorSender {
  /** Send what is new: soon. */
  wake: () => void;
  /** The first checkpoint that some place has not been sent yet; Infinity where there is no place. */
  unsent: () => Promise<number>;
  stop: () => Promise<void>;
}

/**
 * Sends checkpoints outside, to each place by itself: one that does not answer gets later what it has missed, in order, and keeps
 * nothing from the others. A place may be told the same one twice (a crash after sending), never one too few.
 */
export const startAnchors = (
  store: Store,
  { file, syslog, webhook }: AnchorSettings,
  onError: (error: unknown, what: string) => void,
): AnchorSender => {
  const places = new Map([
    ...(file === undefined ? [] : [[`file ${file}`, toFile(file)] as const]),
    ...(syslog === undefined ? [] : [[`syslog ${syslog}`, toSyslog(syslog)] as const]),
    ...(webhook === undefined ? [] : [[`webhook ${webhook}`, toWebhook(webhook)] as const]),
  ]);
  const stopping = new AbortController();
  const sendAll = async (name: string, send: (line: string) => Promise<void>): Promise<void> => {
    for (;;) {
      const sent = await anchoredUpTo(store.db, name);
      const page = await checkpointsAfter(store.db, sent, pageRows);
      if (sent > 0 && page[0] !== undefined && page[0].number !== sent + 1)
        onError(
          new Error(`checkpoints ${sent + 1} to ${page[0].number - 1} are not there any more`),
          `sending checkpoints to ${name}`,
        );
      for (const { number, statement } of page) {
        if (stopping.signal.aborted) return;
        await inTime(send(JSON.stringify(statement)));
        await saveAnchored(store.db, name, number);
      }
      if (page.length < pageRows) return;
    }
  };
  const sending = [...places].map(([name, send]) =>
    repeat(() => sendAll(name, send), {
      everyMs: againMs,
      onError: (error) => {
        onError(error, `sending checkpoints to ${name}`);
      },
    }),
  );
  return {
    wake: () => {
      for (const one of sending) one.wake();
    },
    unsent: async () => {
      const numbers = await Promise.all(
        [...places.keys()].map((name) => anchoredUpTo(store.db, name)),
      );
      return Math.min(Infinity, ...numbers.map((number) => number + 1));
    },
    stop: async () => {
      stopping.abort();
      const ended = Promise.all(sending.map((one) => one.stop()));
      // What hangs is left behind; it is sent again by the next process.
      await Promise.race([ended, sleep(stopMs, undefined, { ref: false })]);
    },
  };
};
