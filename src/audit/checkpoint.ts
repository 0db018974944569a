import { sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { hashCanonical } from './chain.ts';
import { createMerkleTree, leafHash } from './merkle-tree.ts';

/** How far one chain went: `[chain, life, number of records, hash of the last]`. */
export const Leaf = z.tuple([
  z.string().max(100),
  z.string().max(100),
  z.int().min(1),
  z.string().regex(/^[0-9a-f]{64}$/),
]);
export type Leaf = z.infer<typeof Leaf>;

const Hash = z.string().regex(/^[0-9a-f]{64}$/);

/** What the server states of all its chains at one moment; its form is kept, for it is hashed and signed. */
export const Checkpoint = z.strictObject({
  kind: z.literal('groundswell-checkpoint'),
  version: z.literal(1),
  /** From 1 on, without gaps. */
  number: z.int().min(1),
  /** Wall-clock time in ISO 8601. */
  at: z.iso.datetime(),
  /** Hash of the one before, signature included; zeros for the first. */
  previous: Hash,
  /** How many chains the root is over. */
  chains: z.int().min(0),
  root: Hash,
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  /** Base64 of the Ed25519 signature over the canonical JSON (RFC 8785) of all the rest. */
  signature: z.string().length(88),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** Before the first checkpoint. */
export const noCheckpoint = { number: 0, hash: '0'.repeat(64) } as const;

/** A checkpoint's place in their chain. */
export interface CheckpointLink {
  number: number;
  hash: string;
}

export const checkpointLink = (checkpoint: Checkpoint): CheckpointLink => ({
  number: checkpoint.number,
  hash: hashCanonical(checkpoint),
});

/** The leaves of all chains, as a tree. */
export interface ChainTree {
  set: (leaf: Leaf) => void;
  chains: () => number;
  root: () => string;
}

export const createChainTree = (leaves: Iterable<Leaf> = []): ChainTree => {
  const tree = createMerkleTree();
  const set = (leaf: Leaf): void => {
    tree.set(`${leaf[0]} ${leaf[1]}`, leafHash(JSON.stringify(leaf)));
  };
  for (const leaf of leaves) set(leaf);
  return { set, chains: tree.size, root: tree.root };
};

/** A key that checkpoints are signed with, and the id that it goes by. */
export interface CheckpointKey {
  id: string;
  privateKey: KeyObject;
}

const signed = (statement: object): Buffer => {
  const text = canonicalize(statement);
  if (text === undefined) throw new Error('a statement cannot be written as JSON');
  return Buffer.from(text);
};

/** Sign a statement under its key's id. */
export const signStatement = <S extends object>(
  statement: S,
  key: CheckpointKey,
): S & { keyId: string; signature: string } => {
  const content = { ...statement, keyId: key.id };
  return { ...content, signature: sign(null, signed(content), key.privateKey).toString('base64') };
};

/** Why a signed statement is not to be believed; null: one of `keys` has signed it. Never throws. */
export const signatureProblem = (
  statement: { keyId: string; signature: string },
  keys: ReadonlyMap<string, KeyObject>,
): string | null => {
  const { signature, ...content } = statement;
  const key = keys.get(content.keyId);
  if (key === undefined) return `is signed with key ${content.keyId}, which is not one of yours`;
  const bytes = Buffer.from(signature, 'base64');
  // Another spelling of the same bytes is not what was signed.
  if (bytes.length !== 64 || bytes.toString('base64') !== signature)
    return 'has a signature that is none';
  return verify(null, signed(content), key, bytes)
    ? null
    : `was changed: key ${content.keyId} has not signed it`;
};

/** The next checkpoint over what `tree` holds. */
export const makeCheckpoint = (
  last: CheckpointLink,
  tree: ChainTree,
  at: Date,
  key: CheckpointKey,
): Checkpoint =>
  signStatement(
    {
      ...({ kind: 'groundswell-checkpoint', version: 1 } as const),
      ...{ number: last.number + 1, at: at.toISOString(), previous: last.hash },
      ...{ chains: tree.chains(), root: tree.root() },
    },
    key,
  );
