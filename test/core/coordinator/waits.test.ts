import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import { observed, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const reason = 'the package database is not at rest: apt-get (process 812) holds lock-frontend';

/** A restart is granted and journaled, and its agent says that it waits. */
const waiting = (): { here: Scene; id: string } => {
  const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
  const [id = ''] = here.fleet.grants.keys();
  here.report('h1', { kind: 'restart-progress', grantId: id, step: 'journaled', at: 0 });
  here.report('h1', observed([], { whole: false, waits: [{ grantId: id, reason }] }));
  return { here, id };
};

const said = ({ fleet, now, wall }: Scene) => {
  const moment = { now, wall };
  const [wave] = fleet.waves.values();
  if (wave === undefined) throw new Error('no wave');
  const { waitsFor, members } = summarizeWave(fleet, wave, moment);
  const { answer = '', grant } = explainContainer(fleet, 'h1/web-1', moment) ?? {};
  return {
    ...{ waitsFor, answer, waiting: grant?.waiting, member: members[0]?.waiting },
    notes: planRestarts(fleet, moment, () => 1_000).notes,
  };
};

describe('L4: a grant that waits on its host', () => {
  test('is named with what it waits for by why, wave and plan', () => {
    const { here } = waiting();
    expect(said(here)).toMatchObject({
      waitsFor: `h1/web-1 waits: ${reason}`,
      ...{ waiting: reason, member: reason },
      notes: [`h1/web-1 may be restarted, and waits: ${reason}`],
    });
    expect(said(here).answer).toMatch(
      `its restart waits (journaled): ${reason}; process 812 (nginx)`,
    );
  });

  test.each<[string, (here: Scene, id: string) => void]>([
    [
      'when it goes on',
      (here, id) =>
        here.report('h1', { kind: 'restart-progress', grantId: id, step: 'draining', at: 0 }),
    ],
    [
      'when its agent does not say so any more',
      (here) => here.report('h1', observed([view('web-1'), view('web-2')])),
    ],
  ])('waits no longer %s', (_, act) => {
    const { here, id } = waiting();
    act(here, id);
    expect(said(here)).toMatchObject({ waiting: null, member: null, notes: [] });
  });
});
