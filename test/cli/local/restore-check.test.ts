import { expect, test } from '@jest/globals';
import { restoreCheck } from '../../../src/cli/local/doctor-checks/restore-check.ts';
import type { RestoreLeftovers } from '../../../src/cli/local/doctor-checks/restore-check.ts';
import { examine } from '../../../src/cli/local/doctor.ts';
import type { StatusView } from '../../../src/cli/views.ts';
import { storeRestoredText } from '../../../src/core/coordinator/standing-alerts.ts';

type Pauses = StatusView['pauses'];

const look = async (
  leftovers: Partial<RestoreLeftovers>,
  pauses: Pauses | null = [],
): Promise<string[]> => {
  const check = restoreCheck({
    leftovers: () => Promise.resolve({ underWay: null, staging: null, aside: [], ...leftovers }),
    askPauses: () =>
      pauses === null ? Promise.reject(new Error('no server')) : Promise.resolve(pauses),
  });
  return (await examine([check])).map(
    ({ status, message, remedy }) => `${status}: ${message} → ${remedy ?? ''}`,
  );
};

const pause = (more: Partial<Pauses[number]>): Pauses[number] => ({
  ...{ id: 'p', level: { level: 'fleet' }, actor: 'groundswell', reason: 'lunch' },
  ...{ state: 'paused', inFlight: 0, waitsFor: [] },
  ...more,
});

test.each([
  ['nothing', {}, [], ['ok: no restore waits for anybody → ']],
  ['no server', {}, null, ['ok: no restore waits for anybody → ']],
  ['a pause for another reason', {}, [pause({})], ['ok: no restore waits for anybody → ']],
  [
    'one that was broken off',
    { underWay: { what: 'a restore of /b was broken off', remedy: 'groundswell restore /b' } },
    null,
    ['fail: a restore of /b was broken off → groundswell restore /b'],
  ],
  [
    'a person who has to look',
    {},
    [pause({ reason: `lunch; ${storeRestoredText('T by ann')}` })],
    [
      expect.stringMatching(
        /^warn: the fleet is paused: lunch; the store was restored from a backup of T by ann: .* → look at .* then groundswell resume$/,
      ),
    ],
  ],
  [
    'hosts that were not heard yet',
    {},
    [pause({ reason: storeRestoredText(null), state: 'pausing', waitsFor: ['host h1', 'h2/web'] })],
    [expect.stringMatching(/^warn: the fleet is pausing: .* → wait for host h1, h2\/web; see: /)],
  ],
  [
    'what was left and what was kept',
    { staging: '/d/restoring', aside: ['/d/keys.json.before-restore-1'] },
    [],
    [
      'warn: /d/restoring is left by a restore that was broken off before it changed anything → rm -r /d/restoring',
      expect.stringMatching(
        /^warn: what was there before a restore is kept: \/d\/keys.json.before/,
      ),
    ],
  ],
] as const)('doctor after a restore: %s', async (_, leftovers, pauses, said) => {
  expect(await look(leftovers, pauses === null ? null : [...pauses])).toEqual(said);
});
