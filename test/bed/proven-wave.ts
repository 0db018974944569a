import type { WaveSummary } from '../../src/core/coordinator/explain.ts';
import { askVersion } from './ask.ts';
import { readWitness } from './containers.ts';
import type { WitnessedEvent } from './containers.ts';
import { startLoad } from './load.ts';
import { recordsOfWave, waveFrom, waveOver } from './scene-waves.ts';
import type { Scene } from './scene.ts';
import { provesNothing, watchContainers, watchHaproxy } from './watch-availability.ts';
import type { AvailabilityReport } from './watch-availability.ts';

export interface ProvenWave {
  wave: WaveSummary;
  /** Starts and stops that LXC itself saw meanwhile. */
  events: WitnessedEvent[];
  /** What the load balancer's own checks and our maintenance together left available. */
  balancer: AvailabilityReport;
  /** What an outsider saw that should not have been; nothing is as it should be. */
  complaints: string[];
}

export interface ProveOptions {
  /** What opens the wave; answers its id where it knows it. */
  act: () => Promise<unknown>;
  /** The version that every container's library has afterwards. */
  library: string;
  /** The fewest available containers per service that its budget allows. */
  floors: Readonly<Record<string, number>>;
}

const belowFloor = (
  watcher: string,
  { lowest }: AvailabilityReport,
  floors: ProveOptions['floors'],
): string[] =>
  Object.entries(floors).flatMap(([service, floor]) => {
    const seen = lowest[service] ?? 0;
    return seen >= floor ? [] : [`${watcher} saw ${seen} of ${service}, floor ${floor}`];
  });

/**
 * A wave as outsiders see it: clients whose requests go on all the time, the load balancer, somebody who asks every
 * container, LXC's own hooks, and the audit trail beside them.
 */
export const proveWave = async (
  scene: Scene,
  { act, library, floors }: ProveOptions,
): Promise<ProvenWave> => {
  const members = [...scene.containers.values()].flat();
  const eventsBefore = (await readWitness(scene.host)).length;
  const load = startLoad({
    targets: Object.fromEntries(
      Object.keys(floors).map((service) => [service, scene.haproxy.frontend(service)]),
    ),
  });
  const balancer = await watchHaproxy(scene.haproxy);
  const outside = await watchContainers(members);
  const wave = await waveOver(scene, await waveFrom(scene, act));
  const [seenByBalancer, seenOutside, requests] = [
    await balancer.stop(),
    await outside.stop(),
    await load.stop(),
  ];
  const counts = Object.fromEntries(
    Object.keys(floors).map((service) => [service, scene.containers.get(service)?.length ?? 0]),
  );
  const complaints = [
    ...provesNothing('the load balancer', seenByBalancer, counts),
    ...provesNothing('a watcher of every container', seenOutside, counts),
    ...belowFloor('the load balancer', seenByBalancer, floors),
    ...belowFloor('a watcher of every container', seenOutside, floors),
  ];
  for (const service of Object.keys(floors)) {
    const { ok = 0, failed = 0, failures = {} } = requests[service] ?? {};
    if (failed > 0) complaints.push(`${service}: ${failed} failed: ${JSON.stringify(failures)}`);
    if (ok < 50) complaints.push(`${service}: only ${ok} requests tell nothing`);
  }
  for (const container of members) {
    const answer = await askVersion(container);
    if (answer.library !== library)
      complaints.push(`${container.name} answers with ${answer.library}`);
  }
  const events = (await readWitness(scene.host)).slice(eventsBefore);
  const records = await recordsOfWave(scene, wave.id, members.length);
  for (const { name } of members) {
    const starts = events.filter((one) => one.container === name && one.kind === 'start').length;
    const told = records
      .filter(({ container }) => container === name || container.endsWith(`/${name}`))
      .map(({ action }) => action);
    const wanted = Array.from({ length: starts }, () => ['stop-begun', 'restart-ended']).flat();
    if (told.join() !== wanted.join())
      complaints.push(`${name}: LXC started it ${starts} times, recorded is ${told.join()}`);
    if (starts !== 1) complaints.push(`${name}: started ${starts} times`);
  }
  return { wave, events, balancer: seenByBalancer, complaints };
};
