import { describe, expect, test } from '@jest/globals';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import type { ServiceSettings } from '../../../src/core/service-settings.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

/** Two hosts with a container of `web` each, and an upgrade of the first that takes a unit of it (R29). */
const asked = (
  budget: ServiceSettings['budget'],
  other: Parameters<typeof view>[1] = {},
): { here: Scene; first: Commands; waveId: string; waits: () => string } => {
  const here = scene([web({ budget })], { disruptivePackages: ['libc6'] }, [
    { id: 'h1' },
    { id: 'h2' },
  ]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  here.report('h2', observed([view('web-2', { stale: [], ...other })]));
  const first = here.act({
    ...{ action: 'upgrade', hosts: ['h1'], mode: 'packages', allowRemove: false },
    packages: [{ name: 'libc6', want: 'newest', version: null }],
  });
  const [wave] = here.fleet.waves.values();
  if (wave === undefined) throw new Error('no wave');
  return { here, first, waveId: wave.id, waits: () => wave.upgrades.get('h1')?.reason ?? '' };
};

const isOrdered = ({ sends }: Commands): boolean =>
  sends.some(({ kind }) => kind === 'host-upgrade');

describe('R29: an upgrade that disrupts', () => {
  test('takes a unit of each service of its host', () => {
    expect(isOrdered(asked({ maxUnavailable: 1 }).first)).toBe(true);
  });

  test('waits where there is no room, and names what takes it (L4)', () => {
    const { first, waits } = asked({ maxUnavailable: 1 }, { health: 'unhealthy' });
    expect(isOrdered(first)).toBe(false);
    expect(waits()).toBe(
      'service web has no room for a disruptive upgrade of h1: 1 of 1 unavailable: h2/web-2 (unhealthy: )',
    );
  });

  test('of a service with a budget of 0 waits for a person to allow the outage, and says so (R17)', () => {
    const { here, first, waits, waveId } = asked({ maxUnavailable: 0 });
    expect(isOrdered(first)).toBe(false);
    expect(waits()).toBe(`the budget of service web is 0: groundswell allow-outage ${waveId} web`);
    expect(isOrdered(here.act({ action: 'allow-outage', waveId, service: 'web' }))).toBe(true);
  });
});
