import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageChanges } from '../../core/package-changes.ts';
import { PackageChange } from '../../core/packages.ts';
import type { InstalledPackage } from '../../core/packages.ts';
import type { AptHost } from './apt-host.ts';
import { aptFailure, nameFailure } from './name-failure.ts';
import type { AptFailure } from './name-failure.ts';
import { parseDpkgStatus, presentPackages } from './parse-dpkg-status.ts';
import { readDpkgDatabase } from './read-dpkg-database.ts';
import {
  awaitTransaction,
  readTranscript,
  transactionDirectory,
  writeDurably,
} from './run-transaction.ts';

interface Done {
  /** Exactly what changed, from the database before and after; also when it failed half-way. */
  changes: PackageChange[];
  /** Path of what apt and dpkg said; null where they were not started. */
  transcript: string | null;
  /** Packages that were left out because they are held. */
  held: string[];
}

export type UpgradeResult = ({ ok: true } & Done) | ({ ok: false; reason: AptFailure } & Done);

const SavedResult = z.strictObject({
  ok: z.boolean(),
  reason: z.unknown().optional(),
  changes: z.array(PackageChange),
  transcript: z.string().nullable(),
  held: z.array(z.string()),
});

const isSaved = (value: unknown): value is UpgradeResult => SavedResult.safeParse(value).success;

/** The answer of an upgrade that was not begun. */
export const refused = (reason: AptFailure): UpgradeResult => ({
  ok: false,
  reason,
  changes: [],
  transcript: null,
  held: [],
});

const resultPath = (host: AptHost, id: string): string =>
  join(transactionDirectory(host, id), 'result.json');

/**
 * The inventory as the transaction left it: the launcher's copy of dpkg's status file, so that what
 * somebody else did since is not counted in. Without a copy (killed, disk full): as it is now.
 */
const readAfter = async (host: AptHost, id: string): Promise<InstalledPackage[]> => {
  const path = join(transactionDirectory(host, id), 'status.after');
  const copy = await readFile(path, 'utf8').catch(() => null);
  if (copy !== null) return presentPackages(parseDpkgStatus(copy, path));
  return presentPackages((await readDpkgDatabase(host.root)).packages);
};

const failureOf = (tail: string, exitCode: number | null): AptFailure => {
  const failure = nameFailure(tail, exitCode ?? 0);
  if (exitCode !== null || failure.kind !== 'other') return failure;
  return aptFailure('killed', 'apt was killed before it had finished');
};

/** Finds out what a transaction that has ended did, and keeps the answer beside its transcript. */
export const finishUpgrade = async (
  host: AptHost,
  id: string,
  ended: { before: readonly InstalledPackage[]; held: string[]; exitCode: number | null },
): Promise<UpgradeResult> => {
  const { path: transcript, tail } = await readTranscript(host, id);
  const changes = packageChanges(ended.before, await readAfter(host, id));
  const done: Done = { changes, transcript, held: ended.held };
  const result: UpgradeResult =
    ended.exitCode === 0
      ? { ok: true, ...done }
      : { ok: false, reason: failureOf(tail, ended.exitCode), ...done };
  // On a full disk the answer is not kept, and found out anew when it is asked for again.
  await writeDurably(resultPath(host, id), JSON.stringify(result)).catch(() => undefined);
  return result;
};

/**
 * The result of upgrade `id` that this agent or an earlier one began: awaited if it is still at
 * work. Null: it never began, and now never will under that id unless `upgrade` is called.
 */
export const resumeUpgrade = async (host: AptHost, id: string): Promise<UpgradeResult | null> => {
  const ended = await awaitTransaction(host, id);
  if (ended === null) return null;
  const saved = await readFile(resultPath(host, id), 'utf8').catch(() => null);
  if (saved !== null) {
    const value: unknown = JSON.parse(saved);
    if (isSaved(value)) return value;
  }
  const { request, exitCode } = ended;
  return finishUpgrade(host, id, { before: request.before, held: request.held, exitCode });
};
