import { expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import { summarizeServices } from '../../../src/core/coordinator/summarize-services.ts';
import { observed, scene, view, web } from './fleet-scene.ts';

const front = web({ name: 'front', match: [{ group: 'front' }] });
const problem =
  'h1/web-2 is claimed by the services web and front: change their `match` so that only one does';

test('a container that two services claim is named with both wherever it is shown (R18)', () => {
  const here = scene([web(), front]);
  // Outside the window: what passes by itself is not what keeps it.
  here.fleet.settings.window = { fromMinute: 60, toMinute: 61 };
  here.report('h1', observed([view('web-1'), view('web-2', { groups: ['front'] })]));
  const moment = { now: here.now, wall: here.wall };
  expect(explainContainer(here.fleet, 'h1/web-1', moment)?.claimants).toEqual([]);
  expect(explainContainer(here.fleet, 'h1/web-2', moment)).toMatchObject({
    claimants: ['web', 'front'],
    answer: expect.stringContaining(problem),
  });
  expect(summarizeServices(here.fleet, here.now).flatMap(({ conflicts }) => conflicts)).toEqual([
    { container: 'h1/web-2', reason: problem },
  ]);
  const plan = planRestarts(here.fleet, moment, () => 1);
  expect(plan.entries.find(({ container }) => container === 'h1/web-2')?.impossible).toBe(problem);
});
