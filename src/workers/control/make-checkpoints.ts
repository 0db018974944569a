import {
  checkpointLink,
  createChainTree,
  makeCheckpoint,
  noCheckpoint,
} from '../../audit/checkpoint.ts';
import type { ChainTree, Checkpoint, CheckpointKey } from '../../audit/checkpoint.ts';
import {
  lastCheckpointRow,
  linksAfter,
  loadLeaves,
  saveCheckpoint,
} from '../../store/checkpoints.ts';
import { inLeaderTransaction } from '../../store/lease.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/open-store.ts';

export interface CheckpointerOptions {
  store: Store;
  lease: Lease;
  key: CheckpointKey;
  wallNow: () => Date;
}

/**
 * Makes checkpoints over all records that are in the store. Answers the new one; null where nothing was written since the last.
 * One at a time; throws, with nothing written, where the store fails or somebody else leads.
 */
export const createCheckpointer = (
  options: CheckpointerOptions,
): (() => Promise<Checkpoint | null>) => {
  const { store, lease, key, wallNow } = options;
  /** As it is in the store; null: to be read again. */
  let tree: ChainTree | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  const make = (): Promise<Checkpoint | null> =>
    inLeaderTransaction(store.db, lease, async (db) => {
      const last = await lastCheckpointRow(db);
      const { upTo, changed } = await linksAfter(db, last?.upTo ?? 0);
      if (changed.length === 0) return null;
      const present = tree ?? createChainTree(await loadLeaves(db));
      tree = null;
      for (const leaf of changed) present.set(leaf);
      const now = wallNow();
      const checkpoint = makeCheckpoint(last ?? noCheckpoint, present, now, key);
      const row = { ...checkpointLink(checkpoint), madeAt: now.getTime(), upTo };
      await saveCheckpoint(db, { ...row, statement: checkpoint, changed });
      tree = present;
      return checkpoint;
    }).catch((error: unknown) => {
      tree = null;
      throw error;
    });

  return () => {
    const mine = turn.then(make);
    turn = mine.catch(() => undefined);
    return mine;
  };
};
