import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { trailVerdict } from '../bed/trail-verdict.ts';
import { createTwoHosts, enrolBoth } from '../bed/two-hosts.ts';
import type { TwoHosts } from '../bed/two-hosts.ts';
import { randomOf } from '../simulation/random.ts';
import { watchedWaves } from './watched-waves.ts';

/**
 * Waves in which processes are killed at random moments, by a seed. `GROUNDSWELL_LONG=1` goes on until the server was
 * killed 200 times, `GROUNDSWELL_SEED` draws others.
 */
const isLong = process.env['GROUNDSWELL_LONG'] === '1';
const seed = Number(process.env['GROUNDSWELL_SEED'] ?? '1');
const wanted = isLong ? 200 : 5;
const limitMs = isLong ? 10_800_000 : 300_000;

/** How often each is drawn, of all. */
const WEIGHTS = {
  server: 5,
  'an agent': 3,
  Redis: 3,
  'Redis and its files': 2,
  'all of them': 1,
} as const;
type Victim = keyof typeof WEIGHTS;
const victims = Object.entries(WEIGHTS).flatMap(([victim, weight]) =>
  Array.from({ length: weight }, () => victim as Victim),
);

describe('kill -9 at random moments, under load, one server and two hosts', () => {
  let scene: TwoHosts;
  const { wholeWave } = watchedWaves(() => scene);
  const random = randomOf(seed, 'under fire');

  beforeAll(async () => {
    scene = await createTwoHosts({
      directory: `${TEST_BEDS}/under-fire`,
      hostNumbers: [169, 170],
      projectDirectory: process.cwd(),
      services: {
        web: { count: 3, arguments: ['--start-delay-ms', '200'], maxUnavailable: 1 },
        api: { count: 2, arguments: ['--start-delay-ms', '200'], maxUnavailable: 1 },
      },
    });
    await enrolBoth(scene);
  }, 300_000);

  afterAll(async () => {
    await scene.dispose();
  }, 60_000);

  const pick = <T>(all: readonly T[]): T => {
    const found = all[random.below(all.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  };

  /** Down for up to a third of a second; what comes back first is drawn, too. */
  const kill = async (victim: Victim): Promise<void> => {
    const awayMs = random.below(300);
    switch (victim) {
      case 'server':
        await scene.server().kill('SIGKILL');
        await sleep(awayMs);
        await scene.startServer();
        return;
      case 'an agent': {
        const host = pick(scene.hosts);
        await scene.agent(host).kill('SIGKILL');
        await sleep(awayMs);
        await scene.startAgent(host);
        return;
      }
      case 'Redis':
      case 'Redis and its files':
        await scene.redis.kill();
        await sleep(awayMs);
        await scene.redis.start({ empty: victim !== 'Redis' });
        return;
      case 'all of them': {
        await Promise.all([
          scene.server().kill('SIGKILL'),
          scene.redis.kill(),
          ...scene.hosts.map((host) => scene.agent(host).kill('SIGKILL')),
        ]);
        await sleep(awayMs);
        const starts = [
          () => scene.redis.start(),
          () => scene.startServer(),
          ...scene.hosts.map((host) => () => scene.startAgent(host)),
        ];
        const first = random.below(starts.length);
        await Promise.all(
          [...starts.slice(first), ...starts.slice(0, first)].map((start) => start()),
        );
        return;
      }
    }
  };

  test(
    `each wave completes, each container of it is restarted once, nobody is left down, no request fails (seed ${seed})`,
    async () => {
      const killed: Record<string, number> = {};
      let waves = 0;
      while ((killed['server'] ?? 0) + (killed['all of them'] ?? 0) < wanted) {
        waves += 1;
        const service = pick(['web', 'api']);
        const story: string[] = [];
        await wholeWave(
          () => scene.type(scene.first, 'restart', service),
          scene.members(service),
          async () => {
            for (let left = random.between(1, 3); left > 0; left--) {
              await sleep(random.below(1_000));
              const victim = pick(victims);
              story.push(victim);
              killed[victim] = (killed[victim] ?? 0) + 1;
              await kill(victim);
            }
          },
        ).catch((error: unknown) => {
          const text = error instanceof Error ? error.message : String(error);
          throw new Error(`wave ${waves} (${story.join(', ')} killed): ${text}`, { cause: error });
        });
      }
      process.stdout.write(
        `under fire: seed ${seed}, ${waves} waves, killed ${JSON.stringify(killed)}\n`,
      );
      expect(await trailVerdict({ host: scene.first })).toMatch(/^intact: /);
    },
    limitMs,
  );
});
