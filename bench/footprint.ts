import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTable } from '../src/cli/print.ts';
import { childrenOf, programName } from '../test/bed/processes.ts';
import { createScene } from '../test/bed/scene.ts';
import { createTwoHosts, enrolBoth } from '../test/bed/two-hosts.ts';
import { digits } from './figures.ts';
import { projectDirectory } from './project-directory.ts';
import { runBench } from './run-bench.ts';
import type { BenchPlace } from './run-bench.ts';

const hostNumbers = [153, 155] as const;
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

/** Shows what these processes of `groundswell` and their children use while nothing happens. */
const watchIdle = async (
  write: (line: string) => void,
  what: string,
  roots: Readonly<Record<string, number>>,
): Promise<void> => {
  // The first whole look is over by then, and what started is at rest.
  await sleep(10_000);
  const seen: { name: string; pid: number }[] = [];
  for (const [name, root] of Object.entries(roots)) {
    seen.push({ name, pid: root });
    for (const pid of await childrenOf(root))
      seen.push({ name: `  ${await programName(pid)}`, pid });
  }
  const before = await Promise.all(seen.map(({ pid }) => useOf(pid)));
  const begin = performance.now();
  await sleep(idleMs);
  const lastedMs = performance.now() - begin;
  const after = await Promise.all(seen.map(({ pid }) => useOf(pid)));
  write(`\n${what}, idle for ${idleMs / 1000} s.`);
  write(
    formatTable(
      ['process', 'rss mb', 'cpu ms per s', 'of one core'],
      seen.map(({ name }, index) => {
        const cpuMs = (after[index]?.cpuMs ?? 0) - (before[index]?.cpuMs ?? 0);
        return [
          name,
          digits(after[index]?.rssMegabytes ?? Number.NaN, 0),
          digits((cpuMs / lastedMs) * 1000),
          `${digits((cpuMs / lastedMs) * 100)} %`,
        ];
      }),
    ),
  );
};

const body = async ({ directory, hostNumber, write }: BenchPlace): Promise<void> => {
  const services = { web: { count, drain: false } };
  const place = { directory, projectDirectory: projectDirectory() };
  const scene = await createScene({ ...place, hostNumber, services });
  await watchIdle(write, `Server and agent in one, ${count} containers`, {
    'groundswell up': scene.up().outerPid,
  });
  await scene.dispose();
  const both = await createTwoHosts({ ...place, hostNumbers, services });
  await enrolBoth(both);
  await watchIdle(write, `A server and the agents of two hosts, ${count} containers each`, {
    'groundswell server': both.server().outerPid,
    'groundswell agent': both.agent(both.second).outerPid,
  });
  await both.dispose();
};

await runBench('footprint', hostNumbers, body);
