import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTable } from '../src/cli/print.ts';
import { childrenOf, programName } from '../test/bed/processes.ts';
import { createScene } from '../test/bed/scene.ts';
import { digits } from './figures.ts';
import { projectDirectory } from './project-directory.ts';
import { runBench } from './run-bench.ts';
import type { BenchPlace } from './run-bench.ts';

const count = 20;
const idleMs = 30_000;
/** Of the kernel's clock in /proc/PID/stat, proc(5): 100 on every Linux that people run. */
const ticksPerSecond = 100;

interface Use {
  rssMegabytes: number;
  cpuMs: number;
}

const useOf = async (pid: number): Promise<Use> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    rssMegabytes: Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1024,
    cpuMs: (ticks / ticksPerSecond) * 1000,
  };
};

const body = async ({ directory, hostNumber, write }: BenchPlace): Promise<void> => {
  const scene = await createScene({
    ...{ directory, hostNumber, projectDirectory: projectDirectory() },
    services: { web: { count, drain: false } },
  });
  // The first whole look is over by then, and what started is at rest.
  await sleep(10_000);
  const { outerPid } = scene.up();
  const pids = [outerPid, ...(await childrenOf(outerPid))];
  const names = await Promise.all(pids.map((pid) => programName(pid)));
  const before = await Promise.all(pids.map(useOf));
  const begin = performance.now();
  await sleep(idleMs);
  const lastedMs = performance.now() - begin;
  const after = await Promise.all(pids.map(useOf));
  write(`groundswell up (server and agent), ${count} containers, idle for ${idleMs / 1000} s.`);
  write(
    formatTable(
      ['process', 'rss mb', 'cpu ms per s', 'of one core'],
      pids.map((pid, index) => {
        const cpuMs = (after[index]?.cpuMs ?? 0) - (before[index]?.cpuMs ?? 0);
        return [
          names[index] ?? String(pid),
          digits(after[index]?.rssMegabytes ?? Number.NaN, 0),
          digits((cpuMs / lastedMs) * 1000),
          `${digits((cpuMs / lastedMs) * 100)} %`,
        ];
      }),
    ),
  );
};

await runBench('footprint', 153, body);
