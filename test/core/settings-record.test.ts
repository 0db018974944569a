import { expect, test } from '@jest/globals';
import { settingsChanges } from '../../src/core/settings-record.ts';
import type { SettingsRecord } from '../../src/core/settings-record.ts';

/** `seal` is what tells two apart: by default what is shown. */
const recorded = (
  settings: Record<string, string | string[] | { shown: string; seal: string }>,
) => ({
  salt: 's',
  settings: Object.fromEntries(
    Object.entries(settings).map(([name, one]) => [
      name,
      typeof one === 'string' || Array.isArray(one)
        ? { shown: one, seal: JSON.stringify(one) }
        : one,
    ]),
  ) satisfies SettingsRecord['settings'],
});

test('nothing, where nothing changed', () => {
  const one = recorded({ 'waves.maxFailures': '0', optOut: ['a', 'b'] });
  expect(settingsChanges(one, one)).toEqual([]);
});

test('what was what, and what it is now; of lists what came and went', () => {
  expect(
    settingsChanges(
      recorded({
        'waves.maxFailures': '0',
        'services.web.mode': '"auto"',
        optOut: ['a', 'b'],
        gone: '1',
      }),
      recorded({
        'waves.maxFailures': '2',
        'services.web.mode': '"auto"',
        optOut: ['b', 'c'],
        come: ['x'],
      }),
    ),
  ).toEqual([
    'come: added x',
    'gone: 1 → not set',
    'optOut: added c',
    'optOut: removed a',
    'waves.maxFailures: 0 → 2',
  ]);
});

test('that something changed where it is not shown what', () => {
  const redis = (seal: string) => recorded({ 'redis.url': { shown: 'redis://h/…', seal } });
  expect(settingsChanges(redis('1'), redis('2'))).toEqual([
    'redis.url: redis://h/… changed in what is not shown of it',
  ]);
  expect(settingsChanges(recorded({ order: ['a', 'b'] }), recorded({ order: ['b', 'a'] }))).toEqual(
    ['order: changed in its order, or in what is not shown of it'],
  );
});

test('no more lines than a record can hold', () => {
  const many = recorded(Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`o${n}`, '1'])));
  const changes = settingsChanges(recorded({}), many);
  expect(changes).toHaveLength(101);
  expect(changes.at(-1)).toBe('and 50 more');
});
