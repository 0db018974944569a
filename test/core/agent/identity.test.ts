import { describe, expect, test } from '@jest/globals';
import { agentScene, instance, order } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

const see = (here: AgentScene, state: 'running' | 'stopped', identity: string | null): void => {
  here.step({
    ...{ kind: 'observed', name: 'web-1', state, identity, bootId: instance.bootId },
    instance: state === 'running' ? instance : null,
  });
};
const known = (here: AgentScene) => here.agent.journal.containers.get('web-1');

describe('a container that is destroyed and made anew under its name within one look (R18, R25)', () => {
  test.each<[string, string | null, string | null, boolean]>([
    ['the same one, stopped', 'a', 'a', true],
    ['another one', 'a', 'b', false],
    ['nobody can tell', null, null, true],
    ['not known before', null, 'b', true],
    ['not told now', 'a', null, true],
  ])('%s: is its owner’s stop or not', (_, before, after, ownerStopped) => {
    const here = agentScene();
    see(here, 'running', before);
    see(here, 'stopped', after);
    expect(known(here)).toMatchObject({
      ...{ instance: null, identity: after ?? before, ownerStopped },
    });
    see(here, 'stopped', after);
    expect(known(here)?.ownerStopped).toBe(ownerStopped);
  });

  test('one that its owner had stopped, too', () => {
    const here = agentScene();
    see(here, 'running', 'a');
    see(here, 'stopped', 'a');
    see(here, 'stopped', 'b');
    expect(known(here)?.ownerStopped).toBe(false);
  });

  test('its grants are gone with the former one, one that we had stopped among them', () => {
    const here = agentScene();
    see(here, 'running', 'a');
    here.job('j', [order('g')]);
    here.stopping('g');
    here.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null });
    see(here, 'stopped', 'b');
    expect(here.agent.journal.grants.get('g')?.end).toMatchObject({ outcome: 'gone' });
    // What was begun for the former one answers to nobody.
    here.step({ kind: 'start-over', grantId: 'g', state: 'running', instance, reason: '' });
    expect(here.reports().at(-1)).toMatchObject({ kind: 'restart-finished', outcome: 'gone' });
  });
});
