import { describe, expect, test } from '@jest/globals';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';
import { gap, hostOf, restart } from './restored-scene.ts';

const down = view('web-1', { state: 'stopped', instance: null, health: 'unknown', stale: [] });

const openGrants = [
  { grantId: 'g9', waveId: 'w', container: 'web-1', step: 'stopped' as const, failed: true },
];

const recordOf = (here: Scene, host: string): string[] | undefined =>
  here.step({ kind: 'record-wanted', host }).records[0]?.record.parked;

describe('a container that we have stopped is not taken for parked (R25, L2)', () => {
  /** Its owner had stopped web-1 when the backup was made; it was started since, and its grant g9 is forgotten. */
  const parkedInBackup = (): Scene => {
    const here = scene([web()], {}, [{ id: 'h1' }, { id: 'h2' }]);
    here.report('h1', observed([down]));
    here.report('h2', observed([view('web-2', { stale: [] })]));
    expect(recordOf(here, 'h1')).toEqual(['web-1']);
    restart(here);
    return here;
  };

  test('where the backup has it as parked: no record says so before its agent was heard', () => {
    const here = parkedInBackup();
    expect(recordOf(here, 'h1')).toEqual([]);
    here.report('h1', observed([down], { openGrants, leader: [2, 2] }), gap(here, 'h1'));
    expect(recordOf(here, 'h1')).toEqual([]);
    expect(here.fleet.containers.get('h1/web-1')?.parked).toBe(false);
  });

  test('nor where its grant is named before it is seen', () => {
    const here = parkedInBackup();
    here.report('h1', observed([], { whole: false, openGrants }));
    here.report('h1', observed([down], { openGrants }));
    expect(recordOf(here, 'h1')).toEqual([]);
  });

  test('what is parked, and held by nothing, stays so', () => {
    const here = parkedInBackup();
    here.report('h1', observed([], { whole: false }));
    expect(recordOf(here, 'h1')).toEqual(['web-1']);
    expect(hostOf(here, 'h1').known).toBe(true);
  });

  test('where the store sees it first by the end of a restart that failed', () => {
    const here = upgradedScene([web()], { h1: [], h2: ['web-2'] });
    restart(here);
    here.report('h1', ended('g9', 'failed', down), gap(here, 'h1'));
    expect(here.fleet.containers.get('h1/web-1')?.parked).toBe(false);
  });
});
