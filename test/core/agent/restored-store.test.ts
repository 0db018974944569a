import { describe, expect, test } from '@jest/globals';
import { agentScene, order } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

const observing = { kind: 'observe', container: null };

/** A record of a server whose store was restored from a backup: a new generation, and an earlier server time. */
const restored = (here: AgentScene) =>
  here.record(1, { number: [2, 2, 1], serverTime: 500_000 + here.mono });

const look = (here: AgentScene) =>
  here.step({
    kind: 'host-observed',
    observed: {
      ...{ whole: true, containers: [], settingsHashes: {}, atRest: true, atRestReason: '' },
      ...{
        rebootRequired: [],
        staleHostProcesses: [],
        platform: 'debian-12',
        agentStale: false,
        problems: [],
      },
    },
  });

/** A grant that is over, and one that is not. */
const oneDone = (): AgentScene => {
  const here = agentScene();
  here.job('j', [order('g'), order('h', { container: 'web-2' })]);
  here.step({
    kind: 'checked',
    grantId: 'g',
    answers: {
      ...{ state: 'gone', instance: null, stale: 'unknown', health: 'unknown' },
      ...{ atRest: { ok: true, reason: '' }, settingsHash: 'hash', optOut: null },
    },
  });
  expect(here.agent.journal.grants.get('g')?.end).not.toBeNull();
  here.record(3, { ackedSeq: here.agent.journal.lastSeq });
  expect(here.reports()).toEqual([]);
  return here;
};

describe('R16: the store of the server was restored', () => {
  test('ends are told again, and then all that is open', () => {
    const here = oneDone();
    expect(restored(here).effects).toContainEqual(observing);
    expect(here.reports()).toMatchObject([{ kind: 'restart-finished', grantId: 'g' }]);
    look(here);
    expect(here.reports().at(-1)).toMatchObject({
      ...{ kind: 'host-observed', leader: [2, 2] },
      openGrants: [{ grantId: 'h', waveId: 'w', container: 'web-2' }],
    });
  });

  test('an upgrade that is not over is named, with the services of which it takes a unit', () => {
    const here = agentScene();
    here.upgrade(['web']);
    look(here);
    expect(here.reports().at(-1)).toMatchObject({
      openUpgrades: [{ grantId: 'ug', waveId: 'w', jobId: 'u', services: ['web'] }],
    });
  });

  test('what a leader of before has put in is not taken, nor answered: the present one brings what it knows of', () => {
    const here = agentScene();
    restored(here);
    const { length } = here.reports();
    here.job('j', [order('g')], { leader: [1, 9] });
    expect(here.agent.journal.jobs.size).toBe(0);
    expect(here.reports()).toHaveLength(length);
    here.job('j', [order('g')], { leader: [2, 2] });
    expect(here.agent.journal.grants.has('g')).toBe(true);
  });

  test('a job that is known is answered, whoever brings it (R5)', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    restored(here);
    here.job('j', [order('g')]);
    expect(here.reports().at(-1)).toMatchObject({ kind: 'restart-progress', grantId: 'g' });
  });

  test('its own journal is not taken for rolled back by what is told again', () => {
    const here = oneDone();
    const { lastSeq } = here.agent.journal;
    here.record(1, { number: [2, 2, 1], ackedSeq: lastSeq + 1 });
    expect(here.agent.journal).toMatchObject({ incarnation: 'life-2', settled: false });
  });

  test('records of the audit chain are reported like any other', () => {
    const here = agentScene();
    here.step({ kind: 'copies-wanted', copies: [{ seq: 4, record: {}, hash: 'x' }] });
    expect(here.reports()).toMatchObject([{ kind: 'audit-copied', seq: 4 }]);
  });
});

describe('R14: another server leads', () => {
  test('it hears at once that the host lives', () => {
    const here = agentScene();
    expect(here.record(1, { number: [1, 2, 1] }).effects).toContainEqual({ kind: 'heartbeat' });
    expect(here.record(2, { number: [1, 2, 2] }).effects).toEqual([]);
  });

  test('server time goes on from its own, since it stood still while nobody led', () => {
    const here = agentScene();
    here.mono += 3_600_000;
    here.step({ kind: 'tick' });
    here.record(1, { number: [1, 2, 1], serverTime: 1_010_000 });
    here.record(2, { number: [1, 2, 2], serverTime: 1_010_000 });
    here.job('j', [order('g', { beginBefore: 1_040_000 })], {
      ...{ leader: [1, 2], expiresAt: 1_040_000 },
    });
    expect(here.agent.journal.grants.has('g')).toBe(true);
  });

  test('under one leader it never goes back', () => {
    const here = agentScene();
    here.mono += 3_600_000;
    here.step({ kind: 'tick' });
    here.record(3, { serverTime: 1_010_000 });
    expect(here.agent.serverTimeFloor).toBeGreaterThan(4_000_000);
  });
});
