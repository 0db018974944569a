import { describe, expect, test } from '@jest/globals';
import { agentScene, doing, instance, order, wellAnswers } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

const { bootId } = instance;
const another = { bootId, initPid: 200, startTime: '2' };

const see = (
  here: AgentScene,
  state: 'running' | 'stopped',
  more: { left?: boolean; instance?: typeof instance; bootId?: string } = {},
) =>
  here.step({
    ...{ kind: 'observed', name: 'web-1', state, identity: null, bootId, traces: ['/cgroup'] },
    ...{ instance: state === 'running' ? instance : null, ...more },
  });

const known = (here: AgentScene) => here.agent.journal.containers.get('web-1');
const whose = (here: AgentScene): string => {
  const { ownerStopped = false, died = false } = known(here) ?? {};
  return ownerStopped ? 'its owner’s' : died ? 'nobody’s: it died' : 'unknown';
};

/** An agent whose container has died, and was told so. */
const dead = (): AgentScene => {
  const here = agentScene();
  see(here, 'running');
  see(here, 'stopped', { left: true });
  return here;
};

describe('a container that goes down without us (R25)', () => {
  test('control: where nothing is left of its life, its owner has stopped it', () => {
    const here = agentScene();
    see(here, 'running');
    see(here, 'stopped', { left: false });
    expect(whose(here)).toBe('its owner’s');
    // What somebody leaves there later says nothing of this stop.
    see(here, 'stopped', { left: true });
    expect(whose(here)).toBe('its owner’s');
  });

  test('where that is left which whoever stops it takes away, it died; it is recorded once, and outlasts a crash', () => {
    const here = agentScene();
    see(here, 'running');
    const { audits } = see(here, 'stopped', { left: true });
    expect(audits.map(({ action, container }) => [action, container])).toEqual([
      ['container-died', 'web-1'],
    ]);
    expect(see(here, 'stopped', { left: true }).audits).toEqual([]);
    here.crash();
    see(here, 'stopped');
    expect(whose(here)).toBe('nobody’s: it died');
  });

  test('what went down with its host has not died, whatever is left', () => {
    const here = agentScene();
    see(here, 'running');
    see(here, 'stopped', { left: true, bootId: 'the boot after it' });
    expect(whose(here)).toBe('unknown');
  });

  test('before a lost journal’s grants are named nobody can tell (R15)', () => {
    const here = agentScene(false);
    see(here, 'running');
    see(here, 'stopped', { left: true });
    expect(whose(here)).toBe('unknown');
  });

  test('what is down by our doing has not died', () => {
    const here = agentScene();
    see(here, 'running');
    here.job('j', [order('g')]);
    here.stopping('g');
    see(here, 'stopped', { left: true });
    expect(whose(here)).toBe('unknown');
  });

  test('whoever starts it ends that, and its next stop is its owner’s', () => {
    const here = dead();
    see(here, 'running', { instance: another });
    expect(whose(here)).toBe('unknown');
    see(here, 'stopped', { left: false });
    expect(whose(here)).toBe('its owner’s');
  });
});

describe('the restart of one that died (R25)', () => {
  const down = { state: 'stopped', instance: null } as const;
  const given = (here: AgentScene, more = {}) =>
    here.job('j', [order('g', { expect: { kind: 'died' }, ...more })]);
  const step = ({ agent }: AgentScene) => agent.journal.grants.get('g')?.step;

  test('stops nothing, and else goes the way of each: drained, started, watched, undrained, verified', () => {
    const here = dead();
    expect(doing(given(here))).toEqual(['check begin']);
    expect(doing(here.check('g', down))).toEqual(['drain']);
    const drained = here.step({
      ...{ kind: 'drained', grantId: 'g', ok: true, found: 'ready', reason: '' },
    });
    expect(doing(drained)).toEqual(['check stop']);
    const begun = here.check('g', down);
    expect(doing(begun)).toEqual(['start']);
    expect(begun.audits.map(({ action, details }) => [action, details])).toEqual([
      ['stop-begun', { state: 'stopped' }],
    ]);
    const started = here.step({
      ...{ kind: 'start-over', grantId: 'g', state: 'running', instance: another, reason: '' },
    });
    expect(doing(started)).toEqual(['watch-health']);
    const healthy = here.step({ kind: 'health', grantId: 'g', result: 'healthy', reason: '' });
    expect(doing(healthy)).toEqual(['undrain']);
    const undrained = here.step({ kind: 'undrained', grantId: 'g', ok: true, reason: '' });
    expect(doing(undrained)).toEqual(['verify']);
    // Not looked at since: what stops it now is its owner.
    see(here, 'stopped', { left: false });
    expect(whose(here)).toBe('its owner’s');
  });

  test('is started at once where there is nothing to drain', () => {
    const here = dead();
    given(here);
    const answers = { ...wellAnswers, ...down };
    delete answers.found;
    expect(doing(here.step({ kind: 'checked', grantId: 'g', answers }))).toEqual(['start']);
  });

  test.each([
    ['it is up again', { state: 'running', instance: another }, /started since/],
    ['it is gone', { state: 'gone', instance: null }, /gone/],
    ['it is opted out', { ...down, optOut: 'by its owner' }, /opted out/],
    ['other settings hold', { ...down, settingsHash: 'other' }, /settings/],
  ] as const)('is refused where %s', (_, answers, reason) => {
    const here = dead();
    given(here);
    here.check('g', answers);
    const { outcome, reason: told } = here.agent.journal.grants.get('g')?.end ?? {};
    expect(outcome).toBe('refused');
    expect(told).toMatch(reason);
  });

  test('is refused where its owner has started and stopped it since', () => {
    const here = dead();
    given(here);
    see(here, 'running', { instance: another });
    see(here, 'stopped', { left: false });
    here.check('g', down);
    expect(here.agent.journal.grants.get('g')?.end).toMatchObject({ outcome: 'refused' });
  });

  test.each([
    ['a freeze', { freezes: ['holidays'] }],
    ['a pause', { pauses: [{ level: 'fleet' }] }],
    ['an exclusion of its host', { excluded: true }],
  ] as const)('does not begin in %s', (_, held) => {
    const here = dead();
    given(here);
    here.record(3, { ...held } as Parameters<AgentScene['record']>[1]);
    here.check('g', down);
    expect(step(here)).toBe('journaled');
    expect(here.agent.journal.grants.get('g')?.end).toMatchObject({ outcome: 'refused' });
  });

  test('an agent that crashes in the middle of it goes on', () => {
    const begun = dead();
    given(begun);
    begun.check('g', down);
    begun.step({ kind: 'drained', grantId: 'g', ok: true, found: 'ready', reason: '' });
    begun.check('g', down);
    begun.crash();
    begun.record(3);
    expect(begun.agent.busy.get('g')).toBe('start');
  });
});
