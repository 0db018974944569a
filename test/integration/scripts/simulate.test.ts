import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { whileBroken } from '../../mutants/checkout.ts';
import { brokenInSimulation } from '../../simulation/breaks.ts';
import { copyPartOfProject } from './part-of-project.ts';

interface Ended {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

const simulate = async (directory: string, ...args: string[]): Promise<Ended> => {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    ['--import', 'tsx', 'scripts/simulate.ts', ...args],
    { cwd: directory, env: { NODE_OPTIONS: '' }, reject: false },
  );
  return { exitCode, stdout, stderr };
};
const here = process.cwd();
/** Nothing is shrunk so often. */
const farther = Array.from({ length: 80 }, () => 0).join(':');

describe('npm run simulate', () => {
  test('prints schedules, steps, faults by kind and violations; status 0 where there is none', async () => {
    const { exitCode, stdout } = await simulate(here, '--schedules', '10', '--cores', '1');
    expect(stdout).toMatch(/^10 schedules, [1-9]\d* steps, \d+ virtual hours, \d+ waves, /);
    const [, faults = '', violations] =
      /faults and acts by kind:\n([^]*)\nviolations: (\d+)$/.exec(stdout) ?? [];
    expect(faults.split('\n').length).toBeGreaterThan(20);
    for (const line of faults.split('\n')) expect(line).toMatch(/^ +[1-9]\d* {2}\S/);
    expect({ violations, exitCode }).toEqual({ violations: '0', exitCode: 0 });
  }, 120_000);

  test('tells a single schedule step by step', async () => {
    const { exitCode, stdout } = await simulate(here, '--schedules', '1', '--seed', '7');
    expect(stdout).toMatch(/^seed 7\nfleet: \{.*\}\n/);
    expect(stdout).toMatch(/\n\d+ steps, \d+ virtual s, \d+ stops\nno violation$/);
    expect(exitCode).toBe(0);
  }, 120_000);

  test.each([
    [['--schedules', 'many'], '--schedules wants a whole number from 1 on, and got "many"'],
    [['--schedules', '0'], '--schedules wants a whole number from 1 on, and got "0"'],
    [['--seed', ''], '--seed wants a whole number from 0 on, and got ""'],
    [['--seed', '1.5'], '--seed wants a whole number from 0 on, and got "1.5"'],
    [['--cores', '0'], '--cores wants a whole number from 1 on, and got "0"'],
    [['--path', '1:2'], '--path is of one schedule: it wants --schedules 1'],
    [['--schedules', '1', '--path', 'x'], '--path wants numbers with colons between them'],
    [['--schedules', '1', '--path', farther], 'leads to no schedule of seed 1'],
    [['--sed', '1'], '--sed'],
    [['7'], '7'],
  ])(
    '%s is refused, with what is allowed',
    async (args, said) => {
      const { exitCode, stdout, stderr } = await simulate(here, ...args);
      expect(stderr).toContain(said);
      expect(stderr).toContain('usage: npm run simulate -- [--schedules N] [--seed N] [--cores N]');
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    },
    60_000,
  );
});

describe('npm run simulate over a rule that is broken', () => {
  const rule = brokenInSimulation.find(
    ({ what }) => what === 'the unit is free before the drain is undone',
  );
  let place: string;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'gs-simulate-'));
    await copyPartOfProject(place);
  }, 120_000);
  afterAll(() => rm(place, { recursive: true }));

  test('names it, with the command that replays it; status 1', async () => {
    if (rule === undefined) throw new Error('no such rule is broken');
    const broken = { ...rule, file: join('src/core', rule.file) };
    await whileBroken({ directory: place, scratch: place }, broken, async () => {
      const all = await simulate(place, '--schedules', '4', '--cores', '1');
      expect(all.exitCode).toBe(1);
      expect(all.stdout).toMatch(/\nviolations: [1-9]/);
      const [, shown, command = ''] =
        /\n(L3: .*)\n {2}acts: .*\n {2}replay: npm run simulate -- (.*)/.exec(all.stdout) ?? [];
      expect(command).toMatch(/^--schedules 1 --seed \d+( --path [\d:]+)?$/);
      const again = await simulate(place, ...command.split(' '));
      expect(again.stdout.split('\n').at(-1)).toBe(shown);
      expect(again.exitCode).toBe(1);
    });
  }, 300_000);
});
