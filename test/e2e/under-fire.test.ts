import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { TEST_BEDS } from '../bed/clean-abandoned.ts';
import { trailVerdict } from '../bed/trail-verdict.ts';
import { createTwoHosts, enrolBoth } from '../bed/two-hosts.ts';
import type { TwoHosts } from '../bed/two-hosts.ts';
import { waitUntil } from '../bed/wait-until.ts';
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

  /**
   * Each step of a restart once, by the seed just before or just after it is durable; long: both of all, those of an upgrade
   * too. One that dies while it takes a job has that job again when its lock is over, half a minute later.
   */
  const restartSteps = [
    ...['draining', 'drained', 'stopping', 'stopping, child known', 'stopped'],
    ...['started', 'healthy', 'undrained', 'done, over'],
  ];
  const deathsWanted = isLong
    ? ['upgrade running', 'upgrade ended, over', 'journaled', ...restartSteps].flatMap((step) => [
        `before ${step}`,
        `after ${step}`,
      ])
    : restartSteps.map((step, index) => `${(index + seed) % 2 === 0 ? 'before' : 'after'} ${step}`);

  test('an agent dies at each step that it journals: the wave completes all the same', async () => {
    const { first } = scene;
    const path = '/root/deaths';
    const environment = {
      GROUNDSWELL_DEATHS: path,
      GROUNDSWELL_DEATHS_WANTED: JSON.stringify(deathsWanted),
      NODE_OPTIONS: '--import /opt/groundswell/dist/test/e2e/die-at-steps.child.js',
    };
    await scene.bed.publish({ 'libgs-demo1': '1.0-1+deb12u1' });
    await scene.agent(first).kill('SIGKILL');
    await scene.startAgent(first, environment);
    let over = false;
    const isOver = (): boolean => over;
    /** As systemd does it. */
    const startAgain = async (): Promise<void> => {
      while (!isOver()) {
        await scene.agent(first).exited;
        await sleep(100);
        if (!isOver()) await scene.startAgent(first, environment);
      }
    };
    const [act, members] = isLong
      ? [
          ['upgrade', first.name, 'libgs-demo1'],
          scene.members().filter((one) => one.host === first),
        ]
      : [['restart', 'api'], scene.members('api')];
    const nothing = (): Promise<void> => Promise.resolve();
    const again = startAgain();
    try {
      const wave = wholeWave(() => scene.type(first, ...act), members, nothing, 400_000);
      // One that cannot be started again is told at once.
      await Promise.race([wave, again.then(() => wave)]);
    } finally {
      over = true;
      await scene.agent(first).kill('SIGKILL');
      await again.catch(() => undefined);
      // It may have been on its way.
      await scene.agent(first).kill('SIGKILL');
      await scene.startAgent(first);
    }
    const deaths = (await first.must(['cat', path])).trim().split('\n');
    expect(deaths.toSorted()).toEqual(deathsWanted.toSorted());
    expect(await trailVerdict({ host: first })).toMatch(/^intact: /);
  }, 500_000);

  /** Reads what dpkg tells of each step (dpkg(1), --status-logger), and kills it at the next one that is listed. */
  const killer = `#!/bin/sh
while read -r line; do
  at=$(head -n 1 /root/kill-at)
  case "$line" in
    "status: libgs-demo1:"*": $at")
      sed -i 1d /root/kill-at
      echo "$at" >>/root/killed
      kill -9 "$PPID" ;;
  esac
done
`;

  test('dpkg is killed in the middle of an upgrade: it is gone on with, and the wave completes', async () => {
    const { second } = scene;
    const steps = ['half-installed', 'unpacked', 'half-configured'];
    const step = steps[seed % steps.length] ?? '';
    await second.writeFile('/root/killer', killer, 0o755);
    await second.writeFile('/root/kill-at', `${step}\n`);
    const option = 'status-logger=exec /root/killer\n';
    await second.writeFile('/etc/dpkg/dpkg.cfg.d/zz-killer', option);
    await scene.bed.publish({ 'libgs-demo1': '1.0-1+deb12u2' });
    await wholeWave(
      () => scene.type(scene.first, 'upgrade', second.name, 'libgs-demo1'),
      scene.members().filter((one) => one.host === second),
      () => Promise.resolve(),
    );
    await second.must(['rm', '/etc/dpkg/dpkg.cfg.d/zz-killer']);
    expect(await second.must(['cat', '/root/killed'])).toBe(`${step}\n`);
    const status = ['dpkg-query', '-Wf', '${db:Status-Abbrev}${Version}', 'libgs-demo1'];
    expect(await second.must(status)).toBe('ii 1.0-1+deb12u2');
    expect(await trailVerdict({ host: scene.first })).toMatch(/^intact: /);
  }, 240_000);

  test('a host whose clock is an hour off, and jumps by hours in the middle of a wave, takes part as all others', async () => {
    const { second } = scene;
    const clock = '/root/clock';
    const files = (await second.must(['dpkg', '-L', 'libfaketime'])).split('\n');
    const library = files.find((path) => path.endsWith('/libfaketime.so.1')) ?? '';
    await second.writeFile(clock, '+1h');
    await scene.agent(second).kill('SIGKILL');
    // Time that only ever goes on is that of the kernel: no clock that is set changes it.
    await scene.startAgent(second, {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    });
    /** By how many hours what its agent has recorded since is off. */
    const hoursOff = async (): Promise<Set<number>> => {
      const rows = (await scene.get('/v1/audit?limit=10000')) as {
        chain: string;
        record: { at: string };
      }[];
      return new Set(
        rows
          .filter(({ chain }) => chain === second.name)
          .map(({ record }) => Math.round((Date.parse(record.at) - Date.now()) / 3_600_000)),
      );
    };
    await wholeWave(
      () => scene.type(scene.first, 'restart', 'web'),
      scene.members('web'),
      async () => {
        for (const [hours, next] of [
          [1, '-1h'],
          [-1, '+2h'],
        ] as const) {
          await waitUntil(
            `a record of its agent is ${hours} h off`,
            async () => (await hoursOff()).has(hours),
            { deadlineMs: 60_000, everyMs: 20 },
          );
          await second.writeFile(clock, next);
        }
      },
    );
    expect([...(await hoursOff())]).toEqual(expect.arrayContaining([1, -1, 2]));
    await scene.agent(second).kill('SIGKILL');
    await scene.startAgent(second);
    expect(await trailVerdict({ host: scene.first })).toMatch(/^intact: /);
  }, 240_000);
});
