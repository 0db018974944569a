import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { summarizeServices } from '../../../src/core/coordinator/summarize-services.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import type { WaveSummary } from '../../../src/core/coordinator/explain.ts';
import type { FleetSettings } from '../../../src/core/coordinator/fleet.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import type { ServiceSettings } from '../../../src/core/service-settings.ts';
import { observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const db = (more: Partial<ServiceSettings> = {}): ServiceSettings =>
  web({ name: 'db', match: [{ container: 'db-*' }], mode: 'observe', ...more });

const moment = ({ now, wall }: Scene): { now: number; wall: Scene['wall'] } => ({ now, wall });

const summaries = (here: Scene): WaveSummary[] =>
  [...here.fleet.waves.values()].map((wave) => summarizeWave(here.fleet, wave, moment(here)));

const why = (here: Scene, id: string): string =>
  explainContainer(here.fleet, id, moment(here))?.answer ?? '';

const observing = 'only observed: service db is in mode observe';

describe('a service that is only observed', () => {
  test('a wave of it alone ends at once, restarts nothing, asks nobody, and says so once', () => {
    const here = scene([db()]);
    here.report('h1', observed([view('db-1', { stale: [] })]));
    const { notices } = here.upgraded('h1', [view('db-1')]);
    expect(summaries(here)).toMatchObject([
      {
        state: 'finished',
        counts: { observed: 1 },
        waitsFor: null,
        members: [{ container: 'h1/db-1', state: 'observed', reason: observing }],
      },
    ]);
    expect(here.grants()).toEqual([]);
    expect(notices).toMatchObject([
      { kind: 'ended', text: expect.stringContaining('is finished: 1 observed') as unknown },
    ]);
  });

  test('a mixed wave ends with those that are restarted, and waits for them alone', () => {
    const here = upgradedScene([db(), web({ mode: 'approve' })], { h1: ['db-1', 'web-1'] });
    const [wave] = summaries(here);
    expect(wave).toMatchObject({
      state: 'waiting for approval',
      counts: { observed: 1, pending: 1 },
    });
    here.act({ action: 'approve', waveId: wave?.id ?? '' });
    expect(here.grants()).toEqual(['h1/web-1']);
    expect(why(here, 'h1/db-1')).toContain(observing);
  });

  test('is not found stale again and again', () => {
    const here = scene([db()]);
    for (let times = 0; times < 3; times++) here.report('h1', observed([view('db-1')]));
    expect(summaries(here)).toEqual([]);
  });

  test('is shown as stale and as only observed in the plan, for the container and for its service', () => {
    const here = scene([db()]);
    here.report('h1', observed([view('db-1'), view('db-2', { stale: [] })]));
    expect(planRestarts(here.fleet, moment(here), () => 1_000)).toMatchObject({
      entries: [
        {
          waveId: null,
          container: 'h1/db-1',
          impossible: observing,
          why: expect.stringContaining('maps /usr/lib/libssl.so.3') as unknown,
        },
      ],
      estimateMs: 0,
    });
    expect(why(here, 'h1/db-1')).toMatch(
      /^only observed: service db is in mode observe; stale: process 812/,
    );
    expect(why(here, 'h1/db-2')).toBe('runs the present code');
    expect(summarizeServices(here.fleet, here.now)).toMatchObject([
      { name: 'db', mode: 'observe', stale: 1 },
    ]);
  });

  test('can be restarted by hand, and is no plan of its own meanwhile', () => {
    const here = scene([db()]);
    here.report('h1', observed([view('db-1')]));
    here.act({ action: 'restart', containers: ['h1/db-1'], what: 'db-1' });
    expect(here.grants()).toEqual(['h1/db-1']);
    expect(planRestarts(here.fleet, moment(here), () => 1_000).entries).toEqual([]);
    expect(why(here, 'h1/db-1')).toMatch(/^is being restarted/);
  });

  test('asks for its restarts once it is not only observed any more', () => {
    const here = scene([db()]);
    here.report('h1', observed([view('db-1', { stale: [] })]));
    here.upgraded('h1', [view('db-1')]);
    here.fleet.services.set('db', db({ mode: 'auto' }));
    const { notices } = here.report('h1', observed([view('db-1')]));
    expect(notices.map(({ kind }) => kind)).toEqual(['needs-approval']);
  });

  test('its platform can be what is only observed', () => {
    const settings: Partial<FleetSettings> = { platformModes: { 'debian-12': 'observe' } };
    const here = upgradedScene([web()], { h1: ['web-1'] }, settings);
    expect(summaries(here)).toMatchObject([{ state: 'finished', counts: { observed: 1 } }]);
    expect(why(here, 'h1/web-1')).toMatch(
      /^only observed: platform debian-12 is in mode observe; stale: /,
    );
  });
});
