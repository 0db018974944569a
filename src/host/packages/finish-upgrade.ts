import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageChanges } from '../../core/package-changes.ts';
import { PackageChange } from '../../core/packages.ts';
import type { InstalledPackage } from '../../core/packages.ts';
import type { PackageFailure } from './failure.ts';
import type { ManagedHost } from './managed-host.ts';
import type { UpgradeResult } from './package-manager.ts';
import {
  awaitTransaction,
  readTranscript,
  transactionDirectory,
  writeDurably,
} from './run-transaction.ts';

/** How the end of a transaction is read, which each package manager does in its own way. */
export interface EndReader {
  /** The inventory in the launcher's copy, of which `path` is the name; without one (null): as it is now. */
  readAfter: (copy: string | null, path: string) => Promise<InstalledPackage[]>;
  /** Why it failed, by the end of what was said; exit code null: killed. */
  failureOf: (tail: string, exitCode: number | null) => PackageFailure;
}

const SavedResult = z.strictObject({
  ok: z.boolean(),
  reason: z.unknown().optional(),
  changes: z.array(PackageChange),
  transcript: z.string().nullable(),
  held: z.array(z.string()),
  healed: z.string().optional(),
});

const isSaved = (value: unknown): value is UpgradeResult => SavedResult.safeParse(value).success;

/** The answer of an upgrade that was not begun. */
export const refused = (reason: PackageFailure): UpgradeResult => ({
  ok: false,
  reason,
  changes: [],
  transcript: null,
  held: [],
});

const resultPath = (host: ManagedHost, id: string): string =>
  join(transactionDirectory(host, id), 'result.json');

/** Keeps the answer of upgrade `id`. On a full disk it is not kept, and found out anew when it is asked for again. */
export const saveResult = async (
  host: ManagedHost,
  id: string,
  result: UpgradeResult,
): Promise<UpgradeResult> => {
  await writeDurably(resultPath(host, id), JSON.stringify(result)).catch(() => undefined);
  return result;
};

/** What dies in the middle has written its last steps into a journal, of which the launcher takes no copy. */
const diesInTheMiddle: ReadonlySet<PackageFailure['kind']> = new Set(['interrupted', 'killed']);

/**
 * The inventory as the transaction left it: the launcher's copy, so that what somebody else did since is
 * not counted in. Without a copy (killed, disk full), and where it is not the whole: as it is now.
 */
const readAfter = async (
  host: ManagedHost,
  id: string,
  failure: PackageFailure | null,
  reader: EndReader,
): Promise<InstalledPackage[]> => {
  const path = join(transactionDirectory(host, id), 'status.after');
  const isWhole = failure === null || !diesInTheMiddle.has(failure.kind);
  return reader.readAfter(isWhole ? await readFile(path, 'utf8').catch(() => null) : null, path);
};

/** Finds out what a transaction that has ended did, and keeps the answer beside its transcript. */
export const finishUpgrade = async (
  host: ManagedHost,
  id: string,
  ended: {
    before: readonly InstalledPackage[];
    held: string[];
    exitCode: number | null;
    healed?: string | undefined;
  },
  reader: EndReader,
): Promise<UpgradeResult> => {
  const { path: transcript, tail } = await readTranscript(host, id);
  const failure = ended.exitCode === 0 ? null : reader.failureOf(tail, ended.exitCode);
  const changes = packageChanges(ended.before, await readAfter(host, id, failure, reader));
  const done = {
    ...{ changes, transcript, held: ended.held },
    ...(ended.healed === undefined ? {} : { healed: ended.healed }),
  };
  return saveResult(
    host,
    id,
    failure === null ? { ok: true, ...done } : { ok: false, reason: failure, ...done },
  );
};

/**
 * The result of upgrade `id` that this agent or an earlier one began: awaited if it is still at
 * work. Null: it never began, and now never will under that id unless `upgrade` is called.
 */
export const resumeUpgrade = async (
  host: ManagedHost,
  id: string,
  reader: EndReader,
): Promise<UpgradeResult | null> => {
  const ended = await awaitTransaction(host, id);
  if (ended === null) return null;
  const saved = await readFile(resultPath(host, id), 'utf8').catch(() => null);
  if (saved !== null) {
    const value: unknown = JSON.parse(saved);
    if (isSaved(value)) return value;
  }
  const { request, exitCode } = ended;
  const { before, held, healed } = request;
  return finishUpgrade(host, id, { before, held, healed, exitCode }, reader);
};
