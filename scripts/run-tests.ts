import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DEFAULT_CACHE_DIRECTORY } from '../test/bed/bed.ts';
import { cleanAbandonedBeds } from '../test/bed/clean-abandoned.ts';
import { endSetup } from '../test/bed/end-setup.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';
import { errorText } from '../src/core/error-text.ts';
import { installOuterPackages } from '../test/bed/outer-packages.ts';
import { conclude } from './conclude.ts';
import { readSkipped } from './read-skipped.ts';
import { runPart } from './run-part.ts';
import type { Part } from './run-part.ts';

/**
 * The whole suite: the quick check, the tests against real stores with the model and the simulation beside them, and the
 * tests against real hosts where they can run (root on Linux). Says in one line at the end what was not run and why.
 */
const limitMs = 30 * 60_000;

const canRunHosts = process.platform === 'linux' && process.getuid?.() === 0;

const npmRun = (name: string, script: string): Part => ({
  name,
  command: ['npm', 'run', '--silent', script],
});
/** Parts that need processors and nothing else. */
const model = npmRun('model', 'test:model');
const simulation = npmRun('simulation', 'test:simulation');
const integration = npmRun('integration', 'test:integration');

/** A part, and others that are run beside it, one after another, with what it leaves of the processors. */
interface Stage {
  part: Part;
  beside: Part[];
}

const stages: Stage[] = [{ part: npmRun('check', 'check'), beside: [] }];
// Tests against real stores wait for half of their time.
const withIntegration: Stage = { part: integration, beside: [model, simulation] };
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
    stages.push({ part: model, beside: [] }, { part: simulation, beside: [] });
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

/** Whether a person ends the run: also between two parts, of which each hears signals only while it is run. */
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => (interrupted = true));
const isInterrupted = (): boolean => interrupted;

/** Never rejects: what is run beside it must come to its end as well. */
const timed = async (part: Part, run: () => Promise<number>): Promise<Outcome> => {
  const began = performance.now();
  const code = await run().catch((error: unknown) => {
    console.log(`${part.name} failed: ${errorText(error)}`);
    return 1;
  });
  console.log(`${part.name} took ${Math.round((performance.now() - began) / 1000)} s`);
  return { part, code };
};

const runInFront = (part: Part): Promise<Outcome> => {
  console.log(`\n=== ${part.name} ===`);
  return timed(part, () => runPart(part, limitMs));
};

/**
 * Each part is a session of its own, and on many machines a session has its share of the processors, whatever the
 * priorities in it are: so its own is lowered too (sched(7), autogroup).
 */
const yielding = ({ name, command }: Part): Part => ({
  name,
  command: [
    ...['sh', '-c', '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec nice -n 19 "$@"', 'sh'],
    ...command,
  ],
});

/** What it prints is held back until it is over: in one piece, not between the lines of the other part. */
const runBeside = async (parts: readonly Part[]): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const part of parts) {
    const path = join(scratch, part.name);
    const run = async (): Promise<number> => {
      const file = await open(path, 'w');
      try {
        return isInterrupted() ? 130 : await runPart(yielding(part), limitMs, file.fd);
      } finally {
        await file.close();
        console.log(`\n=== ${part.name}, run meanwhile ===\n${await readFile(path, 'utf8')}`);
      }
    };
    outcomes.push(await timed(part, run));
    if (isInterrupted()) break;
  }
  return outcomes;
};

const failed: string[] = [];
let passed = 0;
for (const { part, beside } of stages) {
  const [outcome, others] = await Promise.all([runInFront(part), runBeside(beside)]);
  const outcomes = [outcome, ...others];
  if (isInterrupted()) {
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
