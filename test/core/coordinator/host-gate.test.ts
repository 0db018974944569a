import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import type { ContainerView, GateAnswer } from '../../../src/core/messages.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const broken: GateAnswer = { ok: false, reason: 'the default route is gone' };
const passes: GateAnswer = { ok: true, reason: '' };
const text = 'the host gate of h1 did not pass: the default route is gone';

const wave = ({ fleet }: Scene) => {
  const [found] = fleet.waves.values();
  if (found === undefined) throw new Error('there is no wave');
  return found;
};
const shown = (here: Scene) =>
  summarizeWave(here.fleet, wave(here), { now: here.now, wall: here.wall });
const fresh = (name: string): ContainerView => view(name, { stale: [] });

/** Two hosts; packages of h1 were changed by somebody else, and its gate did not pass. */
const failing = (): { here: Scene; first: ReturnType<Scene['upgraded']> } => {
  const here = scene([web({ budget: { maxUnavailable: 2 } })], { canaries: 0 }, [
    { id: 'h1' },
    { id: 'h2' },
  ]);
  here.report('h1', observed([fresh('web-1')]));
  here.report('h2', observed([fresh('web-2')]));
  return { here, first: here.upgraded('h1', [view('web-1')], broken) };
};

describe('R29: the host gate after a transaction of others', () => {
  test('one that did not pass pauses the wave before anything of it is granted, and names the host', () => {
    const { here, first } = failing();
    expect(here.grants()).toEqual([]);
    expect(shown(here)).toMatchObject({ state: 'paused', pausedBy: text });
    expect(first.notices).toMatchObject([{ kind: 'paused', waveId: wave(here).id }]);
  });

  test('where nothing became stale, people are told all the same', () => {
    const here = scene([web()]);
    here.report('h1', observed([fresh('web-1')]));
    expect(here.upgraded('h1', [], broken).notices).toEqual([
      { kind: 'alert', waveId: null, text },
    ]);
  });

  test('pauses other waves of the host, and takes back what has not begun there', () => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const [grant] = here.fleet.grants.values();
    expect(here.grants()).toEqual(['h1/web-1']);
    here.upgraded('h1', [], broken);
    expect(shown(here).pausedBy).toBe(text);
    expect(here.fleet.hosts.get('h1')?.voids).toEqual([grant?.id]);
  });

  test('resumed while it does not pass: the answer says so, other hosts go on, and this one waits', () => {
    const { here } = failing();
    here.upgraded('h2', [view('web-2')]);
    const level = { level: 'wave', waveId: wave(here).id } as const;
    const { answer } = here.act({ action: 'resume', level });
    expect(answer).toMatchObject({
      ok: true,
      text: `resumed (wave ${level.waveId}); ${text}; once it does, what waits there goes on`,
    });
    expect(here.grants()).toEqual(['h2/web-2']);
    const why = explainContainer(here.fleet, 'h1/web-1', { now: here.now, wall: here.wall });
    expect(why?.answer).toBe(`waiting: ${text}; it is asked again every few seconds`);
  });

  test('once it passes, what a person has resumed goes on; what is paused waits for that', () => {
    const { here } = failing();
    const level = { level: 'wave', waveId: wave(here).id } as const;
    here.report('h1', observed([view('web-1')], { gate: passes }));
    expect(here.grants()).toEqual([]);
    expect(here.act({ action: 'resume', level }).answer).toMatchObject({
      text: `resumed (wave ${level.waveId})`,
    });
    expect(here.grants()).toEqual(['h1/web-1']);

    const { here: other } = failing();
    other.act({ action: 'resume', level: { level: 'wave', waveId: wave(other).id } });
    other.report('h1', observed([view('web-1')], { gate: broken }));
    expect(other.grants()).toEqual([]);
    expect(shown(other).state).toBe('running');
    other.report('h1', observed([view('web-1')], { gate: passes }));
    expect(other.grants()).toEqual(['h1/web-1']);
  });

  describe.each<[string, (here: Scene) => void]>([
    ['runs nothing old any more', (here) => here.report('h1', observed([fresh('web-1')]))],
    ['is gone', (here) => here.report('h1', observed([fresh('other')]))],
  ])('a wave in which nothing is left to be restarted, since all of it %s,', (_, settle) => {
    const settled = (): { here: Scene; waveId: string } => {
      const { here } = failing();
      settle(here);
      here.step({ kind: 'tick' });
      expect(wave(here).members.get('h1/web-1')?.state).not.toBe('pending');
      return { here, waveId: wave(here).id };
    };

    test('stays paused and says why', () => {
      expect(shown(settled().here)).toMatchObject({ state: 'paused', pausedBy: text });
    });

    test('ends once the gate passes', () => {
      const { here } = settled();
      here.report('h1', observed([], { whole: false, gate: broken }));
      expect(shown(here).state).toBe('paused');
      here.report('h1', observed([], { whole: false, gate: passes }));
      expect(shown(here).state).toBe('finished');
    });

    test('ends when a person resumes or stops it', () => {
      const { here, waveId } = settled();
      here.act({ action: 'resume', level: { level: 'wave', waveId } });
      expect(shown(here).state).toBe('finished');
      const { here: other, waveId: id } = settled();
      other.act({ action: 'stop', waveId: id });
      expect(shown(other).state).toBe('stopped');
    });
  });

  test.each<[string, Scene]>([
    [
      'of a host that it has no part of',
      (() => {
        const here = upgradedScene([web()], { h1: ['web-1'], h2: [] });
        here.upgraded('h2', [], broken);
        return here;
      })(),
    ],
    [
      'that a restart by hand passed over',
      (() => {
        const here = scene([web()]);
        here.report('h1', observed([fresh('web-1')], { gate: broken }));
        here.act({ action: 'restart', containers: ['h1/web-1'], what: 'a test' });
        return here;
      })(),
    ],
  ])('a wave that has paused for something else is not kept by a gate %s', (_, here) => {
    const [id = ''] = here.fleet.grants.keys();
    here.report('h1', ended(id, 'failed', view('web-1', { health: 'unhealthy' })));
    expect(shown(here).state).toBe('paused');
    here.report('h1', {
      ...{ kind: 'restart-finished', grantId: id, outcome: 'done', verification: 'verified' },
      ...{ reason: '', steps: [], container: fresh('web-1') },
    });
    expect(shown(here).state).toBe('finished');
  });

  test('a restart by hand passes it', () => {
    const { here } = failing();
    here.act({ action: 'restart', containers: ['h1/web-1'], what: 'a test' });
    expect(here.grants()).toEqual(['h1/web-1']);
  });

  test('an agent that does not speak of it changes nothing', () => {
    const { here } = failing();
    here.report('h1', observed([view('web-1')]));
    expect(here.fleet.hosts.get('h1')?.gate).toBe(broken.reason);
  });
});
