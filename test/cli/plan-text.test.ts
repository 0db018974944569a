import { describe, expect, test } from '@jest/globals';
import { planText } from '../../src/cli/plan-text.ts';
import type { Plan } from '../../src/cli/views.ts';

type Entry = Plan['entries'][number];

const path = '/usr/lib/x86_64-linux-gnu/libssl.so.3';
const entry = (order: number, more: Partial<Entry> = {}): Entry => {
  const service = order <= 10 ? 'api' : 'web';
  return {
    waveId: 'w1',
    container: `lxc-host-1/${service}-${String(order).padStart(2, '0')}`,
    ...{ service, order, impossible: null, now: 'waits for approval: groundswell approve w1' },
    why: `process ${800 + order} (nginx) maps ${path} from before the upgrade`,
    runs: { command: 'nginx', path },
    ...more,
  };
};
const plan = (more: (order: number) => Partial<Entry> = () => ({})): Plan => ({
  entries: Array.from({ length: 20 }, (_, index) => entry(index + 1, more(index + 1))),
  ...{ upgrades: [], estimateMs: 18_000, notes: [] },
});
const times = (text: string, part: string): number => text.split(part).length - 1;

describe('a plan of 20 containers', () => {
  test('says once what is the same for all, though each has its own process', () => {
    const lines = planText(plan(), 120).split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'Wave w1 waits for approval: groundswell approve w1',
      `why: nginx maps ${path} from before the upgrade`,
      'ORDER  CONTAINER          SERVICE',
      '1      lxc-host-1/api-01  api',
    ]);
    expect(lines).toHaveLength(3 + 20 + 2);
    expect(lines.at(-1)).toBe('20 restarts, about 18 s');
  });

  test.each([80, 120])('that differ says each thing once a run, in %i columns', (width) => {
    const text = planText(
      plan((order) => ({
        runs: { command: order <= 10 ? 'nginx' : 'node', path },
        now:
          order <= 10
            ? 'slot 1 of 1 in api'
            : 'service web has 1 of 1 unavailable: lxc-host-1/web-11 (being restarted)',
      })),
      width,
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
    expect(text.split('\n').length).toBeLessThanOrEqual(30);
    for (const part of ['nginx', 'node', 'slot 1 of 1']) expect(times(text, part)).toBe(1);
    expect(times(text, '  "')).toBe(2 * 18);
  });

  test('repeats all in a file or a pipe, where lines are searched', () => {
    const text = planText(
      plan((order) => ({ now: `slot ${order % 2} of 1` })),
      Infinity,
    );
    expect(times(text, 'slot 0 of 1')).toBe(10);
    expect(text).not.toContain('"');
  });
});

test('what nothing stale was found in says why it was asked for, and the impossible why it is', () => {
  const text = planText(
    {
      entries: [
        entry(1, { runs: null, why: 'asked for by hand', impossible: 'opted out: sale' }),
        entry(2, { waveId: null, runs: null, why: 'x', impossible: 'opted out: cache' }),
      ],
      ...{ upgrades: [], estimateMs: 0, notes: ['a note'] },
    },
    80,
  );
  expect(text).toContain('Wave w1: impossible: opted out: sale\nwhy: asked for by hand');
  expect(text).toContain('In no wave:');
  expect(text).toMatch(/0 restarts; 2 impossible as things stand\na note$/);
});

test('an upgrade that waits is named with its wave, also where nothing is to be restarted yet', () => {
  const upgrades = [
    {
      waveId: 'w1',
      host: 'h1',
      cause: 'libssl3 on h1',
      now: 'freeze: sale; groundswell unfreeze f1',
    },
  ];
  expect(planText({ entries: [], upgrades, estimateMs: 0, notes: ['a note'] }, 80)).toBe(
    [
      'Wave w1 (libssl3 on h1): upgrade of h1: freeze: sale; groundswell unfreeze f1',
      '',
      'nothing is to be restarted before that',
      'a note',
    ].join('\n'),
  );
  expect(planText({ ...plan(), upgrades }, 80)).toMatch(
    /^Wave w1 \(libssl3 on h1\): upgrade of h1: .*\n\nWave w1 waits for approval/,
  );
});
