import { expect, test } from '@jest/globals';
import { conclude } from '../../scripts/conclude.ts';

const all = { passed: 5, failed: [], notRun: [], skipped: [], mustRunAll: true };
const skipped = [
  { file: 'test/integration/rpm.test.ts', name: 'as rpm does it order' },
  { file: 'test/integration/rpm.test.ts', name: 'as rpm does it equality' },
];

test('all parts, in CI and elsewhere', () => {
  const said = { lines: ['5 passed, 0 failed', 'All parts were run.'], exitCode: 0 };
  expect(conclude(all)).toEqual(said);
  expect(conclude({ ...all, mustRunAll: false })).toEqual(said);
});

test('what failed fails, and is named', () => {
  expect(conclude({ ...all, passed: 3, failed: ['model', 'real hosts'] })).toEqual({
    lines: ['3 passed, 2 failed', 'failed: model, real hosts', 'All parts were run.'],
    exitCode: 1,
  });
});

test('what was not run is said in the last line, and fails in CI alone', () => {
  const notRun = ['real hosts (they need root on Linux)', 'x'];
  const last = 'Not run: real hosts (they need root on Linux); x.';
  expect(conclude({ ...all, notRun, mustRunAll: false })).toEqual({
    lines: ['5 passed, 0 failed', last],
    exitCode: 0,
  });
  expect(conclude({ ...all, notRun })).toEqual({
    lines: ['5 passed, 0 failed', last, 'In CI everything must run: this is a failure.'],
    exitCode: 1,
  });
});

test('so is what Jest skipped in a part that passed, each by its name', () => {
  const lines = [
    '5 passed, 0 failed',
    'skipped: test/integration/rpm.test.ts: as rpm does it order',
    'skipped: test/integration/rpm.test.ts: as rpm does it equality',
    'Not run: 2 tests that were skipped (named above).',
  ];
  expect(conclude({ ...all, skipped, mustRunAll: false })).toEqual({ lines, exitCode: 0 });
  expect(conclude({ ...all, skipped })).toEqual({
    lines: [...lines, 'In CI everything must run: this is a failure.'],
    exitCode: 1,
  });
  expect(
    conclude({ ...all, notRun: ['x'], skipped: skipped.slice(1), mustRunAll: false }).lines,
  ).toEqual([
    '5 passed, 0 failed',
    'skipped: test/integration/rpm.test.ts: as rpm does it equality',
    'Not run: x; 1 test that was skipped (named above).',
  ]);
});
