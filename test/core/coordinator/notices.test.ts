import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { ended, upgradedScene, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const told = ({ notices }: Commands): string[] =>
  notices.map(({ kind, text }) => `${kind} ${text}`);
const asking = (): Scene => upgradedScene([web({ mode: 'approve' })], { h1: ['web-1', 'web-2'] });
const waveId = ({ fleet }: Scene): string => [...fleet.waves.keys()][0] ?? '';

describe('operators are told', () => {
  test('how to approve a wave, once, and in the container’s answer too', () => {
    const here = asking();
    const id = waveId(here);
    const moment = { now: here.now, wall: here.wall };
    expect(explainContainer(here.fleet, 'h1/web-1', moment)?.answer).toBe(
      `waiting for approval: groundswell approve ${id}`,
    );
    expect(told(here.step({ kind: 'tick' }))).toEqual([]);
  });

  test('that a wave was declined', () => {
    const here = asking();
    const id = waveId(here);
    expect(told(here.act({ action: 'decline', waveId: id }))).toEqual([
      `ended wave ${id} (openssl 2) was declined by ann`,
    ]);
    expect(told(here.step({ kind: 'tick' }))).toEqual([]);
  });

  test('that somebody paused a wave, each time anew', () => {
    const here = asking();
    const level = { level: 'wave', waveId: waveId(here) } as const;
    const text = `paused wave ${waveId(here)} is paused by ann: lunch`;
    for (let times = 0; times < 2; times++) {
      expect(told(here.act({ action: 'pause', level, reason: 'lunch' }))).toEqual([text]);
      expect(told(here.act({ action: 'resume', level }))).toEqual([]);
    }
    const fleet = here.act({ action: 'pause', level: { level: 'fleet' }, reason: 'lunch' });
    expect(told(fleet)).toEqual([text]);
  });

  test('that a restart failed, and that the wave pauses for it', () => {
    const here = asking();
    const id = waveId(here);
    here.act({ action: 'approve', waveId: id });
    const [grantId = ''] = here.fleet.grants.keys();
    expect(told(here.report('h1', ended(grantId, 'failed')))).toEqual([
      'failed h1/web-1: port closed',
      `paused wave ${id} is paused: h1/web-1: port closed`,
    ]);
  });
});
