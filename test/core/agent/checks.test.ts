import { describe, expect, test } from '@jest/globals';
import type { CheckAnswers } from '../../../src/core/agent/agent.ts';
import type { ControlRecord, GrantOrder } from '../../../src/core/messages.ts';
import { agentScene, doing, instance, order, wallBase } from './agent-scene.ts';

const other = { ...instance, startTime: '2' };

describe('R21: the last check before the stop', () => {
  const lastCheck = (
    answers: Partial<CheckAnswers>,
    record: Partial<ControlRecord> | null,
    more: Partial<GrantOrder> = {},
  ) => {
    const here = agentScene();
    here.job('j', [order('g', more)]);
    here.check('g', { health: more.onlyIfBroken === true ? 'unhealthy' : 'healthy' });
    here.step({ kind: 'drained', grantId: 'g', ok: true, found: 'ready', reason: '' });
    if (record !== null) here.record(3, record);
    return { here, turn: here.check('g', answers) };
  };

  test.each<
    [string, Partial<CheckAnswers>, Partial<ControlRecord> | null, Partial<GrantOrder>, string[]]
  >([
    ['all is well', {}, null, {}, ['stop']],
    ['it was restarted', { instance: other }, null, {}, ['undrain']],
    ['it is gone', { state: 'gone', instance: null }, null, {}, ['undrain']],
    ['its owner stopped it', { state: 'stopped', instance: null }, null, {}, ['undrain']],
    ['it runs the present code', { stale: 'fresh' }, null, {}, ['undrain']],
    [
      'it runs the present code, but a person asked',
      { stale: 'fresh' },
      null,
      { byHand: true },
      ['stop'],
    ],
    ['what it runs cannot be read', { stale: 'unknown' }, null, {}, ['undrain']],
    ['other settings are meant', { settingsHash: 'x' }, null, {}, ['undrain']],
    ['it is opted out', { optOut: 'migration' }, null, {}, ['undrain']],
    ['it is broken no more', {}, null, { onlyIfBroken: true }, ['undrain']],
    ['it is still broken', { health: 'unhealthy' }, null, { onlyIfBroken: true }, ['stop']],
    ['a manager works: wait', { atRest: { ok: false, reason: 'apt' } }, null, {}, []],
    ['its grant is void', {}, { voids: ['g'] }, {}, ['undrain']],
    ['the fleet is paused', {}, { pauses: [{ level: 'fleet' }] }, {}, ['undrain']],
    ['another wave is paused', {}, { pauses: [{ level: 'wave', waveId: 'x' }] }, {}, ['stop']],
    ['its wave is paused', {}, { pauses: [{ level: 'wave', waveId: 'w' }] }, {}, ['undrain']],
    [
      'its service is paused',
      {},
      { pauses: [{ level: 'service', service: 'web' }] },
      {},
      ['undrain'],
    ],
    ['a freeze', {}, { freezes: ['sale'] }, {}, ['undrain']],
    ['the host is excluded', {}, { excluded: true }, {}, ['undrain']],
  ])('%s', (_, answers, record, more, expected) => {
    expect(doing(lastCheck(answers, record, more).turn)).toEqual(expected);
  });

  test('what can pass is waited for until begin-before; then the drain is undone and the grant refused', () => {
    const { here } = lastCheck({ atRest: { ok: false, reason: 'apt is at work' } }, null);
    here.mono += 1_000;
    expect(doing(here.step({ kind: 'tick' }))).toEqual(['check stop']);
    here.check('g', { atRest: { ok: false, reason: 'apt is at work' } });
    here.mono += 30_000;
    expect(doing(here.step({ kind: 'tick' }))).toEqual(['undrain']);
    here.step({ kind: 'undrained', grantId: 'g', ok: true, reason: '' });
    const last = here.reports().at(-1);
    expect(last).toMatchObject({ kind: 'restart-finished', outcome: 'refused' });
    expect(JSON.stringify(last)).toContain('apt is at work');
  });

  test('a record that has not advanced for 15 s lets nothing begin (R13)', () => {
    const here = agentScene();
    here.mono += 15_001;
    here.job('j', [order('g')]);
    here.check('g');
    expect(here.agent.waiting.get('g')).toMatch(/has not advanced for 15 s/);
    here.record(3);
    here.mono += 1_000;
    here.step({ kind: 'tick' });
    expect(doing(here.check('g'))).toEqual(['drain']);
  });

  test('server time never goes back, whatever an older record says (R14)', () => {
    const here = agentScene();
    here.mono += 10_000;
    here.record(3, { serverTime: 900_000 });
    here.job('j', [order('g', { beginBefore: 1_009_000 })]);
    expect(here.reports().at(-1)).toMatchObject({ outcome: 'refused' });
  });

  test('a record that took longer than the one before does not hold the server time up (R14)', () => {
    const here = agentScene();
    const timeAfter = (ms: number, late: number, n: number): number => {
      here.mono += ms;
      here.record(n, { serverTime: 1_000_000 + here.mono - 1_000 - late });
      return here.agent.serverTimeFloor;
    };
    expect(timeAfter(5_000, 0, 3)).toBe(1_005_000);
    // Late ones tell of the way, not of the time: each is believed to be on time but for the drift.
    expect(timeAfter(5_000, 150, 4)).toBeCloseTo(1_010_000, -1);
    expect(timeAfter(100, 200, 5)).toBeCloseTo(1_010_100, -1);
    expect(timeAfter(5_000, 0, 6)).toBeCloseTo(1_015_100, -1);
    // A server that was down has lost 40 s: the time stands still until its clock is there again.
    expect(timeAfter(60_000, 40_000, 7)).toBeCloseTo(1_075_100, -1);
    here.mono += 41_000;
    here.step({ kind: 'tick' });
    expect(here.agent.serverTimeFloor).toBe(1_076_100);
  });

  test('what a turn journals and reports bears the server time of that turn (R14)', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.check('g');
    here.step({ kind: 'drained', grantId: 'g', ok: true, found: 'ready', reason: '' });
    here.check('g');
    // Nothing asks for the time between the stop and the start.
    here.mono += 7_000;
    here.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null });
    expect(here.agent.journal.grants.get('g')?.steps.at(-1)).toEqual({
      ...{ step: 'stopped', at: 1_007_000, wallMs: wallBase + here.mono },
    });
    expect(here.reports().at(-1)).toMatchObject({ step: 'stopped', at: 1_007_000 });
  });

  test('a lower number is ignored, also after a restart (R13)', () => {
    const here = agentScene();
    here.record(9);
    here.record(3, { voids: ['g'] });
    here.crash();
    here.record(8, { voids: ['g'] });
    expect(here.agent.record).toBe(null);
  });
});

describe('R24: stopping again after a crash', () => {
  const crashed = () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.stopping('g');
    expect(doing(here.crash())).toEqual(['await-stray-stop']);
    here.step({ kind: 'stop-over', grantId: 'g', state: 'running', instance });
    return here;
  };

  test.each<[string, Partial<CheckAnswers>, string[]]>([
    ['it is still up: stopped again', {}, ['stop']],
    ['it is down: started', { state: 'stopped', instance: null }, ['start']],
    ['somebody started it: watched, never stopped again', { instance: other }, ['watch-health']],
    ['it runs the present code by now: stopped all the same', { stale: 'fresh' }, ['stop']],
    ['a manager works: it waits', { atRest: { ok: false, reason: 'apt' } }, []],
  ])('%s', (_, answers, expected) => {
    const here = crashed();
    here.record(3);
    here.record(4);
    expect(doing(here.check('g', answers))).toEqual(expected);
  });

  test.each<[string, Partial<ControlRecord>, string[]]>([
    ['a pause is passed over', { pauses: [{ level: 'fleet' }] }, ['stop']],
    ['void comes too late', { voids: ['g'] }, ['stop']],
    ['a freeze is waited for', { freezes: ['sale'] }, []],
    ['on an excluded host nothing is stopped', { excluded: true }, []],
  ])('%s', (_, record, expected) => {
    const here = crashed();
    here.record(3);
    here.record(4, record);
    expect(doing(here.check('g'))).toEqual(expected);
  });

  test('a retry knows the instance that it began to stop', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.stopping('g');
    here.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null });
    here.step({ kind: 'start-over', grantId: 'g', state: 'running', instance: other, reason: '' });
    here.step({ kind: 'health', grantId: 'g', result: 'deadline', reason: '503' });
    here.job('j2', [order('r', { expect: { kind: 'retry', grantId: 'g' }, byHand: true })]);
    here.check('r', { instance: other });
    here.step({ kind: 'drained', grantId: 'r', ok: true, found: 'maint', reason: '' });
    expect(doing(here.check('r', { instance: other }))).toEqual(['stop']);
    here.crash();
    here.step({ kind: 'stop-over', grantId: 'r', state: 'running', instance });
    expect(doing(here.check('r'))).toEqual(['watch-health']);
  });
});
