import type { WaveSummary } from '../src/core/coordinator/explain.ts';
import type { OperatorAction } from '../src/core/coordinator/operator.ts';
import { wrapIndented } from '../src/cli/fit.ts';
import { countOf, terminalWidth } from '../src/cli/print.ts';
import type { ContainerLine } from '../src/cli/views.ts';
import { askVersion } from '../test/bed/ask.ts';
import { demoAdvisory } from '../test/bed/dnf-packages.ts';
import { startLoad } from '../test/bed/load.ts';
import type { Scene } from '../test/bed/scene.ts';
import { waitUntil } from '../test/bed/wait-until.ts';
import { watchContainers, watchHaproxy } from '../test/bed/watch-availability.ts';
import type { AvailabilityWatch } from '../test/bed/watch-availability.ts';
import { showWave } from './show-wave.ts';
import { showSummary } from './summary.ts';

export type Write = (line: string) => void;

/** What is upgraded, and how it is told. */
export interface Update {
  /** What follows `groundswell upgrade <host>`. */
  words: string;
  order: Pick<Extract<OperatorAction, { action: 'upgrade' }>, 'mode' | 'packages'>;
  /** What containers run that were not restarted yet: `the old library`. */
  old: string;
  /** What an answer is called before a number of a version. */
  called: string;
  /** Clients at once for each service. */
  connections: number;
  /** Make it available, and say what it is. False: there is nothing to upgrade, which is said. */
  publish: () => Promise<boolean>;
  /** What a patched container answers; asked once the host is upgraded. */
  fixed: () => Promise<string>;
  /** Say what the upgrade was, beside what became of containers. Throws where it was not what it should be. */
  tellMore: () => Promise<void>;
}

/** The demo library, of which a fixed version comes out. */
export const demoUpdate = ({ bed }: Scene, write: Write): Update => {
  const isDnf = bed.dnf !== null;
  const fixed = isDnf ? '1.0-2.el9' : '1.0-1+deb12u1';
  const where = isDnf
    ? `with advisory ${demoAdvisory('libgs-demo1', fixed)}`
    : 'in its security suite';
  return {
    ...{ words: ' libgs-demo1', old: 'the old library', called: 'library version ' },
    connections: 16,
    order: {
      mode: 'packages',
      packages: [{ name: 'libgs-demo1', want: 'newest', version: null }],
    },
    publish: async () => {
      write(`\nThe distribution publishes libgs-demo1 ${fixed} ${where}.`);
      await bed.publish({ 'libgs-demo1': fixed });
      return true;
    },
    fixed: () => Promise.resolve(fixed),
    tellMore: () => Promise.resolve(),
  };
};

const shown = 3;
/** More often would take from the wave what it shows. */
const askEveryMs = 100;

/** Asks for the upgrade, and answers the id of its wave. */
const askForUpgrade = async (scene: Scene, { order }: Update): Promise<string> => {
  const { id } = await scene.act({
    ...{ action: 'upgrade', hosts: [scene.host.name], ...order, allowRemove: false },
  });
  if (id === null) throw new Error('the upgrade opened no wave');
  return id;
};

const waveNow = async (scene: Scene, id: string): Promise<WaveSummary> => {
  const wave = (await scene.get(`/v1/waves/${id}`)) as WaveSummary;
  const [upgrade] = wave.upgrades;
  if (upgrade?.state === 'failed') throw new Error(`the upgrade failed: ${upgrade.reason}`);
  return wave;
};

const tellStale = async (scene: Scene, old: string, write: Write): Promise<ContainerLine[]> => {
  const containers = (await scene.get('/v1/containers')) as ContainerLine[];
  const stale = containers.filter((container) => container.stale.length > 0);
  if (stale.length === 0) {
    write(
      `\nThe host is upgraded. No container runs code of what was upgraded, so none has to be\nrestarted.`,
    );
    return [];
  }
  write(`\nThe host is upgraded. ${countOf(stale.length, 'container')} still run ${old}:`);
  for (const { container, stale: why } of stale.slice(0, shown))
    write(wrapIndented(`${container}: ${why[0] ?? ''}`, terminalWidth(), '  ', '    '));
  if (stale.length > shown) write(`  … and ${stale.length - shown} more`);
  return stale;
};

/** What is watched from outside while the story goes on. */
interface Watching {
  load: ReturnType<typeof startLoad>;
  balancer: AvailabilityWatch;
  outside: AvailabilityWatch;
}

const tellUpdate = async (
  scene: Scene,
  update: Update,
  { load, balancer, outside }: Watching,
  write: Write,
  interrupt: AbortSignal,
): Promise<void> => {
  const all = [...scene.containers.values()].flat();
  if (!(await update.publish())) return;
  write(`  $ groundswell upgrade ${scene.host.name}${update.words}`);
  const began = performance.now();
  const waveId = await askForUpgrade(scene, update);
  await waitUntil(
    'the host is upgraded',
    async () => {
      const wave = await waveNow(scene, waveId);
      return wave.total > 0 || wave.endedAt !== null;
    },
    { deadlineMs: 600_000, everyMs: 20 },
  );
  const stale = await tellStale(scene, update.old, write);
  const fixed = await update.fixed();
  if (stale.length > 0)
    write('\nThe wave. Services keep their floor; containers are drained before a restart.');
  const wave = await showWave(scene, waveId, write, interrupt);
  const tookMs = performance.now() - began;
  const seen = { byHaproxy: await balancer.stop(), byAsking: await outside.stop() };
  const report = await load.stop();
  const answers = await Promise.all(all.map((container) => askVersion(container)));
  const patched = answers.filter((answer) => answer.library === fixed).length;
  const { failed, below } = await showSummary(
    scene,
    { wave, tookMs, stale, old: update.old, patched, fixed, seen, report },
    write,
  );

  await update.tellMore();

  write('\nThe same upgrade once more:');
  const again = await askForUpgrade(scene, update);
  const second = await waitUntil(
    'the second wave is over',
    async () => {
      const found = await waveNow(scene, again);
      return found.endedAt === null ? null : found;
    },
    { deadlineMs: 60_000, everyMs: 20 },
  );
  write(
    second.total === 0
      ? '  nothing to do, no container was restarted.'
      : `  ${countOf(second.total, 'container')} restarted again, which should not be.`,
  );
  if (patched !== all.length || failed + below.length + second.total > 0 || wave.endedAt === null)
    throw new Error(
      `not as promised: ${patched} of ${all.length} patched, ${countOf(failed, 'failed request')}, below their floor: ${below.join(' ') || 'none'}, wave ${wave.state}${wave.pausedBy === null ? '' : ` (${wave.pausedBy})`}`,
    );
};

/**
 * The main job, shown: an update is there, Groundswell upgrades the host and restarts what
 * still runs the old one, under load; then the same once more. Throws when it does not end as promised.
 */
export const tellStory = async (
  scene: Scene,
  update: Update,
  write: Write,
  interrupt: AbortSignal,
): Promise<void> => {
  const all = [...scene.containers.values()].flat();
  const [first] = all;
  if (first === undefined) throw new Error('the scene has no containers');
  const names = [...scene.containers.keys()];
  const { library } = await askVersion(first);
  write(
    `\n${all.length} containers in ${names.length} services (${names.join(', ')}) answer behind HAProxy,\nall with ${update.called}${library}. Steady load begins.`,
  );
  const targets = Object.fromEntries(names.map((name) => [name, scene.haproxy.frontend(name)]));
  const balancer = await watchHaproxy(scene.haproxy);
  const outside = await watchContainers(all, askEveryMs);
  const load = startLoad({ targets, connections: update.connections });
  try {
    await tellUpdate(scene, update, { load, balancer, outside }, write, interrupt);
  } finally {
    // Where the story broke off they would go on for ever.
    await Promise.allSettled([load.stop(), balancer.stop(), outside.stop()]);
  }
};
