import { readdirSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../../core/error-code.ts';
import { parseDpkgStatus } from './parse-dpkg-status.ts';
import type { DpkgPackage } from './parse-dpkg-status.ts';

export interface DpkgDatabase {
  packages: DpkgPackage[];
  /** Entries of dpkg's journal that it has not yet merged: at work, or interrupted. */
  journalEntries: number;
}

/** Where dpkg keeps its files, below the root directory of a host. */
export const DPKG_DIRECTORY = 'var/lib/dpkg';

const ATTEMPTS = 20;
const PAUSE_MS = 25;

/** Names of journal entries, in dpkg's order: all digits; `tmp.i` is one that was never finished. */
const listJournal = (directory: string): string[] => {
  try {
    const names = readdirSync(join(directory, 'updates'));
    return names.filter((name) => /^\d+$/.test(name)).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

/**
 * Changes whenever dpkg writes its database: the identity of the status file, and what stands in
 * its journal. Synchronous: two small looks, made right before a stop (R21). Throws when there is no
 * dpkg database.
 */
export const dpkgSignature = (root: string): string => {
  const directory = join(root, DPKG_DIRECTORY);
  const { ino, size, mtimeMs } = statSync(join(directory, 'status'));
  return [ino, size, mtimeMs, ...listJournal(directory)].join(' ');
};

/** When dpkg last wrote its status file, in ms by the wall clock. */
export const statusMtimeMs = async (root: string): Promise<number> =>
  (await stat(join(root, DPKG_DIRECTORY, 'status'))).mtimeMs;

const keyOf = ({ name, arch }: DpkgPackage): string => `${name}:${arch}`;

const readOnce = async (directory: string): Promise<DpkgDatabase> => {
  const statusPath = join(directory, 'status');
  const journal = listJournal(directory);
  const packages = parseDpkgStatus(await readFile(statusPath, 'utf8'), statusPath);
  if (journal.length === 0) return { packages, journalEntries: 0 };
  // Each entry holds the new stanza of one package, as dpkg will merge it.
  const merged = new Map(packages.map((one) => [keyOf(one), one]));
  for (const name of journal) {
    const path = join(directory, 'updates', name);
    for (const one of parseDpkgStatus(await readFile(path, 'utf8'), path)) {
      if (one.arch !== '') merged.delete(`${one.name}:`);
      merged.set(keyOf(one), one);
    }
  }
  return { packages: [...merged.values()], journalEntries: journal.length };
};

/**
 * Reads `<root>/var/lib/dpkg/status` and applies dpkg's journal (`updates/`), as dpkg itself would;
 * `status-old` is ignored. Reads again while dpkg rewrites them meanwhile. Throws when there is no
 * database, when it is damaged, or when it did not stand still for half a second.
 */
export const readDpkgDatabase = async (root: string): Promise<DpkgDatabase> => {
  const directory = join(root, DPKG_DIRECTORY);
  let failure: unknown = new Error('it is being rewritten all the time');
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await sleep(PAUSE_MS);
    const before = dpkgSignature(root);
    try {
      const database = await readOnce(directory);
      if (dpkgSignature(root) === before) return database;
    } catch (error) {
      if (dpkgSignature(root) === before) throw error;
      failure = error;
    }
  }
  throw new Error(`cannot read the dpkg database in ${directory}`, { cause: failure });
};
