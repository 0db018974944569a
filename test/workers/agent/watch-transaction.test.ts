import { beforeEach, describe, expect, test } from '@jest/globals';
import type { PackageWork } from '../../../src/host/packages/work-in-progress.ts';
import { longestProblem } from '../../../src/core/messages.ts';
import {
  longTransactionMs,
  watchTransaction,
} from '../../../src/workers/agent/watch-transaction.ts';

const begin = Date.UTC(2027, 0, 1, 10, 41);
const script = { what: 'the postinst of tzdata', pid: 930, beganAtMs: begin };
const apt: PackageWork = { pid: 812, command: 'apt-get', script: null };

let work: PackageWork | null;
let now: number;
let look: ReturnType<typeof watchTransaction>;

beforeEach(() => {
  [work, now] = [apt, 0];
  look = watchTransaction({
    ...{ atWork: () => work, monoMs: () => now, wallMs: () => begin + now },
  });
});
/** What is told with each of these answers, so long after the first look. */
const after = (ms: number, found: PackageWork | null, atRest = false): string | null => {
  [now, work] = [ms, found];
  return look(atRest);
};

describe('a package transaction that does not end', () => {
  test('is told of once it has been at work for long, by its script and since when, always in the same words', () => {
    expect(after(0, apt)).toBeNull();
    expect(after(longTransactionMs - 1, { ...apt, script })).toBeNull();
    const text = after(longTransactionMs, { ...apt, script });
    expect(text).toMatch(
      /^the package manager has been at work for more than 10 min: apt-get \(pid 812\), since 2027-01-01 10:41 UTC in the postinst of tzdata \(pid 930\)\. Nothing is restarted .* \(kill 930\)/,
    );
    const jittered = { ...apt, script: { ...script, beganAtMs: begin - 1 } };
    expect(after(2 * longTransactionMs, jittered)).toBe(text);
  });

  test('in words that fit into a report, however long a name is', () => {
    const what = `the postinst of ${'x'.repeat(1_000)}`;
    expect(after(longTransactionMs, { ...apt, script: { ...script, what } })).toHaveLength(
      longestProblem,
    );
  });

  test('and the next script that it runs is named in its place', () => {
    after(0, apt);
    after(longTransactionMs, { ...apt, script });
    const next = { what: 'the postinst of libc6', pid: 999, beganAtMs: begin + longTransactionMs };
    expect(after(longTransactionMs + 1, { ...apt, script: next })).toContain('of libc6 (pid 999)');
    expect(after(longTransactionMs + 2, apt)).toContain('apt-get (pid 812). Nothing');
  });

  test('is not told of any more once it is over, and the next one has its own time', () => {
    after(0, apt);
    expect(after(longTransactionMs, apt)).not.toBeNull();
    expect(after(longTransactionMs + 1, null, true)).toBeNull();
    expect(after(longTransactionMs + 2, apt)).toBeNull();
    expect(after(2 * longTransactionMs, { ...apt, pid: 813 })).toBeNull();
  });

  test('a script that hung before this agent began to look is told of at once', () => {
    now = longTransactionMs;
    expect(look(false)).toBeNull();
    expect(after(longTransactionMs, { ...apt, command: '', script })).toContain(
      'a process (pid 812), since',
    );
  });

  test('packages that are not at rest while nobody is at work are another matter', () => {
    expect([after(0, null), after(longTransactionMs, null)]).toEqual([null, null]);
  });
});
