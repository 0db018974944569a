import { describe, expect, test } from '@jest/globals';
import { ended, upgradedScene, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const fleet = { level: 'fleet' } as const;
const answer = (here: Scene, level: Parameters<typeof pauseAt>[1]): string => {
  const said = here.act({ action: 'resume', level }).answer;
  return said?.ok === true ? `ok: ${said.text}` : (said?.reason ?? '');
};
const pauseAt = (
  here: Scene,
  level: typeof fleet | { level: 'wave'; waveId: string } | { level: 'host'; hostId: string },
): void => {
  here.act({ action: 'pause', level, reason: 'lunch' });
};

/** A wave that its first restart has paused. */
const failed = (): { here: Scene; waveId: string; named: string } => {
  const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
  const [grantId = ''] = here.fleet.grants.keys();
  here.report('h1', ended(grantId, 'failed'));
  const [waveId = ''] = here.fleet.waves.keys();
  const named = `wave ${waveId} is paused by what failed in it (h1/web-1: port closed): groundswell resume --wave ${waveId}`;
  return { here, waveId, named };
};
const pausedBy = ({ fleet: { waves } }: Scene): unknown[] =>
  [...waves.values()].map((wave) => wave.pausedBy);

describe('R31: resume', () => {
  test('of the fleet lifts its pause alone; a wave that failures paused stays, and is named', () => {
    const { here, named } = failed();
    pauseAt(here, fleet);
    expect(answer(here, fleet)).toBe(`ok: resumed (fleet); ${named}`);
    expect(here.fleet.pauses.size).toBe(0);
    expect(pausedBy(here)).toEqual(['h1/web-1: port closed']);
  });

  test('of a fleet that is not paused is refused, and names what is', () => {
    const { here, named } = failed();
    expect(answer(here, fleet)).toBe(`fleet is not paused; ${named}`);
    pauseAt(here, { level: 'host', hostId: 'h1' });
    expect(answer(here, fleet)).toBe(`fleet is not paused; paused: host h1; ${named}`);
    expect(pausedBy(here)).toEqual(['h1/web-1: port closed']);
  });

  test('of the wave lifts a person’s pause of it and that of its failures', () => {
    const { here, waveId } = failed();
    const level = { level: 'wave', waveId } as const;
    pauseAt(here, level);
    expect(answer(here, level)).toBe(`ok: resumed (wave ${waveId})`);
    expect([pausedBy(here), here.fleet.pauses.size]).toEqual([[null], 0]);
  });

  test('of the fleet does not promise that a gate which holds a paused wave lets it go on', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    here.upgraded('h1', [], { ok: false, reason: 'no name is resolved' });
    const [waveId = ''] = here.fleet.waves.keys();
    pauseAt(here, fleet);
    expect(answer(here, fleet)).toBe(
      `ok: resumed (fleet); wave ${waveId} is paused by what failed in it (the host gate of h1 did not pass: no name is resolved): groundswell resume --wave ${waveId}`,
    );
  });
});
