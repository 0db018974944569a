import { expect, test } from '@jest/globals';
import { observed, scene, view, web } from './fleet-scene.ts';

test('a host that is taken back is asked to report whole, until it has (R33)', () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  here.act({ action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'off' });
  const back = here.act({ action: 'host-add', hostId: 'h1', zone: null, cap: null });
  expect(back.sends).toMatchObject([{ host: 'h1', kind: 'observe-host', incarnation: 'life-1' }]);
  const part = here.report('h1', observed([view('web-1', { stale: [] })], { whole: false }));
  expect(part.closes).toEqual([]);
  const whole = here.report('h1', observed([view('web-1', { stale: [] })]));
  expect(whole.closes).toEqual([back.sends[0]?.jobId]);
  expect(here.report('h1', observed([])).closes).toEqual([]);
});

test('a host that never said anything is asked nothing: its first report is whole anyway', () => {
  const here = scene([web()]);
  here.act({ action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'off' });
  const back = here.act({ action: 'host-add', hostId: 'h1', zone: null, cap: null });
  expect(back.sends).toEqual([]);
});
