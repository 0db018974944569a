import { describe, expect, test } from '@jest/globals';
import type { CheckAnswers } from '../../../src/core/agent/agent.ts';
import type { AgentTurn } from '../../../src/core/agent/step.ts';
import { agentScene, doing, instance, order, wellAnswers } from './agent-scene.ts';

const failedStart = () => {
  const here = agentScene();
  here.job('j', [order('g')]);
  here.stopping('g');
  here.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null });
  const startOver = () =>
    here.step({
      kind: 'start-over',
      grantId: 'g',
      state: 'stopped',
      instance: null,
      reason: 'no room',
    });
  startOver();
  return { here, startOver };
};

describe('R25: starting', () => {
  test('tried again for ever, 1 s to 60 s apart, and told once as failed', () => {
    const { here, startOver } = failedStart();
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      pauses.push((here.agent.notBefore.get('g') ?? 0) - here.mono);
      here.mono = here.agent.notBefore.get('g') ?? 0;
      expect(doing(here.step({ kind: 'tick' }))).toEqual(['start']);
      startOver();
    }
    expect(pauses.map((ms) => ms / 1000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(here.reports().filter((r) => r.kind === 'restart-finished')).toHaveLength(1);
  });

  test('parking ends it, after its drain is undone', () => {
    const { here } = failedStart();
    here.mono += 1_000;
    expect(doing(here.record(3, { parked: ['web-1'] }))).toEqual(['undrain']);
    here.step({ kind: 'undrained', grantId: 'g', ok: true, reason: '' });
    expect(here.reports().at(-1)).toMatchObject({
      outcome: 'gone',
      reason: 'parked by an operator',
    });
  });

  test('a container that is removed while drained is alerted (L3)', () => {
    const { here } = failedStart();
    here.mono += 1_000;
    here.step({ kind: 'tick' });
    const turn = here.step({
      kind: 'start-over',
      grantId: 'g',
      state: 'gone',
      instance: null,
      reason: '',
    });
    expect(doing(turn)).toEqual([
      expect.stringMatching(/^alert: web-1 was removed while it was drained/),
    ]);
    expect(here.reports().at(-1)).toMatchObject({ outcome: 'gone' });
  });
});

describe('R26: a retry', () => {
  const retried = () => {
    const { here } = failedStart();
    here.job('j2', [order('r', { expect: { kind: 'retry', grantId: 'g' }, byHand: true })]);
    here.check('r', { state: 'stopped', instance: null, found: 'maint' });
    return here;
  };

  test('takes over in one write, with what the first drain found', () => {
    const here = retried();
    expect(here.agent.journal.grants.get('g')?.end?.outcome).toBe('retried');
    expect(here.agent.journal.grants.get('r')).toMatchObject({ step: 'draining', found: 'ready' });
  });

  test.each<[string, (here: ReturnType<typeof agentScene>) => void]>([
    ['by a crash', (here) => void here.crash()],
    [
      'by a failing drain',
      (here) =>
        void here.step({ kind: 'drained', grantId: 'r', ok: false, found: '', reason: 'socket' }),
    ],
    [
      'by a freeze',
      (here) => {
        here.step({ kind: 'drained', grantId: 'r', ok: true, found: 'maint', reason: '' });
        here.record(3, { freezes: ['sale'] });
        here.check('r', { state: 'stopped', instance: null });
      },
    ],
    [
      'by a void',
      (here) => {
        here.record(3, { voids: ['r'] });
        here.step({ kind: 'drained', grantId: 'r', ok: true, found: 'maint', reason: '' });
      },
    ],
  ])('undone %s before its stop, it stands where the failed one stood', (_, undo) => {
    const here = retried();
    undo(here);
    const grant = here.agent.journal.grants.get('r');
    expect(grant).toMatchObject({ step: 'stopped', failed: true, end: null });
    expect(here.agent.busy.get('r')).toBe('start');
    expect(here.reports()).toContainEqual(
      expect.objectContaining({ grantId: 'r', outcome: 'failed' }),
    );
  });

  test('what is down by our doing is not its owner’s stop while it is retried (R25)', () => {
    const { here } = failedStart();
    const { bootId } = instance;
    here.step({
      kind: 'observed',
      name: 'web-1',
      state: 'running',
      instance,
      identity: null,
      bootId,
    });
    here.job('j2', [order('r', { expect: { kind: 'retry', grantId: 'g' }, byHand: true })]);
    here.check('r', { state: 'stopped', instance: null });
    here.step({
      kind: 'observed',
      name: 'web-1',
      state: 'stopped',
      instance: null,
      identity: null,
      bootId,
    });
    expect(here.agent.journal.containers.get('web-1')?.ownerStopped).toBe(false);
  });

  test('one that is healthy again is not taken over', () => {
    const { here } = failedStart();
    here.mono += 1_000;
    here.step({ kind: 'tick' });
    here.step({ kind: 'start-over', grantId: 'g', state: 'running', instance, reason: '' });
    here.step({ kind: 'health', grantId: 'g', result: 'healthy', reason: '' });
    here.job('j2', [order('r', { expect: { kind: 'retry', grantId: 'g' }, byHand: true })]);
    here.mono += 1_000;
    here.step({ kind: 'tick' });
    here.agent.busy.set('r', 'check');
    here.check('r');
    expect(here.agent.journal.grants.get('g')?.end).toBe(null);
  });
});

describe('R29: upgrades of ours', () => {
  test('it waits for the restart that is under way, and no new one begins before it', () => {
    const here = agentScene();
    here.job('j', [order('g'), order('h', { container: 'web-2' })]);
    here.check('g');
    expect(doing(here.upgrade())).toEqual([]);
    expect(here.agent.waiting.get('ug')).toBe('web-1 is being restarted');
    expect(doing(here.check('h'))).toEqual([]);
    here.step({ kind: 'drained', grantId: 'g', ok: false, found: 'ready', reason: 'x' });
    expect(doing(here.step({ kind: 'undrained', grantId: 'g', ok: true, reason: '' }))).toEqual([
      'run-upgrade',
    ]);
  });

  test('taken back before it began, it ends void, so that it can be ordered anew', () => {
    const here = agentScene();
    here.record(3, { pauses: [{ level: 'fleet' }] });
    here.upgrade();
    here.record(4, { pauses: [{ level: 'fleet' }], voids: ['ug'] });
    expect(here.reports().at(-1)).toMatchObject({
      kind: 'restart-finished',
      grantId: 'ug',
      outcome: 'void',
    });
  });

  test('a crash in the middle finds it again', () => {
    const here = agentScene();
    expect(doing(here.upgrade())).toEqual(['run-upgrade']);
    const { effects } = here.crash();
    expect(effects).toContainEqual(expect.objectContaining({ kind: 'run-upgrade', resume: true }));
  });

  test('one that a crash kept from beginning has an outcome before it begins again (I4)', () => {
    const here = agentScene();
    const told = (turn: AgentTurn) =>
      turn.audits.map(({ action, grantId, outcome }) => [action, grantId, outcome]);
    expect(told(here.upgrade())).toContainEqual(['upgrade-begun', 'ug', null]);
    here.crash();
    const turn = here.step({ kind: 'upgrade-not-begun', jobId: 'u' });
    expect(told(turn)).toEqual([['upgrade-ended', 'ug', 'void']]);
    // It is not over: the server hears nothing, and it begins when it may.
    expect(here.reports().map(({ kind }) => kind)).not.toContain('restart-finished');
    const later = [...told(here.record(5)), ...told(here.record(6))];
    expect(later).toEqual([['upgrade-begun', 'ug', null]]);
  });
});

describe('R30: while a transaction is open', () => {
  test('the observation says nothing about containers', () => {
    const here = agentScene();
    const look = () =>
      here.step({
        kind: 'host-observed',
        observed: {
          whole: true,
          containers: [],
          settingsHashes: {},
          atRest: false,
          atRestReason: 'apt',
          rebootRequired: [],
          staleHostProcesses: [],
          platform: 'debian-12',
          agentStale: false,
          problems: [],
        },
      });
    here.step({ kind: 'transaction', phase: 'open' });
    look();
    expect(here.reports().at(-1)).toMatchObject({ whole: false });
    here.step({
      kind: 'transaction',
      phase: 'over',
      upgraded: { changes: [], origin: { by: 'outside' }, containers: [], gate: null },
    });
    look();
    expect(here.reports().at(-1)).toMatchObject({ whole: true });
  });
});

describe('a service with nothing to drain', () => {
  const nothingToDrain: CheckAnswers = { ...wellAnswers };
  delete nothingToDrain.found;
  const checked = { kind: 'checked', grantId: 'g', answers: nothingToDrain } as const;
  const begun = () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    return { here, turn: here.step(checked) };
  };
  const steps = ({ agent }: ReturnType<typeof agentScene>) =>
    agent.journal.grants.get('g')?.steps.map(({ step }) => step);

  test('is stopped after one check, in one turn with the steps of its drain', () => {
    const { here, turn } = begun();
    expect(doing(turn)).toEqual(['stop']);
    expect(turn.audits.map(({ action }) => action)).toEqual(['restart-begun', 'stop-begun']);
    expect(steps(here)).toEqual(['journaled', 'draining', 'drained', 'stopping']);
  });

  test('is verified as soon as it is healthy', () => {
    const { here } = begun();
    here.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null });
    here.step({ kind: 'start-over', grantId: 'g', state: 'running', instance, reason: '' });
    const turn = here.step({ kind: 'health', grantId: 'g', result: 'healthy', reason: '' });
    expect(doing(turn)).toEqual(['verify']);
    expect(steps(here)?.slice(-2)).toEqual(['healthy', 'undrained']);
  });

  test('is removed without an alert', () => {
    const { here } = begun();
    const gone = here.step({ kind: 'stop-over', grantId: 'g', state: 'gone', instance: null });
    expect(doing(gone)).toEqual([]);
  });

  test('a retry undoes what the drain of the failed one did, though nothing drains any more', () => {
    const { here } = failedStart();
    here.job('j2', [order('r', { expect: { kind: 'retry', grantId: 'g' }, byHand: true })]);
    expect(doing(here.step({ ...checked, grantId: 'r' }))).toEqual(['drain']);
    expect(here.agent.journal.grants.get('r')).toMatchObject({ drains: true, found: 'ready' });
  });
});
