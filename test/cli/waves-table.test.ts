import { expect, test } from '@jest/globals';
import { wavesTable } from '../../src/cli/status.ts';
import type { WaveSummary } from '../../src/cli/views.ts';

const wave = (more: Partial<WaveSummary>): WaveSummary => ({
  ...{ id: 'w1', cause: 'openssl 2', state: 'finished', stage: 'rest', approvedBy: 'ann' },
  ...{ pausedBy: null, failures: 0, maxFailures: 0, createdAt: 0, endedAt: 1 },
  ...{ counts: {}, total: 0, members: [], upgrades: [], waitsFor: null },
  ...more,
});

test('a failed upgrade counts as failed in the list of waves, over or not', () => {
  const upgrades = [{ host: 'h1', state: 'failed', reason: 'dpkg was interrupted' }];
  const rows = wavesTable([
    wave({ upgrades }),
    wave({ state: 'paused', endedAt: null, pausedBy: 'upgrade of h1: dpkg', upgrades }),
    wave({ counts: { verified: 2, stale: 1 }, total: 3 }),
  ]).split('\n');
  expect(rows.map((row) => row.split(/  +/).slice(1, 4))).toEqual([
    ['STATE', 'VERIFIED', 'FAILED'],
    ['finished', '0/0', '1'],
    ['paused', '0/0', '1'],
    ['finished', '2/3', '1'],
  ]);
});
