import { createHash } from 'node:crypto';

const leafPrefix = Buffer.of(0);
const nodePrefix = Buffer.of(1);

/** Hash of a leaf's text, RFC 6962 §2.1: it can be taken for no node. */
export const leafHash = (text: string): Buffer =>
  createHash('sha256').update(leafPrefix).update(text).digest();

const nodeHash = (left: Buffer, right: Buffer): Buffer =>
  createHash('sha256').update(nodePrefix).update(left).update(right).digest();

/** A tree over leaves that are ordered by their keys. */
export interface MerkleTree {
  /** Put a leaf at its key's place, in place of the one that was there. */
  set: (key: string, hash: Buffer) => void;
  size: () => number;
  /** The hash over all leaves, in hex; over none, that of nothing. */
  root: () => string;
}

/**
 * A Merkle tree as RFC 6962 §2.1 has it, over leaves in the order of their keys (by UTF-16 code units). A changed leaf costs
 * its path, a new one the whole tree anew, at the next `root`: chains change by the minute, and come once.
 */
export const createMerkleTree = (): MerkleTree => {
  const hashes = new Map<string, Buffer>();
  let places = new Map<string, number>();
  /** Leaves first; a node without a neighbour is its own parent. The last has one node. */
  let levels: Buffer[][] = [];
  let grown = false;
  const changed = new Set<string>();

  const parentAt = (level: readonly Buffer[], index: number): Buffer => {
    const [left, right] = level.slice(2 * index, 2 * index + 2);
    if (left === undefined) throw new Error('a Merkle tree has no such node');
    return right === undefined ? left : nodeHash(left, right);
  };

  const rebuild = (): void => {
    const ordered = [...hashes].sort(([a], [b]) => (a < b ? -1 : 1));
    places = new Map(ordered.map(([key], index) => [key, index]));
    let level = ordered.map(([, hash]) => hash);
    levels = [level];
    while (level.length > 1) {
      const below = level;
      level = Array.from({ length: Math.ceil(below.length / 2) }, (_, i) => parentAt(below, i));
      levels.push(level);
    }
  };

  const renew = (key: string): void => {
    let index = places.get(key) ?? 0;
    const [leaves = []] = levels;
    leaves[index] = hashes.get(key) ?? leafHash('');
    levels.slice(1).forEach((level, below) => {
      index = Math.floor(index / 2);
      level[index] = parentAt(levels[below] ?? [], index);
    });
  };

  return {
    set: (key, hash) => {
      if (!hashes.has(key)) grown = true;
      hashes.set(key, hash);
      changed.add(key);
    },
    size: () => hashes.size,
    root: () => {
      if (grown) rebuild();
      else for (const key of changed) renew(key);
      grown = false;
      changed.clear();
      const top = levels.at(-1)?.[0];
      return (top ?? createHash('sha256').digest()).toString('hex');
    },
  };
};
