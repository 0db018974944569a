import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { cacheFolder, compileSimulation } from '../test/model/compile.ts';
import { startPool } from '../test/model/pool.ts';
import { run } from '../test/simulation/run.ts';
import type { Schedule } from '../test/simulation/schedule.ts';
import { loadSimCore } from '../test/simulation/sim-core.ts';
import type { Task } from '../test/simulation/simulate.child.ts';
import { added, emptyBatch, scheduleOf } from '../test/simulation/simulate.ts';
import type { Batch, Found } from '../test/simulation/simulate.ts';

/**
 * `npm run simulate -- [--schedules N] [--seed N] [--cores N]`: schedules of faults over the real core, on all cores; of each in which a
 * rule does not hold, the command that replays it. One schedule alone is told step by step; `--path` names what it was shrunk to.
 */
const usage =
  'usage: npm run simulate -- [--schedules N] [--seed N] [--cores N]; --schedules 1 [--path P] tells one step by step';

const perTask = 50;
/** So many are shrunk and told of; more of them say nothing new. */
const mostFound = 20;

const numberOf = (text: string | undefined, name: string, otherwise: number): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || (name !== 'seed' && value === 0)) {
    console.error(`--${name} wants a whole number, and got ${text ?? ''}\n${usage}`);
    process.exit(2);
  }
  return value;
};

const options = () => {
  try {
    const { values } = parseArgs({
      options: {
        ...{ schedules: { type: 'string' }, seed: { type: 'string' } },
        ...{ cores: { type: 'string' }, path: { type: 'string' } },
      },
    });
    return {
      schedules: numberOf(values.schedules, 'schedules', 2_000),
      seed: numberOf(values.seed, 'seed', 1),
      cores: numberOf(values.cores, 'cores', availableParallelism()),
      path: values.path ?? '',
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
};

const command = ({ seed, path }: Found): string =>
  `npm run simulate -- --schedules 1 --seed ${seed}${path === '' ? '' : ` --path ${path}`}`;

const actsOf = ({ acts }: Schedule): string =>
  acts.map(({ at, kind }) => `${kind} at ${at} s`).join(', ') || 'none';

const tellFound = (found: Found): void => {
  console.log(`\n${found.rule}: ${found.message}`);
  console.log(`  acts: ${actsOf(found.schedule)}`);
  console.log(`  replay: ${command(found)}`);
};

/** One schedule, step by step. */
const replay = async (core: string, seed: number, path: string): Promise<number> => {
  const schedule = scheduleOf(seed, path);
  const { acts, plan } = schedule;
  console.log(`seed ${seed}${path === '' ? '' : `, path ${path}`}`);
  console.log(`fleet: ${JSON.stringify(plan)}`);
  for (const act of acts) console.log(`act: ${JSON.stringify(act)}`);
  const { violation, trace, counts, virtualMs } = run(await loadSimCore(core), schedule, true);
  for (const line of trace) console.log(line);
  console.log(
    `${counts.steps} steps, ${Math.round(virtualMs / 1_000)} virtual s, ${counts.stops} stops`,
  );
  console.log(violation === null ? 'no violation' : `${violation.rule}: ${violation.message}`);
  return violation === null ? 0 : 1;
};

const tellAll = (all: Batch, seconds: number): void => {
  const kinds = Object.entries(all.faults).sort(([a], [b]) => (a < b ? -1 : 1));
  console.log(
    `${all.schedules} schedules, ${all.steps} steps, ${Math.round(all.virtualMs / 3_600_000)} virtual hours, ${all.waves} waves, ${all.grants} grants, ${all.stops} stops, ${seconds.toFixed(0)} s`,
  );
  console.log('faults and acts by kind:');
  for (const [kind, n] of kinds) console.log(`  ${String(n).padStart(9)}  ${kind}`);
  console.log(`violations: ${all.found.length}`);
  for (const found of all.found.slice(0, mostFound)) tellFound(found);
};

const runAll = async (file: string, core: string): Promise<number> => {
  const { schedules, seed, cores } = options();
  const began = performance.now();
  const pool = startPool<Task, Batch>(file, cores);
  let all = emptyBatch();
  let toldAt = began;
  const tasks: Promise<void>[] = [];
  for (let from = seed; from < seed + schedules; from += perTask) {
    const count = Math.min(perTask, seed + schedules - from);
    const task = { core, from, count, untilFound: false, shrinks: true };
    tasks.push(
      pool.ask(task).then((batch) => {
        all = added(all, batch);
        if (performance.now() - toldAt < 30_000) return;
        toldAt = performance.now();
        console.error(`${all.schedules} of ${schedules}, ${all.found.length} violations`);
      }),
    );
  }
  await Promise.all(tasks);
  await pool.stop();
  tellAll(all, (performance.now() - began) / 1_000);
  return all.found.length === 0 ? 0 : 1;
};

const name = `${process.pid}-simulate`;
try {
  const { schedules, seed, path } = options();
  const file = compileSimulation(name);
  const core = join(cacheFolder, name, 'src/core');
  process.exitCode = schedules === 1 ? await replay(core, seed, path) : await runAll(file, core);
} finally {
  rmSync(join(cacheFolder, name), { recursive: true, force: true });
}
