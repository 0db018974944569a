import { expect, test } from '@jest/globals';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import { observed, scene, view, web } from './fleet-scene.ts';

test('a wave says by the wall clock when it was opened, began and ended', () => {
  const here = scene([web({ mode: 'approve' })]);
  const at = (minute: number): string => new Date(Date.UTC(2027, 0, 1, 0, minute)).toISOString();
  const passes = (minute: number): void => {
    here.wall = { ...here.wall, ms: Date.parse(at(minute)) };
  };
  here.report('h1', observed([view('web-1', { stale: [] })]));
  passes(0);
  here.upgraded('h1', [view('web-1')]);
  const [wave] = here.fleet.waves.values();
  if (wave === undefined) throw new Error('no wave');
  const times = () => {
    const { createdAt, startedAt, endedAt } = summarizeWave(here.fleet, wave, here);
    return { createdAt, startedAt, endedAt };
  };
  expect(times()).toEqual({ createdAt: at(0), startedAt: null, endedAt: null });
  passes(5);
  here.act({ action: 'approve', waveId: wave.id });
  expect(times()).toEqual({ createdAt: at(0), startedAt: at(5), endedAt: null });
  passes(6);
  const [grantId = ''] = here.fleet.grants.keys();
  here.report('h1', {
    ...{ kind: 'restart-finished', grantId, outcome: 'done', verification: 'verified' },
    ...{ reason: '', steps: [], container: view('web-1', { stale: [] }) },
  });
  expect(times()).toEqual({ createdAt: at(0), startedAt: at(5), endedAt: at(6) });
});
