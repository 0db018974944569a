import { expect, test } from '@jest/globals';
import { ended, upgradedScene, web } from './fleet-scene.ts';

test('a member whose grant was taken back says why the server asked for it', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  const [id = ''] = here.fleet.grants.keys();
  const [wave] = here.fleet.waves.values();
  here.act({ action: 'freeze', reason: 'odd', until: null });
  here.report('h1', ended(id, 'void'));
  expect(wave?.members.get('h1/web-1')).toMatchObject({
    state: 'pending',
    reason: 'taken back: freeze: odd',
  });
});

test('no time that passes frees a unit, the word of its agent does (R20)', () => {
  const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
  const [grant] = here.fleet.grants.values();
  if (grant === undefined) throw new Error('nothing was granted');
  for (const over of [grant.beginBefore, grant.deadline, grant.deadline + 86_400_000]) {
    here.later(over + 1 - here.now);
    here.step({ kind: 'tick' });
    expect([...here.fleet.grants.keys()]).toEqual([grant.id]);
  }
  here.report('h1', ended(grant.id, 'void'));
  expect(here.fleet.grants.size).toBe(0);
});
