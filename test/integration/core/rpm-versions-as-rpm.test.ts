import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  compareRpmVersions,
  parseRpmVersion,
} from '../../../src/core/versions/compare-rpm-versions.ts';

const directory = mkdtempSync(join(tmpdir(), 'gs-versions-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const rpm = (...args: string[]): string => execFileSync('rpm', args, { encoding: 'utf8' });

const isInstalled = ((): boolean => {
  try {
    return rpm('--version') !== '';
  } catch {
    return false;
  }
})();

/** Few characters, so that pairs share beginnings and differ late; many pairs differ in one place only. */
const version = fc.stringMatching(/^([01]:)?[a-zA0-2.+~^_]{1,10}(-[ab0-2.+~^_]{1,4})?$/);
const close = fc
  .tuple(version, fc.nat(), fc.constantFrom('0', '1', '9', 'a', '.', '+', '~', '^', '', '00', '-1'))
  .map(([text, at, other]): [string, string] => {
    const place = at % (text.length + 1);
    return [text, text.slice(0, place) + other + text.slice(place + (at % 2))];
  });

/** What rpm says of each pair, in one process. */
const asRpm = (pairs: readonly [string, string][]): number[] => {
  const path = join(directory, 'pairs');
  writeFileSync(path, pairs.map((pair) => `${pair.join(' ')}\n`).join(''));
  const script = `for line in io.lines("${path}") do
    local a, b = line:match("^([^ ]+) ([^ ]+)$")
    print(rpm.vercmp(a, b) .. string.char(10))
  end`;
  return rpm('--eval', `%{lua: ${script}}`).trim().split('\n').map(Number);
};

(isInstalled ? describe : describe.skip)('as rpm does it', () => {
  test('order', () => {
    const pairs = fc
      .sample(fc.oneof(close, fc.tuple(version, version)), { numRuns: 20_000, seed: 2_026 })
      .filter((pair) => pair.every((text) => parseRpmVersion(text).ok));
    expect(pairs.length).toBeGreaterThan(10_000);
    const theirs = asRpm(pairs);
    expect(theirs).toHaveLength(pairs.length);
    const different = pairs
      .map(([a, b], at) => [a, b, compareRpmVersions(a, b), theirs[at]])
      .filter(([, , ours, their]) => ours !== their);
    expect(different).toEqual([]);
    expect(new Set(theirs)).toEqual(new Set([-1, 0, 1]));
  }, 60_000);
});
