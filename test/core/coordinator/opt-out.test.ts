import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { summarizeServices } from '../../../src/core/coordinator/summarize-services.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const never = { reason: 'holds a cache', until: null };
const later = { reason: 'sale', until: Date.UTC(2027, 2, 1) };

const moment = ({ now, wall }: Scene): { now: number; wall: Scene['wall'] } => ({ now, wall });
const waves = ({ fleet }: Scene): string[] => [...fleet.waves.values()].map(({ state }) => state);

describe('a container that is opted out', () => {
  test('is not found stale again and again', () => {
    const here = scene([web()]);
    const look = (): void => {
      here.report('h1', observed([view('web-1', { optOut: never })]));
    };
    for (let times = 0; times < 3; times++) look();
    expect(waves(here)).toEqual([]);
  });

  test('is left out of a wave, which says why and ends with the others', () => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { stale: [] }), view('web-2', { stale: [] })]));
    here.upgraded('h1', [view('web-1', { optOut: later })]);
    const [wave] = here.fleet.waves.values();
    if (wave === undefined) throw new Error('no wave');
    expect(summarizeWave(here.fleet, wave, moment(here)).members).toMatchObject([
      { state: 'opted-out', reason: 'opted out until 2027-03-01T00:00Z: sale' },
    ]);
    expect(here.grants()).toEqual([]);
    here.report('h1', observed([view('web-1', { optOut: later })]));
    expect(waves(here)).toEqual(['finished']);
  });

  test('is not needed where nothing in it runs old code any more', () => {
    const here = scene([web({ mode: 'approve' })]);
    here.upgraded('h1', [view('web-1')]);
    here.report('h1', observed([view('web-1', { stale: [], optOut: later })]));
    const [wave] = here.fleet.waves.values();
    expect(wave?.members.get('h1/web-1')).toMatchObject({
      ...{ state: 'not-needed', reason: 'nothing stale runs in it' },
    });
  });

  test('asks for its restart when the date has come', () => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { optOut: later })]));
    here.wall = { ...here.wall, ms: later.until };
    const { notices } = here.report('h1', observed([view('web-1')]));
    expect(notices.map(({ kind }) => kind)).toEqual(['needs-approval']);
  });

  test('is shown as such in the plan, for the container and for its service', () => {
    const here = scene([web()]);
    here.report(
      'h1',
      observed([view('web-1', { optOut: never }), view('web-2', { optOut: later, stale: [] })]),
    );
    expect(planRestarts(here.fleet, moment(here), () => 1_000)).toMatchObject({
      entries: [
        {
          waveId: null,
          container: 'h1/web-1',
          impossible: 'opted out: holds a cache',
          why: expect.stringContaining('maps /usr/lib/libssl.so.3') as unknown,
        },
      ],
      estimateMs: 0,
    });
    expect(explainContainer(here.fleet, 'h1/web-1', moment(here))?.answer).toMatch(
      /^opted out: holds a cache; stale: process 812/,
    );
    expect(explainContainer(here.fleet, 'h1/web-2', moment(here))?.answer).toBe(
      'runs the present code; opted out until 2027-03-01T00:00Z: sale',
    );
    expect(summarizeServices(here.fleet, here.now)).toMatchObject([
      {
        optedOut: [
          { container: 'h1/web-1', ...never },
          { container: 'h1/web-2', ...later },
        ],
      },
    ]);
  });
});
