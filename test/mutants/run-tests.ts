import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { z } from 'zod';
import { killAll, membersOfGroup, signalProcess } from '../bed/processes.ts';
import type { Checkout } from './checkout.ts';
import type { Mutant } from './mutant.ts';

/** What one run of a test file came to. */
export interface TestRun {
  passed: string[];
  failed: string[];
  /** Why it says nothing of the tests; null: it does. */
  problem: string | null;
  /** It had not ended after its time. */
  late: boolean;
  ms: number;
}

const Results = z.object({
  testResults: z.array(
    z.object({
      message: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

const groups = new Set<number>();
let over = false;

const endGroup = async (group: number): Promise<void> => {
  signalProcess(-group, 'SIGKILL');
  await killAll(() => membersOfGroup(group), 10_000, 'tests');
  groups.delete(group);
};

/** End whatever tests are at work, and begin none any more. */
export const endTests = async (): Promise<void> => {
  over = true;
  await Promise.all([...groups].map(endGroup));
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/**
 * Run a test file in a checkout, whole or only the tests whose names hold one of `names`. What these leave in processes is ended. Throws
 * where Jest cannot be started.
 */
export const runTests = async (
  { directory, scratch }: Checkout,
  { project, file }: Pick<Mutant['killedBy'], 'project' | 'file'>,
  names: readonly string[],
  limitMs: number,
): Promise<TestRun> => {
  if (over) throw new Error('no tests are begun any more');
  const results = join(scratch, 'results.json');
  await rm(results, { force: true });
  const began = performance.now();
  const child = execa(
    process.execPath,
    [
      ...['node_modules/jest/bin/jest.js', '--selectProjects', project, '--runTestsByPath', file],
      ...['--testTimeout=30000', '--runInBand', '--forceExit', '--json', '--silent'],
      // Of no other checkout, nor of one of the same place that was before.
      ...['--outputFile', results, '--cacheDirectory', join(scratch, 'jest')],
      ...(names.length === 0 ? [] : ['--testNamePattern', names.map(escaped).join('|')]),
    ],
    {
      ...{ cwd: directory, stdin: 'ignore', all: true, reject: false, detached: true },
      env: { NODE_OPTIONS: '--experimental-vm-modules', TMPDIR: scratch },
    },
  );
  const group = child.pid;
  if (group !== undefined) groups.add(group);
  const time = { late: false };
  const timer = setTimeout(() => {
    time.late = true;
    if (group !== undefined) signalProcess(-group, 'SIGKILL');
  }, limitMs);
  const { all, exitCode } = await child;
  const { late } = time;
  clearTimeout(timer);
  if (group !== undefined) await endGroup(group);
  const ms = performance.now() - began;
  const text = await readFile(results, 'utf8').catch(() => null);
  if (late || text === null) {
    const said = `Jest ended with ${String(exitCode)}: ${all.trim().split('\n').at(-1) ?? ''}`;
    return { passed: [], failed: [], problem: late ? null : said, late, ms };
  }
  const { testResults } = Results.parse(JSON.parse(text));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const of = (status: string): string[] =>
    tests.filter((one) => one.status === status).map(({ fullName }) => fullName);
  const [first] = testResults;
  const problem = tests.length > 0 ? null : (first?.message ?? 'there is no such test file');
  return { passed: of('passed'), failed: of('failed'), problem, late, ms };
};
