import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { advisorySources } from '../../../src/producers/advisories/sources.ts';
import { isLong } from '../../fuzz/mutations.ts';
import { archiveTargets } from './hostile-archives.ts';
import { sourceTargets } from './hostile-targets.ts';
import { readHostile } from './hostile.ts';

/** Of each document always the same hundred, or ten thousand others of each parser (`npm run test:hostile`). */
const [few, many] = [100, 10_000];
const timeoutMs = isLong ? 7_200_000 : 300_000;

const countsOf = new Map<string, number>();
for (const { of } of [...sourceTargets, ...archiveTargets])
  countsOf.set(of, (countsOf.get(of) ?? 0) + 1);

describe('changed documents: no crash, no hang, no memory without bound, and no advisory that is none', () => {
  test('of every source', () => {
    expect([...advisorySources().keys()].filter((name) => !countsOf.has(name))).toEqual([]);
  });

  test.each([...countsOf])(
    '%s',
    async (of, count) => {
      const each = isLong ? Math.ceil(many / count) : few;
      const seed = isLong ? Date.now() % 2 ** 31 : 4;
      const { failure, documents, peakMb } = await readHostile({ of, each, seed });
      expect(failure).toBeNull();
      expect(documents).toBe(count * each);
      if (isLong) console.log(`${of}: ${documents} documents, ${String(peakMb)} MB at most`);
    },
    timeoutMs,
  );
});

describe('a parser that is broken is noticed, with its document and how to have it again', () => {
  test.each([
    ['hangs', /: it hangs: nothing for 5 s\n/],
    ['waits for ever', /: it hangs: nothing for 5 s\n/],
    ['keeps all', /: the process has grown to [4-9]\d\d MB\n/],
    ['throws', /: nobody expected this\n/],
    ['fails beside', /: it ended \(1\)\n[^]*nobody waited for this/],
  ])(
    'which %s',
    async (of, reason) => {
      const { failure } = await readHostile({ of, each: 1_000, seed: 4 }, 5_000);
      expect(failure).toMatch(reason);
      const [, path = ''] = /, is in (\S+);/.exec(failure ?? '') ?? [];
      expect(existsSync(path)).toBe(true);
      expect(readFileSync(path, 'utf8')).toContain('7');
      expect(failure).toContain(`"of":"${of}","each":1000,"seed":4,"document":"a number","path":`);
      rmSync(dirname(path), { recursive: true });
    },
    60_000,
  );
});
