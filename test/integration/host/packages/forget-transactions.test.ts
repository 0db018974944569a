import { expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forgetTransactions } from '../../../../src/host/packages/forget-transactions.ts';

test('the newest transactions stay, with all that is in them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'groundswell-transactions-'));
  try {
    for (const [index, name] of ['c', 'a', 'e', 'b', 'd'].entries()) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'transcript'), name);
      utimesSync(join(directory, name), 1_000 + index, 1_000 + index);
    }
    await forgetTransactions(directory, 5);
    expect(readdirSync(directory)).toHaveLength(5);
    await forgetTransactions(directory, 2);
    expect(readdirSync(directory).sort()).toEqual(['b', 'd']);
    expect(readdirSync(join(directory, 'b'))).toEqual(['transcript']);
    await forgetTransactions(join(directory, 'none'), 2);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
