import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startScanThread } from '../../../src/host/proc/scan-thread.ts';
import type { ScanThread } from '../../../src/host/proc/scan-thread.ts';

// Reads a pipe that nobody writes to, in the way of a file system that does not answer, or answers at once.
const PROGRAM = `
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
parentPort.on('message', ({ id, request }) => {
  // Nobody asked for this: it tells the test how far it is.
  parentPort.postMessage({ id: 0, ok: true });
  if (request.name === 'hanging') readFileSync(new URL('pipe', import.meta.url));
  parentPort.postMessage({ id, ok: true, scan: request.name });
});`;

let directory: string;
let thread: ScanThread;
/** The limits that are watched now. */
let watched: { ms: number; expire: () => void }[];
let onWatched: () => void;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gs-scan-thread-'));
  writeFileSync(join(directory, 'entry.mjs'), PROGRAM);
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  watched = [];
  onWatched = () => undefined;
  thread = startScanThread({
    entry: pathToFileURL(join(directory, 'entry.mjs')),
    after: (ms, expire) => {
      const one = { ms, expire };
      watched.push(one);
      onWatched();
      return () => {
        watched = watched.filter((other) => other !== one);
      };
    },
  });
});
afterEach(async () => {
  // Whatever hangs there comes to its end.
  closeSync(openSync(join(directory, 'pipe'), 'r+'));
  await thread.close();
  rmSync(directory, { recursive: true });
});

const ask = (name: string): Promise<unknown> => thread.scanContainer(name, []);
/** Lets the time of what is asked run out once the thread is at it. */
const runOut = async (): Promise<void> => {
  await new Promise<void>((resolve) => (onWatched = resolve));
  watched[0]?.expire();
};

test('a thread that hangs in what it reads is replaced, and who waits hears of it', async () => {
  expect(await ask('a')).toBe('a');
  expect(watched).toEqual([]);
  const [hangs, waits] = [ask('hanging'), ask('b')];
  const failed = Promise.allSettled([hangs, waits]);
  expect(watched).toHaveLength(1);
  await runOut();
  const message = 'the stale scan gave no answer for 120 s: what it reads hangs';
  for (const one of await failed) expect(one).toMatchObject({ reason: { message } });
  expect(await ask('c')).toBe('c');
  expect(watched).toEqual([]);
});

test('each that waits has a time of its own, from when the one before it was answered', async () => {
  const [first, second] = [ask('a'), ask('hanging').catch(String)];
  const [ofFirst] = watched;
  expect(await first).toBe('a');
  expect(watched).toHaveLength(1);
  expect(watched[0]).not.toBe(ofFirst);
  await runOut();
  expect(await second).toContain('gave no answer for 120 s');
});

test('of threads that hang a few are left, and then no more are started until one ends', async () => {
  let said = '';
  // One that had not begun to read yet can be ended.
  for (let round = 0; round < 50 && !said.includes('no stale scan'); round += 1) {
    const hangs = ask('hanging').catch(String);
    if (watched.length > 0) await runOut();
    said = (await hangs) as string;
  }
  expect(said).toContain('no stale scan: 3 earlier ones still hang');
});
