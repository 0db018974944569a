import { describe, expect, test } from '@jest/globals';
import { serviceState } from '../../../src/core/coordinator/availability.ts';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import type { ContainerView } from '../../../src/core/messages.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const stopped: Partial<ContainerView> = {
  ...{ state: 'stopped', instance: null, stale: [], health: 'unhealthy' },
};

/** Restarted in vain, and then made anew; `identity` is what is there now. */
const remade = (identity: string | null): Scene => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { identity: 'a', stale: [] })]));
  const container = here.fleet.containers.get('h1/web-1');
  Object.assign(container ?? {}, { attemptedAt: 0, lastVerification: 'stale' });
  here.report('h1', observed([view('web-1', { identity, ...stopped })]));
  return here;
};

describe('a container that is made anew under its name (R18)', () => {
  test('is new: stopped when first seen, so parked and out of the count', () => {
    const here = remade('b');
    expect(here.fleet.containers.get('h1/web-1')).toMatchObject({
      ...{ parked: true, attemptedAt: null, lastVerification: null },
    });
    expect(serviceState(here.fleet, 'web', here.now).unavailable.size).toBe(0);
    expect(explainContainer(here.fleet, 'h1/web-1', here)?.answer).toContain('parked');
  });

  test.each(['a', null])('is the same where its identity is %s', (identity) => {
    const here = remade(identity);
    expect(here.fleet.containers.get('h1/web-1')).toMatchObject({ parked: false, attemptedAt: 0 });
    expect(serviceState(here.fleet, 'web', here.now).unavailable.size).toBe(1);
  });
});
