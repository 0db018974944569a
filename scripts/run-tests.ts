import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DEFAULT_CACHE_DIRECTORY } from '../test/bed/bed.ts';
import { cleanAbandonedBeds } from '../test/bed/clean-abandoned.ts';
import { endSetup } from '../test/bed/end-setup.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';
import { installOuterPackages } from '../test/bed/outer-packages.ts';
import { conclude } from './conclude.ts';
import { readSkipped } from './read-skipped.ts';
import { runPart } from './run-part.ts';
import type { Part } from './run-part.ts';

/**
 * The whole suite: the tests against real stores with the quick check, the model and the simulation beside them, and the
 * tests against real hosts where they can run (root on Linux). Says in one line at the end what was not run and why.
 */
const limitMs = 30 * 60_000;

const canRunHosts = process.platform === 'linux' && process.getuid?.() === 0;

const npmRun = (name: string, script: string): Part => ({
  name,
  command: ['npm', 'run', '--silent', script],
});
/** Parts that need processors and nothing else. */
const check = npmRun('check', 'check');
const model = npmRun('model', 'test:model');
const simulation = npmRun('simulation', 'test:simulation');
const integration = npmRun('integration', 'test:integration');

/** A part, and others that are run beside it, one after another, with what it leaves of the processors. */
interface Stage {
  part: Part;
  beside: Part[];
}

const stages: Stage[] = [];
// Tests against real stores wait for half of their time.
const withIntegration: Stage = { part: integration, beside: [check, model, simulation] };
const notRun: string[] = [];
if (canRunHosts) {
  const log = (line: string): void => {
    console.log(line);
  };
  const off = onInterrupt(() => endSetup(DEFAULT_CACHE_DIRECTORY, log), log);
  try {
    // For versions of packages, as rpm itself orders them; the beds of Debian hosts need none.
    await installOuterPackages(log, [['rpm', '/usr/bin/rpm']]);
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
  off();
  stages.push(withIntegration, { part: npmRun('real hosts', 'test:e2e'), beside: [] });
} else {
  if (existsSync('/usr/bin/redis-server') || process.env['REDIS_URL'] !== undefined) {
    stages.push(withIntegration);
    notRun.push('what of integration mounts or changes owners (it needs root)');
  } else {
    stages.push(...[check, model, simulation].map((part) => ({ part, beside: [] })));
    notRun.push('integration (no redis-server, and REDIS_URL is not set)');
  }
  notRun.push('real hosts (they need root on Linux)');
}

// Jest, below whatever a part begins, writes there what it skips.
const scratch = await mkdtemp(join(tmpdir(), 'groundswell-suite-'));
const skippedPath = join(scratch, 'skipped-tests');
process.env['GROUNDSWELL_SKIPPED'] = skippedPath;

interface Outcome {
  part: Part;
  code: number;
}

const timed = async (part: Part, run: () => Promise<number>): Promise<Outcome> => {
  const began = performance.now();
  const code = await run();
  console.log(`${part.name} took ${Math.round((performance.now() - began) / 1000)} s`);
  return { part, code };
};

const runInFront = (part: Part): Promise<Outcome> => {
  console.log(`\n=== ${part.name} ===`);
  return timed(part, () => runPart(part, limitMs));
};

/** What it prints is held back until it is over: in one piece, not between the lines of the other part. */
const runBeside = async (parts: readonly Part[]): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const part of parts) {
    const path = join(scratch, part.name);
    const file = await open(path, 'w');
    const yielding = { ...part, command: ['nice', '-n', '19', ...part.command] };
    const run = async (): Promise<number> => {
      const code = await runPart(yielding, limitMs, file.fd).finally(() => file.close());
      console.log(`\n=== ${part.name}, run meanwhile ===\n${await readFile(path, 'utf8')}`);
      return code;
    };
    const outcome = await timed(part, run);
    outcomes.push(outcome);
    if (outcome.code === 130) break;
  }
  return outcomes;
};

const failed: string[] = [];
let passed = 0;
for (const { part, beside } of stages) {
  const [outcome, others] = await Promise.all([runInFront(part), runBeside(beside)]);
  const outcomes = [outcome, ...others];
  if (outcomes.some(({ code }) => code === 130)) {
    if (canRunHosts) await cleanAbandonedBeds();
    await rm(scratch, { recursive: true });
    process.exit(130);
  }
  passed += outcomes.filter(({ code }) => code === 0).length;
  failed.push(...outcomes.filter(({ code }) => code !== 0).map((one) => one.part.name));
}
if (canRunHosts) await cleanAbandonedBeds();
const skipped = await readSkipped(skippedPath);
await rm(scratch, { recursive: true });
const { lines, exitCode } = conclude({
  ...{ passed, failed, notRun, skipped },
  mustRunAll: process.env['CI'] === 'true',
});
console.log(`\n${lines.join('\n')}`);
process.exit(exitCode);
