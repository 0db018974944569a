import { describe, expect, test } from '@jest/globals';
import { agentScene, doing, instance, order } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

const before = instance.bootId;
const after = 'the boot after it';

/** What the agent sees of web-1 in one boot of its host. */
const see = (here: AgentScene, state: 'running' | 'stopped', bootId: string): void => {
  const seen = state === 'running' ? { ...instance, bootId } : null;
  here.step({ kind: 'observed', name: 'web-1', state, instance: seen, identity: null, bootId });
};

const blamed = (here: AgentScene): boolean | undefined =>
  here.agent.journal.containers.get('web-1')?.ownerStopped;

describe('a host that was booted anew (R25)', () => {
  test('control: what goes down within one boot is its owner’s doing', () => {
    const here = agentScene();
    see(here, 'running', before);
    see(here, 'stopped', before);
    expect(blamed(here)).toBe(true);
  });

  test('what went down with the host is nobody’s, also at the next look', () => {
    const here = agentScene();
    see(here, 'running', before);
    here.crash();
    see(here, 'stopped', after);
    see(here, 'stopped', after);
    expect(blamed(here)).toBe(false);
  });

  test('its owner’s stop before that is still its owner’s', () => {
    const here = agentScene();
    see(here, 'running', before);
    see(here, 'stopped', before);
    here.crash();
    see(here, 'stopped', after);
    expect(blamed(here)).toBe(true);
  });

  test('its owner’s stop after that is its owner’s again', () => {
    const here = agentScene();
    see(here, 'running', before);
    here.crash();
    see(here, 'stopped', after);
    see(here, 'running', after);
    see(here, 'stopped', after);
    expect(blamed(here)).toBe(true);
  });

  test('what we had stopped is started, whether the new boot has started it or not', () => {
    for (const state of ['running', 'stopped'] as const) {
      const here = agentScene();
      here.job('j', [order('g')]);
      here.stopping('g');
      here.crash();
      const seen = state === 'running' ? { ...instance, bootId: after } : null;
      const found = { state, instance: seen };
      const next = here.step({ kind: 'stop-over', grantId: 'g', ...found });
      expect(doing(state === 'running' ? here.check('g', found) : next)).toEqual(
        state === 'running' ? ['watch-health'] : ['start'],
      );
    }
  });
});
