import { hash as hashOf } from 'node:crypto';
import type { RecordLine } from './bundle-lines.ts';
import { chainStart } from './chain.ts';
import type { Link } from './chain.ts';
import { createChainTree } from './checkpoint.ts';
import type { ChainTree, Checkpoint, Leaf } from './checkpoint.ts';

/** Follows every chain of a bundle, record by record. */
export interface ChainFollower {
  /** Go on from where chains stood at a checkpoint. */
  resume: (checkpoint: Checkpoint, leaves: readonly Leaf[]) => void;
  /** The next record of some chain; `text` is its canonical JSON. */
  take: (row: RecordLine, text: string) => void;
  /** A checkpoint is over all records that were read, and no others. */
  compare: (checkpoint: Checkpoint, changed: readonly Leaf[]) => void;
  /** How many chains have records that no checkpoint has seen. */
  unseen: () => number;
  chains: () => number;
}

const keyOf = (chain: string, life: string): string => `${chain} ${life}`;

const nameOf = ({ chain, life }: Pick<RecordLine, 'chain' | 'life'>): string =>
  chain === 'server' ? 'the server’s chain' : `the chain of ${chain} (life ${life})`;

/** Tells `found` of everything that does not fit; goes on with what is claimed, so that one change is one finding. */
export const followChains = (found: (what: string) => void): ChainFollower => {
  const links = new Map<string, Link>();
  /** Chains with records since the last checkpoint, by the names that people know. */
  const grown = new Map<string, string>();
  let tree: ChainTree = createChainTree();

  const compareLeaf = ([chain, life, length, head]: Leaf, number: number): void => {
    const link = links.get(keyOf(chain, life)) ?? chainStart;
    tree.set([chain, life, length, head]);
    const isNew = grown.delete(keyOf(chain, life));
    if (link.seq !== length)
      found(
        `checkpoint ${number} has seen ${length} records of ${nameOf({ chain, life })}, and ${link.seq} are here`,
      );
    else if (link.hash !== head)
      found(`checkpoint ${number} has seen another record ${length} of ${nameOf({ chain, life })}`);
    else if (!isNew) found(`checkpoint ${number} tells again of ${nameOf({ chain, life })}`);
  };

  return {
    resume: (checkpoint, leaves) => {
      tree = createChainTree(leaves);
      if (tree.root() !== checkpoint.root || tree.chains() !== checkpoint.chains)
        found(`it goes on from checkpoint ${checkpoint.number}, which is over other chains`);
      for (const [chain, life, length, head] of leaves)
        links.set(keyOf(chain, life), { seq: length, hash: head });
    },
    take: (row, text) => {
      const { chain, life, seq, hash, record } = row;
      const key = keyOf(chain, life);
      const link = links.get(key) ?? chainStart;
      const called = (): string => `record ${seq} of ${nameOf(row)}`;
      if (seq <= link.seq) return found(`${called()} is there twice, or out of its order`);
      if (seq > link.seq + 1)
        found(
          seq === link.seq + 2
            ? `record ${link.seq + 1} of ${nameOf(row)} is missing`
            : `records ${link.seq + 1} to ${seq - 1} of ${nameOf(row)} are missing`,
        );
      else if (record['previous'] !== link.hash)
        found(`${called()} does not follow the one before it: one of them was put in its place`);
      if (record['seq'] !== seq || record['life'] !== life)
        found(`${called()} says that it is another`);
      if (record['host'] !== (chain === 'server' ? '@server' : chain))
        found(`${called()} is one of ${String(record['host'])}`);
      if (hashOf('sha256', text) !== hash) found(`${called()} was changed: its hash does not fit`);
      links.set(key, { seq, hash });
      if (!grown.has(key)) grown.set(key, nameOf(row));
    },
    compare: (checkpoint, changed) => {
      for (const leaf of changed) compareLeaf(leaf, checkpoint.number);
      for (const name of grown.values())
        found(`checkpoint ${checkpoint.number} has not seen the last records of ${name}`);
      grown.clear();
      if (tree.root() !== checkpoint.root || tree.chains() !== checkpoint.chains)
        found(`checkpoint ${checkpoint.number} is over other records: its root does not fit`);
    },
    unseen: () => grown.size,
    chains: () => links.size,
  };
};
