import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { hasCode } from '../../core/error-code.ts';
import { InstalledPackage } from '../../core/packages.ts';
import type { ChildIdentity } from '../runtime.ts';
import { forgetTransactions } from './forget-transactions.ts';
import type { ManagedHost } from './managed-host.ts';
import { stillRuns } from './process-identity.ts';

/** What is written down before a transaction begins. */
export const TransactionRequest = z.strictObject({
  argv: z.array(z.string()),
  /** The inventory from before it. */
  before: z.array(InstalledPackage),
  held: z.array(z.string()),
  /** Packages that were installed automatically, and must be marked so again (apt-mark(8)). */
  auto: z.array(z.string()),
  /** What an interrupted package manager had left, and was put right before it. */
  healed: z.string().optional(),
});
export type TransactionRequest = z.infer<typeof TransactionRequest>;

/** What the launcher is told beside the command. */
export interface TransactionSurroundings {
  /** The whole environment of the command. */
  environment: Record<string, string>;
  /** What is kept as the inventory after it: path of dpkg's status file, or the format in which rpm lists. */
  inventory: string;
}

/** How a transaction ended; null: it was killed, or could not write its end down. */
export interface TransactionEnd {
  exitCode: number | null;
}

const POLL_MS = 100;
/** Enough to look into what was done in the last weeks. */
const KEPT_TRANSACTIONS = 100;
/** From the claim to the pid file it is one exec and two small writes. */
const PID_FILE_WAIT_MS = 10_000;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** The directory of one transaction. Throws when the id would lead elsewhere. */
export const transactionDirectory = (host: ManagedHost, id: string): string => {
  if (!idPattern.test(id)) throw new Error(`${JSON.stringify(id)} is no transaction id`);
  return join(host.transactionsDirectory, id);
};

const readOrNull = (path: string): Promise<string | null> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });

/** Writes a small file so that after a crash it is there whole or not at all. */
export const writeDurably = async (path: string, text: string): Promise<void> => {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
};

const leaveCgroups = async (host: ManagedHost): Promise<void> => {
  // Still busy when a maintainer script left a daemon behind: then it stays for the next time.
  for (const directory of host.cgroupDirectories) await rmdir(directory).catch(() => undefined);
};

/**
 * Runs `request.argv` as transaction `id`: in a session and control group of its own, with its
 * output in the transcript. An agent that dies meanwhile does not end it; see `awaitTransaction`.
 * Throws when a transaction of that id was begun before, or when it cannot be started.
 */
export const runTransaction = async (
  host: ManagedHost,
  id: string,
  request: TransactionRequest,
  { environment, inventory }: TransactionSurroundings,
): Promise<TransactionEnd> => {
  const directory = transactionDirectory(host, id);
  await mkdir(host.transactionsDirectory, { recursive: true, mode: 0o700 });
  // No reason to fail an upgrade: the next one tries again.
  await forgetTransactions(host.transactionsDirectory, KEPT_TRANSACTIONS - 1).catch(
    () => undefined,
  );
  await mkdir(directory, { mode: 0o700 });
  await writeDurably(join(directory, 'request.json'), JSON.stringify(request));
  await writeDurably(join(directory, 'auto'), request.auto.map((name) => `${name}\n`).join(''));
  const transcript = await open(join(directory, 'transcript'), 'a', 0o600);
  try {
    const args = [directory, inventory, ...host.cgroupDirectories, '--', ...request.argv];
    // Not execa: the child writes into the file itself, since it may outlive us.
    const child = spawn(host.launcherPath, args, {
      env: environment,
      cwd: '/',
      detached: true,
      stdio: ['ignore', transcript.fd, transcript.fd],
    });
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    await leaveCgroups(host);
    return { exitCode };
  } finally {
    await transcript.close();
  }
};

const readIdentity = async (directory: string): Promise<ChildIdentity | null> => {
  const text = await readOrNull(join(directory, 'pid'));
  const [pid, startTime] = (text ?? '').trim().split(' ');
  return startTime === undefined ? null : { pid: Number(pid), startTime };
};

/** Whether the launcher never came to run: then this call sees to it that it never will. */
const neverBegan = async (directory: string): Promise<boolean> => {
  try {
    await mkdir(join(directory, 'claim'));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
};

/**
 * Finds transaction `id` again, after this process or an earlier one began it, and waits for its
 * end. Null: it never began, and never will (what was prepared for it is removed).
 */
export const awaitTransaction = async (
  host: ManagedHost,
  id: string,
): Promise<(TransactionEnd & { request: TransactionRequest }) | null> => {
  const directory = transactionDirectory(host, id);
  const text = await readOrNull(join(directory, 'request.json'));
  if (text === null || (await neverBegan(directory))) {
    await rm(directory, { recursive: true, force: true });
    return null;
  }
  const request = TransactionRequest.parse(JSON.parse(text));
  const givesUpAt = performance.now() + PID_FILE_WAIT_MS;
  for (;;) {
    const identity = await readIdentity(directory);
    const running = identity === null ? performance.now() < givesUpAt : await stillRuns(identity);
    // Read last: it is written before the process ends.
    const exit = await readOrNull(join(directory, 'exit'));
    if (exit !== null) return { request, exitCode: Number(exit) };
    if (!running) return { request, exitCode: null };
    await sleep(POLL_MS);
  }
};

/** The transcript's path, and its last part as text. */
export const readTranscript = async (
  host: ManagedHost,
  id: string,
): Promise<{ path: string; tail: string }> => {
  const path = join(transactionDirectory(host, id), 'transcript');
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 1024 * 1024);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return { path, tail: buffer.toString('utf8', 0, bytesRead) };
  } finally {
    await file.close();
  }
};
