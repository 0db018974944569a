import { z } from 'zod';
import { formatTable } from '../src/cli/print.ts';
import { createScene } from '../test/bed/scene.ts';
import type { Scene } from '../test/bed/scene.ts';
import { waveByApt } from './apt-wave.ts';
import type { AptWave } from './apt-wave.ts';
import { restartBare } from './bare-restart.ts';
import { digits, median, ratio, spread } from './figures.ts';
import { auditTimes } from './own-restart.ts';
import { projectDirectory } from './project-directory.ts';
import { runBench } from './run-bench.ts';
import type { BenchPlace } from './run-bench.ts';

const rounds = 4;
const atOnce = 4;
const count = 20;
/** R30: a transaction is over when the manager has been idle for so long. */
const idleMs = 5_000;

/** From the first begin to the last end, in ms. */
const lasted = (spans: readonly { begin: number; end: number }[]): number =>
  Math.max(...spans.map(({ end }) => end)) - Math.min(...spans.map(({ begin }) => begin));

const perMinute = (lastedMs: number): number => (count / lastedMs) * 60_000;

/** When the transaction was over, and the ways from there to the first stop, in ms. */
const reaction = async (
  scene: Scene,
  { wave, aptOverAtMs, writtenAtMs }: AptWave,
): Promise<Record<string, number>> => {
  const { first } = await auditTimes(scene);
  const opened = z.number().parse(first('wave-opened', wave.id));
  const granted = z.number().parse(first('granted', wave.id));
  const stopped = z.number().parse(first('stop-begun', wave.id));
  const overAtMs = writtenAtMs + idleMs;
  return {
    'apt ended after its last write': aptOverAtMs - writtenAtMs,
    'idle rule, by itself': idleMs,
    'over, to the wave': opened - overAtMs,
    'wave to first grant': granted - opened,
    'grant to first stop': stopped - granted,
    'over, to first stop': stopped - overAtMs,
  };
};

const body = async ({ directory, hostNumber, write }: BenchPlace): Promise<void> => {
  const scene = await createScene({
    ...{ directory, hostNumber, hostCap: atOnce, projectDirectory: projectDirectory() },
    services: { web: { count, maxUnavailable: atOnce, drain: false } },
  });
  const bareMs: number[] = [];
  const ownMs: number[] = [];
  const reactions: Record<string, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    await scene.up().kill('SIGTERM');
    const bare = await restartBare(scene.host, scene.containers.get('web') ?? [], atOnce);
    bareMs.push(
      lasted(bare.map(({ beginMs, totalMs }) => ({ begin: beginMs, end: beginMs + totalMs }))),
    );
    await scene.startUp();
    const found = await waveByApt(scene, round);
    const { all } = await auditTimes(scene);
    const { id } = found.wave;
    ownMs.push(
      lasted([
        {
          begin: Math.min(...all('restart-begun', id)),
          end: Math.max(...all('restart-ended', id)),
        },
      ]),
    );
    reactions.push(await reaction(scene, found));
  }
  write(`${count} containers, ${atOnce} at once, ${rounds} rounds of each.`);
  const row = (what: string, values: number[]): string[] => [
    what,
    digits(median(values), 0),
    digits(perMinute(median(values)), 0),
    ratio(perMinute(median(values)), perMinute(median(bareMs))),
  ];
  write(
    formatTable(
      ['all of them', 'median ms', 'containers per minute', 'of bare'],
      [row('bare loop', bareMs), row('wave', ownMs)],
    ),
  );
  const whats = Object.keys(reactions[0] ?? {});
  write(
    formatTable(
      ['from the upgrade to the first stop (ms)', 'median', 'p95'],
      whats.map((what) => [what, ...spread(reactions.map((one) => one[what] ?? Number.NaN))]),
    ),
  );
};

await runBench('throughput', [151], body);
