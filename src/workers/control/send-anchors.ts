import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { execa } from 'execa';
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

const toFile =
  (path: string) =>
  async (line: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await appendFile(path, `${line}\n`, { mode: 0o640 });
    const file = await open(path, 'r');
    try {
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
    await execa('logger', [...options, '--size', '8192', '--', line], { timeout: limitMs });
  };

const toWebhook =
  (url: string) =>
  async (line: string): Promise<void> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: line,
      signal: AbortSignal.timeout(limitMs),
    });
    if (!response.ok) throw new Error(`answered ${response.status}`);
  };

/**
 * Sends outside whatever has not been sent yet, to each place by itself: one that does not answer gets it later, and keeps
 * nothing from the others. A place may be told the same one twice (a crash after sending), never one too few.
 */
export const createAnchorSender = (
  store: Store,
  { file, syslog, webhook }: AnchorSettings,
  onError: (error: unknown, what: string) => void,
): (() => Promise<void>) => {
  const places: [string, (line: string) => Promise<void>][] = [
    ...(file === undefined ? [] : [[`file ${file}`, toFile(file)] as const]),
    ...(syslog === undefined ? [] : [[`syslog ${syslog}`, toSyslog(syslog)] as const]),
    ...(webhook === undefined ? [] : [[`webhook ${webhook}`, toWebhook(webhook)] as const]),
  ].map(([name, send]) => [name, send]);
  const sendAll = async (name: string, send: (line: string) => Promise<void>): Promise<void> => {
    for (;;) {
      const page = await checkpointsAfter(store.db, await anchoredUpTo(store.db, name), pageRows);
      for (const { number, statement } of page) {
        await send(JSON.stringify(statement));
        await saveAnchored(store.db, name, number);
      }
      if (page.length < pageRows) return;
    }
  };
  return async () => {
    await Promise.all(
      places.map(([name, send]) =>
        sendAll(name, send).catch((error: unknown) => {
          onError(error, `sending checkpoints to ${name}`);
        }),
      ),
    );
  };
};
