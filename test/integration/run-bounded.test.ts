import { describe, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeResult, plainEnvironment, runBounded } from '../../src/host/run-bounded.ts';
import type { RunBoundedOptions } from '../../src/host/run-bounded.ts';

const run = (argv: string[], more: Partial<RunBoundedOptions> = {}) =>
  runBounded(argv, { timeoutMs: 5_000, env: plainEnvironment, maxOutputBytes: 1_000, ...more });

/** Processes whose command line holds `mark`. */
const processesWith = async (mark: string): Promise<string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return line.includes(mark) ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
};

const noneLeft = async (mark: string): Promise<void> => {
  const end = Date.now() + 3_000;
  while ((await processesWith(mark)).length > 0) {
    if (Date.now() > end) throw new Error(`a process with ${mark} is left`);
    await sleep(10);
  }
};

describe('a bounded command', () => {
  test('gets its arguments as they are, and a cleared environment', async () => {
    const { exitCode, output } = await run(['sh', '-c', 'env; echo "$1"; exit 3', 'sh', '$(id) *']);
    expect(exitCode).toBe(3);
    const lines = output
      .trim()
      .split('\n')
      .filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line));
    expect(lines.sort()).toEqual(
      ['$(id) *', ...Object.entries(plainEnvironment).map(([k, v]) => `${k}=${v}`)].sort(),
    );
  });

  test('at its limit the whole group is ended, what ignores TERM included', async () => {
    const begun = performance.now();
    const result = await run(
      ['sh', '-c', "trap '' TERM; sleep 98.7123 & sleep 98.7123; sleep 98.7123"],
      {
        timeoutMs: 100,
      },
    );
    expect(result.ended).toBe('timed-out');
    expect(performance.now() - begun).toBeLessThan(2_500);
    await noneLeft('98.7123');
  });

  test('abort ends it', async () => {
    const abort = new AbortController();
    setTimeout(() => {
      abort.abort();
    }, 50);
    expect((await run(['sleep', '97.7123'], { signal: abort.signal })).ended).toBe('aborted');
    await noneLeft('97.7123');
  });

  test('a daemon that keeps the pipes open is not waited for', async () => {
    const begun = performance.now();
    const result = await run(['sh', '-c', 'setsid sleep 1.3123 & echo begun']);
    expect(result).toMatchObject({ ended: 'exited', exitCode: 0, output: 'begun\n' });
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  test('runs in the root directory', async () => {
    expect((await run(['pwd'])).output).toBe('/\n');
  });

  test('keeps the end of what it says', async () => {
    const { output } = await run(['sh', '-c', 'seq 1 100000; echo last']);
    expect(output.length).toBeLessThanOrEqual(1_000);
    expect(output.endsWith('100000\nlast\n')).toBe(true);
  });

  test('one that is not there, and one that dies, are failures with a reason', async () => {
    const missing = await run(['/no/such/program']);
    expect(missing.ended).toBe('failed');
    expect(describeResult(['/no/such/program'], missing, 1)).toBe(
      'command /no/such/program failed: spawn /no/such/program ENOENT',
    );
    expect(await run(['sh', '-c', 'kill -9 $$'])).toMatchObject({
      ended: 'failed',
      problem: 'ended by SIGKILL',
    });
  });
});
