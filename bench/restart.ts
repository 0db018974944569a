import process from 'node:process';
import { formatTable } from '../src/cli/print.ts';
import { readWitness } from '../test/bed/containers.ts';
import type { WitnessedEvent } from '../test/bed/containers.ts';
import { createScene } from '../test/bed/scene.ts';
import type { Scene } from '../test/bed/scene.ts';
import { waveByApt } from './apt-wave.ts';
import { restartBare } from './bare-restart.ts';
import type { BareRestart } from './bare-restart.ts';
import { digits, median, quantile, ratio, spread } from './figures.ts';
import { between, pieces, restartsOf } from './own-restart.ts';
import type { OwnRestart } from './own-restart.ts';
import { projectDirectory } from './project-directory.ts';
import { runBench } from './run-bench.ts';
import type { BenchPlace } from './run-bench.ts';

/** Rounds of bare loop and wave, one after the other, so that both see the same machine. */
const rounds = 4;
const services = {
  fast: { count: 10, maxUnavailable: 1, drain: false },
  slow: { count: 3, maxUnavailable: 1, drain: false, arguments: ['--start-delay-ms', '1000'] },
};
type Service = keyof typeof services;

/** Times between one start of a container that LXC saw and the next one: a restart with all around it. */
const startIntervals = (events: readonly WitnessedEvent[], service: Service): number[] => {
  const starts = events
    .filter(({ container, kind }) => kind === 'start' && container.startsWith(`${service}-`))
    .map(({ atMs }) => atMs)
    .sort((a, b) => a - b);
  return starts.slice(1).map((at, index) => at - (starts[index] ?? at));
};

interface Measured {
  bare: BareRestart[];
  own: OwnRestart[];
  bareIntervals: number[];
  ownIntervals: number[];
}

const measure = async (scene: Scene): Promise<Record<Service, Measured>> => {
  const empty = (): Measured => ({ bare: [], own: [], bareIntervals: [], ownIntervals: [] });
  const measured = { fast: empty(), slow: empty() };
  const names: Service[] = ['fast', 'slow'];
  // A process that has run for a while: the first wave of one compiles most of its code.
  await waveByApt(scene, 0);
  let seen = (await readWitness(scene.host)).length;
  const newEvents = async (): Promise<WitnessedEvent[]> => {
    const events = (await readWitness(scene.host)).slice(seen);
    seen += events.length;
    return events;
  };
  for (let round = 0; round < rounds; round++) {
    // Bare means bare: nothing of ours runs beside it.
    scene.up().signal('SIGSTOP');
    for (const name of names)
      measured[name].bare.push(
        ...(await restartBare(scene.host, scene.containers.get(name) ?? [], 1)),
      );
    const bareEvents = await newEvents();
    scene.up().signal('SIGCONT');
    const { wave } = await waveByApt(scene, round + 1);
    const own = await restartsOf(scene, wave.id);
    const ownEvents = await newEvents();
    for (const name of names) {
      measured[name].own.push(...own.filter(({ service }) => service === name));
      measured[name].bareIntervals.push(...startIntervals(bareEvents, name));
      measured[name].ownIntervals.push(...startIntervals(ownEvents, name));
    }
  }
  return measured;
};

const show = (
  write: (line: string) => void,
  service: Service,
  { bare, own, bareIntervals, ownIntervals }: Measured,
): void => {
  const verified = own.filter(({ verification }) => verification === 'verified').length;
  const bareTotal = bare.map(({ totalMs }) => totalMs);
  const ownTotal = own.map((restart) => between(restart, 'journaled', 'done'));
  const down = own.map((restart) => between(restart, 'stopping', 'healthy'));
  const row = (what: string, values: number[], base: number[]): string[] => [
    what,
    ...spread(values),
    ratio(median(values), median(base)),
    digits(median(values) - median(base)),
  ];
  write(
    `\n${service}: ${bare.length} bare restarts, ${own.length} of ours (${verified} verified). Times in ms.`,
  );
  write(
    formatTable(
      ['restart', 'median', 'p95', 'of bare', 'added'],
      [
        row('bare: stop, start, port open', bareTotal, bareTotal),
        row('ours: stop command to healthy', down, bareTotal),
        row('ours: journaled to verified', ownTotal, bareTotal),
        row('bare: start to next start, as LXC saw it', bareIntervals, bareIntervals),
        row('ours: start to next start, as LXC saw it', ownIntervals, bareIntervals),
      ],
    ),
  );
  const bareOf: Partial<Record<string, number[]>> = {
    stop: bare.map(({ stopMs }) => stopMs),
    start: bare.map(({ startMs }) => startMs),
    health: bare.map(({ portMs }) => portMs),
  };
  write(
    formatTable(
      ['where it goes', 'median', 'p95', 'bare median', 'bare p95'],
      pieces.map(({ what, from, to }) => {
        const base = bareOf[what];
        return [
          what,
          ...spread(own.map((restart) => between(restart, from, to))),
          base === undefined ? '' : digits(median(base)),
          base === undefined ? '' : digits(quantile(base, 0.95)),
        ];
      }),
    ),
  );
};

/** What lies between a synced write and the disk depends on it: see README.md. */
const roots = process.argv.includes('--roots=directories') ? 'directories' : 'images';

const body = async ({ directory, hostNumber, write }: BenchPlace): Promise<void> => {
  const scene = await createScene({
    directory,
    hostNumber,
    projectDirectory: projectDirectory(),
    services,
    hostCap: 1,
    roots,
  });
  write(
    `Roots in ${roots}. One at a time, ${rounds} rounds of a bare loop (Groundswell stopped) and a wave, minHealthyTime 0, no drain.`,
  );
  const measured = await measure(scene);
  show(write, 'fast', measured.fast);
  show(write, 'slow', measured.slow);
};

await runBench('restart', [150], body);
