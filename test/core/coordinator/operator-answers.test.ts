import { expect, test } from '@jest/globals';
import type { OperatorAction } from '../../../src/core/coordinator/operator-action.ts';
import { observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const said = (here: Scene, action: OperatorAction): string => {
  const { answer } = here.act(action);
  return answer?.ok === true ? answer.text : (answer?.reason ?? '');
};
const level = { level: 'service', service: 'web' } as const;

test('a pause and its end say what they are about', () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  expect(said(here, { action: 'pause', level, reason: '' })).toBe('paused (service web)');
  expect(said(here, { action: 'pause', level, reason: '' })).toMatch(
    /^service web is paused already, by /,
  );
  expect(said(here, { action: 'resume', level })).toBe('resumed (service web)');
});

test('so does one that waits for what is in flight', () => {
  const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
  expect(said(here, { action: 'pause', level, reason: '' })).toBe(
    'pausing (service web): 1 in flight (h1/web-1)',
  );
});

test('a freeze says how it is lifted, and its end which one it was', () => {
  const here = scene([web()]);
  const { answer } = here.act({ action: 'freeze', reason: 'a holiday', until: null });
  if (answer?.ok !== true || answer.id === null) throw new Error('no freeze');
  expect(answer.text).toBe(`frozen; to lift it: groundswell unfreeze ${answer.id}`);
  expect(said(here, { action: 'unfreeze', id: answer.id })).toBe('the freeze is lifted: a holiday');
  expect(said(here, { action: 'freeze', reason: 'x', until: here.wall.ms + 1_000 })).toMatch(
    /^frozen until \d{4}-\d\d-\d\dT[0-9:.]+Z; to lift it before: groundswell unfreeze /,
  );
});
