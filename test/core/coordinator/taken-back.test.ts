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
