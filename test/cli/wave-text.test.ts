import { describe, expect, test } from '@jest/globals';
import type { WaveSummary } from '../../src/cli/views.ts';
import { haltOf, waveText } from '../../src/cli/wave-text.ts';

const wave = (more: Partial<WaveSummary>): WaveSummary => ({
  ...{ id: 'w1', cause: 'openssl 2', state: 'running', stage: 'rest', approvedBy: 'ann' },
  ...{ pausedBy: null, remedy: null, failures: 0, maxFailures: 0, asked: null },
  ...{ createdAt: '2027-01-01T00:00:00.000Z', startedAt: null, endedAt: null },
  ...{ counts: {}, total: 0, members: [], upgrades: [], waitsFor: null },
  ...more,
});
const now = Date.parse('2027-01-01T00:10:00.000Z');

describe('a wave as text', () => {
  test('has its dates, its age and what it took', () => {
    const ended = wave({
      state: 'finished',
      ...{ startedAt: '2027-01-01T00:04:00.000Z', endedAt: '2027-01-01T00:04:42.000Z' },
    });
    expect(waveText(ended, now)).toContain(
      'opened 2027-01-01 00:00:00 UTC (10m ago), began 2027-01-01 00:04:00 UTC, ended 2027-01-01 00:04:42 UTC, after 42s',
    );
    expect(waveText(wave({}), now)).toContain('opened 2027-01-01 00:00:00 UTC (10m ago)\n');
  });

  test('says of a member what its restart waits for', () => {
    const member = { container: 'h1/web-1', state: 'restarting', attempts: 1, step: 'journaled' };
    const waiting = 'apt-get holds lock-frontend';
    const text = waveText(wave({ members: [{ ...member, reason: 'slot 1', waiting }] }), now);
    expect(text).toContain('waits: apt-get holds lock-frontend');
  });
});

test('what an upgrade waits for is said once', () => {
  const reason = 'freeze: sale; groundswell unfreeze f1';
  const upgrades = [{ host: 'h1', state: 'pending', reason }];
  const text = waveText(wave({ upgrades, waitsFor: `upgrade of h1: ${reason}` }), now);
  expect(text.split(reason)).toHaveLength(2);
  expect(text).toContain(`upgrade of h1: pending (${reason})`);
});

describe('what keeps a wave from going on', () => {
  test.each<[string, Partial<WaveSummary>, string | null]>([
    ['nothing', { waitsFor: 'waits for the canary' }, null],
    [
      'a pause',
      { pausedBy: 'lunch', remedy: 'groundswell resume' },
      'paused: lunch (groundswell resume)',
    ],
    [
      'an approval that is missing',
      { waitsFor: 'waits for approval: groundswell approve w1', remedy: 'groundswell approve w1' },
      'waits for approval: groundswell approve w1',
    ],
  ])('%s', (_, more, halt) => {
    expect(haltOf(wave(more))).toBe(halt);
  });
});
