import { expect, test } from '@jest/globals';
import { wavesTable } from '../../src/cli/status.ts';
import type { WaveSummary } from '../../src/cli/views.ts';

const wave = (more: Partial<WaveSummary>): WaveSummary => ({
  ...{ id: 'w1', cause: 'openssl 2', state: 'finished', stage: 'rest', approvedBy: 'ann' },
  ...{ pausedBy: null, remedy: null, failures: 0, maxFailures: 0, asked: null },
  ...{ createdAt: null, startedAt: null, endedAt: null },
  ...{ counts: {}, total: 0, members: [], upgrades: [], waitsFor: null },
  ...more,
});

test('a wave tells its age, what it took, and how many keep their own copies', () => {
  const [, row = ''] = wavesTable(
    [
      wave({
        createdAt: '2027-01-01T00:00:00.000Z',
        ...{ startedAt: '2027-01-01T00:04:00.000Z', endedAt: '2027-01-01T00:04:42.000Z' },
        ...{ counts: { verified: 8, shadowed: 1 }, total: 9 },
      }),
    ],
    Date.parse('2027-01-01T03:00:00.000Z'),
  ).split('\n');
  expect(row.split(/  +/).slice(2)).toEqual(['8/9', '0', '3h', '42s', 'openssl 2', '1 shadowed']);
});

test('a failed upgrade counts as failed in the list of waves, over or not', () => {
  const upgrades = [{ host: 'h1', state: 'failed', reason: 'dpkg was interrupted' }];
  const rows = wavesTable([
    wave({ upgrades }),
    wave({ state: 'paused', pausedBy: 'upgrade of h1: dpkg', upgrades }),
    wave({ counts: { verified: 2, stale: 1 }, total: 3 }),
  ]).split('\n');
  expect(rows.map((row) => row.split(/  +/).slice(1, 4))).toEqual([
    ['STATE', 'VERIFIED', 'FAILED'],
    ['finished', '0/0', '1'],
    ['paused', '0/0', '1'],
    ['finished', '2/3', '1'],
  ]);
});
