import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { summarizeServices } from '../../../src/core/coordinator/summarize-services.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import { describeCause } from '../../../src/core/coordinator/wave-cause.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import type { ContainerView } from '../../../src/core/messages.ts';
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

  describe('whose opt-out is over is taken up by the wave that left it out', () => {
    const openOnes = ({ fleet }: Scene): string[] =>
      [...fleet.waves.values()]
        .filter(({ state }) => state === 'open')
        .map(({ cause }) => cause.kind);
    /** A transaction made two run old code; one of them is opted out until later. */
    const upgraded = (mode: 'auto' | 'approve'): Scene => {
      const here = scene([web({ mode })]);
      here.report('h1', observed([view('web-1', { stale: [] }), view('web-2', { stale: [] })]));
      here.upgraded('h1', [view('web-1', { optOut: later }), view('web-2')]);
      return here;
    };
    const ends = (here: Scene, others: Parameters<typeof view>[1] = {}): void => {
      here.wall = { ...here.wall, ms: later.until };
      here.report('h1', observed([view('web-1'), view('web-2', others)]));
    };
    const webTwoIsDone = (here: Scene): void => {
      here.report('h1', observed([view('web-1', { optOut: later }), view('web-2', { stale: [] })]));
      const [grantId = ''] = here.fleet.grants.keys();
      here.report('h1', {
        ...{ kind: 'restart-finished', grantId, outcome: 'done', verification: 'verified' },
        ...{ reason: '', steps: [], container: view('web-2', { stale: [] }) },
      });
    };

    test('while that is open: in that very one', () => {
      const here = upgraded('approve');
      ends(here);
      expect([...here.fleet.waves.values()].map(({ members }) => [...members.values()])).toEqual([
        [
          expect.objectContaining({ state: 'pending' }),
          expect.objectContaining({ state: 'pending' }),
        ],
      ]);
      here.act({ action: 'approve', waveId: [...here.fleet.waves.keys()][0] ?? '' });
      expect(here.grants()).toEqual(['h1/web-1']);
    });

    test.each([
      ['auto', ['h1/web-1']],
      ['approve', []],
    ] as const)('when that is over: in one of the same cause; mode %s', (mode, granted) => {
      const here = upgraded(mode);
      const [waveId = ''] = here.fleet.waves.keys();
      if (mode === 'approve') here.act({ action: 'approve', waveId });
      webTwoIsDone(here);
      expect(waves(here)).toEqual(['finished']);
      ends(here, { stale: [] });
      expect(waves(here)).toEqual(['finished', 'open']);
      const [first, second] = [...here.fleet.waves.values()];
      expect(second?.cause).toEqual(first?.cause);
      expect(here.grants()).toEqual(granted);
    });

    test('one wave of the same cause for all of them', () => {
      const here = scene([web({ mode: 'approve' })]);
      const both = (more: Parameters<typeof view>[1]): ContainerView[] =>
        ['web-1', 'web-2'].map((name) => view(name, more));
      here.report('h1', observed(both({ stale: [] })));
      here.upgraded('h1', both({ optOut: later }));
      here.report('h1', observed([view('web-1'), view('web-2', { optOut: later })]));
      here.report('h1', observed(both({})));
      expect(waves(here)).toEqual(['finished', 'open']);
      expect([...here.fleet.waves.values()][1]?.members.size).toBe(2);
    });

    test('one wave for all upgrades that it has missed', () => {
      const here = scene([web({ mode: 'approve' })]);
      here.report('h1', observed([view('web-1', { stale: [] })]));
      for (const source of ['openssl', 'zlib'])
        here.report('h1', {
          ...{ kind: 'host-upgraded', gate: { ok: true, reason: '' }, origin: { by: 'outside' } },
          transaction: (here.fleet.hosts.get('h1')?.transactions ?? 0) + 1,
          changes: [{ name: source, arch: 'amd64', source, from: '1', to: '2' }],
          containers: [view('web-1', { optOut: later })],
        });
      here.report('h1', observed([view('web-1')]));
      expect(waves(here)).toEqual(['finished', 'finished', 'open']);
      expect([...here.fleet.waves.values()].map(({ cause }) => describeCause(cause))).toEqual([
        'openssl 2',
        'zlib 2',
        'openssl 2, zlib 2',
      ]);
    });

    test('not when a person has decided against that one', () => {
      const here = upgraded('approve');
      here.act({ action: 'decline', waveId: [...here.fleet.waves.keys()][0] ?? '' });
      ends(here);
      expect(openOnes(here)).toEqual([]);
    });

    test('not for a cause of which it has been cured: what it runs now was found', () => {
      const here = upgraded('approve');
      here.report('h1', observed([view('web-1', { stale: [], optOut: later }), view('web-2')]));
      ends(here);
      expect(openOnes(here)).toEqual(['upgrade', 'found-stale']);
    });
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
