import { fc, test as property } from '@fast-check/jest';
import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createMerkleTree, leafHash } from '../../src/audit/merkle-tree.ts';

/** RFC 6962 §2.1 as it is written there: the largest power of two to the left. */
const rootOf = (leaves: readonly string[]): Buffer => {
  const hash = (...parts: (Buffer | string)[]): Buffer =>
    parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();
  const [only = ''] = leaves;
  if (leaves.length === 0) return hash();
  if (leaves.length === 1) return hash(Buffer.of(0), only);
  const left = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return hash(Buffer.of(1), rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)));
};

const keyOf = (index: number): string => String(index).padStart(3, '0');

const treeOf = (leaves: readonly string[]): ReturnType<typeof createMerkleTree> => {
  const tree = createMerkleTree();
  for (const [index, leaf] of leaves.entries()) tree.set(keyOf(index), leafHash(leaf));
  return tree;
};

test('the leaves that Certificate Transparency is tested with', () => {
  const hex = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657'];
  const leaves = [...hex, '606162636465666768696a6b6c6d6e6f'].map((text) =>
    Buffer.from(text, 'hex').toString('latin1'),
  );
  expect(treeOf([]).root()).toBe(createHash('sha256').digest('hex'));
  expect(treeOf(leaves.slice(0, 1)).root()).toBe(
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  );
  expect(treeOf(leaves).root()).toBe(
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  );
});

property.prop([fc.array(fc.string(), { minLength: 1, maxLength: 40 }), fc.nat(), fc.string()])(
  'any leaves, also after one was changed and one came',
  (leaves, at, text) => {
    const tree = treeOf(leaves);
    expect(tree.root()).toBe(rootOf(leaves).toString('hex'));
    const changed = at % leaves.length;
    tree.set(keyOf(changed), leafHash(text));
    const now = leaves.with(changed, text);
    expect(tree.root()).toBe(rootOf(now).toString('hex'));
    tree.set(keyOf(now.length), leafHash(text));
    expect(tree.root()).toBe(rootOf([...now, text]).toString('hex'));
  },
);
