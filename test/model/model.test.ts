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

  test(
    'and told with the shortest way to it',
    async () => {
      // The whole restart of the canary comes first, in the order that nothing can shorten.
      expect(story(await resultOf('the cap of a host is not looked at')).split('\n')).toEqual([
        'I6: host h1 has 2 restarts granted',
        '1. report 2 (host-upgraded) is applied',
        '2. job h1_n2 arrives',
        '3. check n3',
        '4. drain n3',
        '5. check n3',
        '6. stop n3',
        '7. lxc-stop of c1 ends',
        '8. await-stop n3',
        '9. start n3',
        '10. watch-health n3',
        '11. undrain n3',
        '12. verify n3',
        '13. report 2 (restart-progress n3 journaled) is applied',
        '14. report 2 (restart-progress n3 draining) is applied',
        '15. report 2 (restart-progress n3 drained) is applied',
        '16. report 2 (restart-progress n3 stopping) is applied',
        '17. report 2 (restart-progress n3 stopped) is applied',
        '18. report 2 (restart-progress n3 started) is applied',
        '19. report 2 (restart-progress n3 healthy) is applied',
        '20. report 2 (restart-progress n3 undrained) is applied',
        '21. report 2 (restart-finished n3 done) is applied',
      ]);
    },
    limitMs,
  );
});
