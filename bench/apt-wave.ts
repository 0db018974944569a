import { z } from 'zod';
import type { WaveSummary } from '../src/core/coordinator/explain.ts';
import type { Scene } from '../test/bed/scene.ts';
import { waves } from '../test/bed/scene-waves.ts';
import { waitUntil } from '../test/bed/wait-until.ts';

/** Versions of the demo library that take turns: each change makes every container stale. */
const turns = ['1.0-1+deb12u1', '1.0-1'] as const;

export interface AptWave {
  wave: WaveSummary;
  /** When apt was over, wall clock in ms. */
  aptOverAtMs: number;
  /** When dpkg wrote its database for the last time, wall clock in ms: idle counts from there. */
  writtenAtMs: number;
}

const Mtime = z.coerce.number();

const databaseWrittenAtMs = async (scene: Scene): Promise<number> =>
  Mtime.parse((await scene.host.must(['stat', '-c', '%.3Y', '/var/lib/dpkg/status'])).trim()) *
  1000;

/**
 * Gives the host another version of the demo library by plain apt-get (turn 0, 1, …: never the one it
 * has), and waits until the wave that comes of it is over. Throws when it does not end well.
 */
export const waveByApt = async (scene: Scene, turn: number): Promise<AptWave> => {
  const version = turns[turn % turns.length] ?? turns[0];
  const known = new Set((await waves(scene)).map(({ id }) => id));
  await scene.bed.publish({ 'libgs-demo1': version });
  await scene.host.must(['apt-get', '-q', 'update']);
  await scene.host.must([
    'apt-get',
    '-qy',
    '--allow-downgrades',
    'install',
    `libgs-demo1=${version}`,
  ]);
  const aptOverAtMs = Date.now();
  const writtenAtMs = await databaseWrittenAtMs(scene);
  const wave = await waitUntil(
    `the wave for libgs-demo1 ${version} to be over`,
    async () => {
      const found = (await waves(scene)).filter(({ id }) => !known.has(id)).at(-1);
      if (found !== undefined && found.pausedBy !== null)
        throw new Error(`wave ${found.id} paused: ${JSON.stringify(found.pausedBy)}`);
      return found !== undefined && found.endedAt !== null ? found : null;
    },
    // Rarely: asking costs the very process that is measured.
    { deadlineMs: 180_000, everyMs: 250 },
  );
  return { wave, aptOverAtMs, writtenAtMs };
};
