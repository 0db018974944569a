import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { errorText } from '../src/core/error-text.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';
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

interface Options {
  schedules: number;
  seed: number;
  cores: number;
  path: string;
}

const refuse = (problem: string): never => {
  console.error(`${problem}\n${usage}`);
  process.exit(2);
};

const wholeNumber = (text: string, name: string, least: number): number => {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${name} wants a whole number from ${least} on, and got "${text}"`);
  return value;
};

const options = (): Options => {
  try {
    const { values } = parseArgs({
      options: {
        schedules: { type: 'string', default: '2000' },
        seed: { type: 'string', default: '1' },
        cores: { type: 'string', default: String(availableParallelism()) },
        path: { type: 'string', default: '' },
      },
    });
    const schedules = wholeNumber(values.schedules, 'schedules', 1);
    if (!/^(?:\d+(?::\d+)*)?$/.test(values.path))
      throw new Error(`--path wants numbers with colons between them, and got "${values.path}"`);
    if (values.path !== '' && schedules !== 1)
      throw new Error('--path is of one schedule: it wants --schedules 1');
    return {
      schedules,
      seed: wholeNumber(values.seed, 'seed', 0),
      cores: wholeNumber(values.cores, 'cores', 1),
      path: values.path,
    };
  } catch (error) {
    return refuse(errorText(error));
  }
};

const scheduleNamed = ({ seed, path }: Options): Schedule => {
  try {
    return scheduleOf(seed, path);
  } catch (error) {
    return refuse(`--path ${path} leads to no schedule of seed ${seed}: ${errorText(error)}`);
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
const replay = async (
  core: string,
  { seed, path }: Options,
  schedule: Schedule,
): Promise<number> => {
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

const runAll = async (
  file: string,
  core: string,
  { schedules, seed, cores }: Options,
): Promise<number> => {
  const began = performance.now();
  const pool = startPool<Task, Batch>(file, Math.min(cores, Math.ceil(schedules / perTask)));
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

const asked = options();
const one = asked.schedules === 1 ? scheduleNamed(asked) : null;
const name = `${process.pid}-simulate`;
const forget = (): void => {
  rmSync(join(cacheFolder, name), { recursive: true, force: true });
};
const withoutHandlers = onInterrupt(
  () => {
    forget();
    return Promise.resolve();
  },
  (line) => {
    console.error(line);
  },
);
try {
  const file = compileSimulation(name);
  const core = join(cacheFolder, name, 'src/core');
  process.exitCode =
    one === null ? await runAll(file, core, asked) : await replay(core, asked, one);
} finally {
  forget();
  withoutHandlers();
}
