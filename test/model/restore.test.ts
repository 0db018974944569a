import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cacheFolder, compileCore, compileModel } from './compile.ts';
import { restoreBreaks, restoreScenarios } from './restore-scenarios.ts';
import type { Walks } from './walk.ts';
import { startWorkers } from './workers.ts';
import type { Workers } from './workers.ts';

/**
 * R16: a store that is put back to a backup makes too many states to visit them all: each way here is drawn at random, by a
 * seed. `GROUNDSWELL_LONG=1` draws some 330 times as many, `GROUNDSWELL_SEED` where to begin.
 */
const isLong = process.env['GROUNDSWELL_LONG'] === '1';
const from = Number(process.env['GROUNDSWELL_SEED'] ?? '1');
const count = isLong ? 40_000 : 120;
const limitMs = isLong ? 7_200_000 : 600_000;

const here = `${process.pid}-restore`;
let workers: Workers;

const story = ({ violation }: Walks): string =>
  violation === null
    ? ''
    : [
        `seed ${violation.seed}: ${violation.message}`,
        ...violation.path.map((label, at) => `${at + 1}. ${label}`),
      ].join('\n');

beforeAll(() => {
  workers = startWorkers(compileModel(here));
});

afterAll(async () => {
  await workers.stop();
  rmSync(join(cacheFolder, here), { recursive: true, force: true });
});

describe('the store is put back to a backup: the invariants hold, and an end is reached', () => {
  test.concurrent.each(restoreScenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    async (name, scenario) => {
      const real = join(cacheFolder, here, 'src/core');
      const result = await workers.walk(real, scenario, { from, count });
      process.stdout.write(
        `model: ${name}: ${result.walks} walks, ${result.steps} steps, ${result.seconds.toFixed(1)} s\n`,
      );
      expect(story(result)).toBe('');
      expect(result.walks).toBe(count);
    },
    limitMs,
  );
});

describe('a rule of R16 that is broken in the real code is found', () => {
  test.concurrent.each(restoreBreaks.map((rule, index) => [rule.what, rule, index] as const))(
    '%s',
    async (_, rule, index) => {
      const core = compileCore(join(here, `broken-${index}`), rule);
      const { violation } = await workers.walk(core, rule.scenario, { from: 1, count: 2_000 });
      expect(rule.shownBy).toContain(violation?.rule);
    },
    limitMs,
  );
});
