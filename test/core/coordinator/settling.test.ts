import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import type { ContainerView } from '../../../src/core/messages.ts';
import { observed, scene, upgradedScene, view, web } from './fleet-scene.ts';

const unscanned = [{ what: 'container', reason: 'it was not scanned yet' }];

/** A wave over two containers, of which the canary is being restarted, and what is then seen of the other. */
const afterSeeing = (
  seen: Partial<ContainerView>,
): { state: string | undefined; reason: string | undefined; answer: string | undefined } => {
  const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
  expect(here.grants()).toEqual(['h1/web-1']);
  here.report('h1', observed([view('web-1'), view('web-2', { stale: [], ...seen })]));
  const [wave] = here.fleet.waves.values();
  const member = wave?.members.get('h1/web-2');
  return {
    state: member?.state,
    reason: member?.reason,
    answer: explainContainer(here.fleet, 'h1/web-2', { now: here.now, wall: here.wall })?.answer,
  };
};

describe('a member of a wave that waits', () => {
  test('is not needed once nothing stale runs in it any more', () => {
    expect(afterSeeing({})).toMatchObject({
      state: 'not-needed',
      reason: 'nothing stale runs in it',
      answer: 'runs the present code',
    });
  });

  test.each<[string, Partial<ContainerView>]>([
    ['whose runtime does not answer', { state: 'changing', instance: null, health: 'unknown' }],
    ['that is on its way up or down', { state: 'changing', instance: null, health: 'unhealthy' }],
    ['that was not scanned since it was started', { unreadable: unscanned }],
  ])('waits on %s: nothing is known of what runs in it', (_, seen) => {
    expect(afterSeeing(seen)).toMatchObject({ state: 'pending' });
  });
});

describe('what is said of a container that is left alone for its root', () => {
  test('is what its agent says of that, with what runs old code in it', () => {
    const here = upgradedScene([web()], { h1: [] });
    const rootNote = 'its configuration has keys of LXC before 3: lxc-update-config';
    const old = { onHostRoot: false, oldForm: true, rootNote };
    here.report('h1', observed([view('web-1', old), view('web-2', { ...old, stale: [] })]));
    const moment = { now: here.now, wall: here.wall };
    const said = ['h1/web-1', 'h1/web-2'].map((id) => explainContainer(here.fleet, id, moment));
    expect(said).toMatchObject([
      {
        code: 'old form',
        answer: `left alone: ${rootNote}; stale: process 812 (nginx) maps /usr/lib/libssl.so.3 from before the upgrade`,
      },
      { code: 'old form', answer: `left alone: ${rootNote}` },
    ]);
  });
});

describe('what is said of a container that cannot be read', () => {
  test('is never that it runs the present code', () => {
    const here = upgradedScene([web()], { h1: [] });
    here.report('h1', observed([view('web-1', { stale: [], unreadable: unscanned })]));
    const moment = { now: here.now, wall: here.wall };
    expect(explainContainer(here.fleet, 'h1/web-1', moment)?.answer).toBe(
      'unknown whether it runs the present code: container: it was not scanned yet',
    );
  });
});

test('nothing is found stale while packages change: their transaction is yet to be told (R30)', () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  here.report('h1', observed([view('web-1')], { atRest: false, atRestReason: 'dpkg' }));
  expect(here.fleet.waves.size).toBe(0);
  here.report('h1', observed([view('web-1')]));
  expect(here.fleet.waves.size).toBe(1);
});
