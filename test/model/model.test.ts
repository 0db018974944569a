import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { brokenRules } from './breaks.ts';
import { cacheFolder, compileCore, compileModel } from './compile.ts';
import type { Exploration } from './explore.ts';
import { scenarioGroups } from './scenarios.ts';
import { startWorkers } from './workers.ts';
import type { Workers } from './workers.ts';

const here = String(process.pid);
const limitMs = 600_000;
/** The long form adds the largest scenarios. */
const groups = scenarioGroups(process.env['GROUNDSWELL_LONG'] === '1');
let workers: Workers;
const results = new Map<string, Promise<Exploration>>();

/** A violation as a person reads it: the rule, and the shortest way to it. */
const story = ({ violation }: Exploration): string =>
  violation === null
    ? ''
    : [violation.message, ...violation.path.map((label, at) => `${at + 1}. ${label}`)].join('\n');

const resultOf = async (name: string): Promise<Exploration> => {
  const result = await results.get(name);
  if (result === undefined) throw new Error(`${name} was not explored`);
  return result;
};

beforeAll(() => {
  workers = startWorkers(compileModel(here));
  const begin = (
    name: string,
    core: () => string,
    scenario: Parameters<Workers['explore']>[1],
  ): void => {
    const result = Promise.resolve().then(() => workers.explore(core(), scenario));
    // Each test awaits its own; one that fails before that is no unhandled rejection.
    result.catch(() => undefined);
    results.set(name, result);
  };
  const real = join(cacheFolder, here, 'src/core');
  for (const [, scenarios] of groups)
    for (const scenario of scenarios) begin(scenario.name, () => real, scenario);
  brokenRules.forEach((rule, index) => {
    begin(rule.what, () => compileCore(join(here, `broken-${index}`), rule), rule.scenario);
  });
});

afterAll(async () => {
  await workers.stop();
  rmSync(join(cacheFolder, here), { recursive: true, force: true });
});

describe.each(groups)('%s: every state keeps the invariants and can reach an end', (_, all) => {
  test.each(all.map(({ name }) => name))(
    '%s',
    async (name) => {
      const result = await resultOf(name);
      process.stdout.write(
        `model: ${name}: ${result.states} states, ${result.moves} moves, ${result.seconds.toFixed(1)} s\n`,
      );
      expect(story(result)).toBe('');
      expect(result.ends).toBeGreaterThan(0);
    },
    limitMs,
  );
});

describe('a rule that is broken in the real code is found', () => {
  test('they are at least fifteen', () => {
    expect(brokenRules.length).toBeGreaterThanOrEqual(15);
  });

  test.each(brokenRules.map(({ rule, what, shownBy }) => [rule, what, shownBy] as const))(
    '%s: %s',
    async (_, what, shownBy) => {
      const { violation } = await resultOf(what);
      expect(shownBy).toContain(violation?.rule);
    },
    limitMs,
  );
});
