import type { WaveSummary } from '../src/core/coordinator/explain.ts';
import { wrapIndented } from '../src/cli/fit.ts';
import { countOf, terminalWidth } from '../src/cli/print.ts';
import type { ContainerLine } from '../src/cli/views.ts';
import { askVersion } from '../test/bed/ask.ts';
import { demoAdvisory } from '../test/bed/dnf-packages.ts';
import { startLoad } from '../test/bed/load.ts';
import type { Scene } from '../test/bed/scene.ts';
import { waitUntil } from '../test/bed/wait-until.ts';
import { watchContainers, watchHaproxy } from '../test/bed/watch-availability.ts';
import { showWave } from './show-wave.ts';
import { showSummary } from './summary.ts';

type Write = (line: string) => void;

/** The fixed version of the demo library, and where its repository has it. */
const fixOf = ({ bed }: Scene): { fixed: '1.0-1+deb12u1' | '1.0-2.el9'; where: string } => {
  if (bed.dnf === null) return { fixed: '1.0-1+deb12u1', where: 'in its security suite' };
  const fixed = '1.0-2.el9';
  return { fixed, where: `with advisory ${demoAdvisory('libgs-demo1', fixed)}` };
};

const shown = 3;
/** More often would take from the wave what it shows. */
const askEveryMs = 100;

/** Asks for the upgrade, and answers the id of its wave. */
const askForUpgrade = async (scene: Scene): Promise<string> => {
  const { id } = await scene.act({
    action: 'upgrade',
    hosts: [scene.host.name],
    mode: 'packages',
    packages: [{ name: 'libgs-demo1', want: 'newest', version: null }],
    allowRemove: false,
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

const tellStale = async (scene: Scene, write: Write): Promise<ContainerLine[]> => {
  const containers = (await scene.get('/v1/containers')) as ContainerLine[];
  const stale = containers.filter((container) => container.stale.length > 0);
  write(`\nThe host is upgraded. ${countOf(stale.length, 'container')} still run the old library:`);
  for (const { container, stale: why } of stale.slice(0, shown))
    write(wrapIndented(`${container}: ${why[0] ?? ''}`, terminalWidth(), '  ', '    '));
  if (stale.length > shown) write(`  … and ${stale.length - shown} more`);
  return stale;
};

/**
 * The main job, shown: a fixed library is published, Groundswell upgrades the host and restarts what
 * still runs the old one, under load; then the same once more. Throws when it does not end as promised.
 */
export const tellStory = async (
  scene: Scene,
  write: Write,
  interrupt: AbortSignal,
): Promise<void> => {
  const all = [...scene.containers.values()].flat();
  const [first] = all;
  if (first === undefined) throw new Error('the scene has no containers');
  const names = [...scene.containers.keys()];
  const { library } = await askVersion(first);
  write(
    `\n${all.length} containers in ${names.length} services (${names.join(', ')}) answer behind HAProxy,\nall with library version ${library}. Steady load begins.`,
  );
  const targets = Object.fromEntries(names.map((name) => [name, scene.haproxy.frontend(name)]));
  const load = startLoad({ targets });
  const balancer = watchHaproxy(scene.haproxy);
  const outside = watchContainers(all, askEveryMs);

  const { fixed, where } = fixOf(scene);
  write(`\nThe distribution publishes libgs-demo1 ${fixed} ${where}.`);
  write(`  $ groundswell upgrade ${scene.host.name} libgs-demo1`);
  await scene.bed.publish({ 'libgs-demo1': fixed });
  const began = performance.now();
  const waveId = await askForUpgrade(scene);
  await waitUntil(
    'the host is upgraded',
    async () => {
      const wave = await waveNow(scene, waveId);
      return wave.total > 0 || wave.endedAt !== null;
    },
    { deadlineMs: 120_000, everyMs: 20 },
  );
  const stale = await tellStale(scene, write);
  write('\nThe wave. Services keep their floor; containers are drained before a restart.');
  const wave = await showWave(scene, waveId, write, interrupt);
  const tookMs = performance.now() - began;
  const seen = { byHaproxy: await balancer.stop(), byAsking: await outside.stop() };
  const report = await load.stop();
  const answers = await Promise.all(all.map((container) => askVersion(container)));
  const patched = answers.filter((answer) => answer.library === fixed).length;
  const { failed, below } = await showSummary(
    scene,
    { wave, tookMs, stale, patched, fixed, seen, report },
    write,
  );

  write('\nThe same upgrade once more:');
  const again = await askForUpgrade(scene);
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
