import { describe, expect, test } from '@jest/globals';
import type { GateBefore } from '../../../src/core/agent/journal.ts';
import type { GateAnswer } from '../../../src/core/messages.ts';
import { agentScene, doing, order } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

const change = { name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2' };
const before = (at: number, healthy = ['web-1']): GateBefore => ({
  ...{ at, healthy },
  abilities: { network: true, dns: true },
});
const broken: GateAnswer = { ok: false, reason: 'the default route is gone' };
const passes: GateAnswer = { ok: true, reason: '' };

const open = (here: AgentScene, at = 1): void => {
  here.step({ kind: 'transaction', phase: 'open' });
  here.step({ kind: 'gate-before', before: before(at) });
};
const over = (here: AgentScene, gate: GateAnswer | null, changes = [change]) =>
  here.step({
    kind: 'transaction',
    phase: 'over',
    upgraded: { changes, origin: { by: 'outside' }, containers: [], gate },
  });
const failing = (): AgentScene => {
  const here = agentScene();
  open(here);
  over(here, broken);
  return here;
};
const ask = (here: AgentScene, gate: GateAnswer) => {
  here.mono += 5_000;
  here.record(Math.round(here.mono / 1_000) + 10);
  return here.step({ kind: 'gate', gate });
};

describe('the host gate after a transaction of others (R29, R30)', () => {
  test('what it said stands in the report and in the audit', () => {
    const here = agentScene();
    open(here);
    const { audits } = over(here, broken);
    expect(here.reports().at(-1)).toMatchObject({ kind: 'host-upgraded', gate: broken });
    expect(audits[0]?.details).toMatchObject({ gate: broken.reason });
  });

  test('one that did not pass holds what was granted, until it passes', () => {
    const here = failing();
    here.job('j', [order('g')]);
    expect(doing(here.check('g'))).not.toContain('drain');
    expect(here.agent.waiting.get('g')).toBe(
      'the host gate does not pass: the default route is gone',
    );
    const turn = ask(here, passes);
    expect(turn.audits).toMatchObject([{ action: 'gate-passed', details: { was: broken.reason } }]);
    expect(turn.effects).toContainEqual({ kind: 'observe', container: null });
    here.mono += 1_000;
    here.step({ kind: 'tick' });
    expect(doing(here.check('g'))).toContain('drain');
  });

  test('a person may restart a container all the same', () => {
    const here = failing();
    here.job('j', [order('g', { byHand: true })]);
    expect(doing(here.check('g'))).toContain('drain');
  });

  test('it is asked at once, then every 5 s, with what worked before', () => {
    const here = agentScene();
    open(here);
    const asked = { kind: 'ask-gate', before: before(1) };
    expect(over(here, broken).effects).toContainEqual(asked);
    here.step({ kind: 'gate', gate: broken });
    here.mono += 4_999;
    expect(here.step({ kind: 'tick' }).effects).not.toContainEqual(asked);
    here.mono += 1;
    expect(here.step({ kind: 'tick' }).effects).toContainEqual(asked);
    expect(here.step({ kind: 'tick' }).effects).not.toContainEqual(asked);
  });

  test('a crash forgets neither that it did not pass, nor what worked before', () => {
    const here = failing();
    expect(here.crash().effects).toContainEqual({ kind: 'ask-gate', before: before(1) });
    const other = agentScene();
    open(other);
    other.crash();
    open(other, 2);
    expect(other.agent.journal.gate).toEqual({ before: before(1), failed: null });
  });

  test('while it does not pass, another transaction changes nothing of what it is compared with', () => {
    const here = failing();
    open(here, 9_000_000);
    over(here, { ok: false, reason: 'no name is resolved' });
    expect(here.agent.journal.gate).toEqual({ before: before(1), failed: 'no name is resolved' });
    open(here, 9_000_001);
    over(here, null, []);
    expect(here.agent.journal.gate?.failed).toBe('no name is resolved');
  });

  test('a transaction may take hours, and a crash: what worked before it counts', () => {
    const here = agentScene();
    open(here);
    here.crash();
    open(here, 9_000_000);
    expect(here.agent.journal.gate).toEqual({ before: before(1), failed: null });
  });

  test('what one left that nobody saw the end of ends when the next process finds nothing changed', () => {
    const here = agentScene();
    open(here);
    here.crash();
    over(here, null, []);
    open(here, 2);
    expect(here.agent.journal.gate).toEqual({ before: before(2), failed: null });
  });

  test('one that changed nothing asks no gate, and leaves nothing', () => {
    const here = agentScene();
    open(here);
    over(here, null, []);
    expect(here.agent.journal.gate).toBeNull();
    here.step({ kind: 'gate-before', before: before(2) });
    expect(here.agent.journal.gate).toBeNull();
  });

  test('each observation says how it stands', () => {
    const here = failing();
    const look = (): unknown => {
      here.step({
        kind: 'host-observed',
        observed: {
          ...{ whole: true, containers: [], settingsHashes: {}, atRest: true, atRestReason: '' },
          ...{
            rebootRequired: [],
            staleHostProcesses: [],
            platform: '',
            agentStale: false,
            problems: [],
          },
        },
      });
      return here.reports().at(-1);
    };
    expect(look()).toMatchObject({ gate: broken });
    ask(here, passes);
    expect(look()).toMatchObject({ gate: passes });
  });
});

describe('the host gate around an upgrade of ours (R29)', () => {
  const finished = (gate: GateAnswer, changes = [change]) => ({
    ...{ ok: true, reason: '', remedy: '', changes, transcript: '', gate },
  });
  const upgradeOver = (here: AgentScene, gate: GateAnswer, jobId = 'u') =>
    here.step({ kind: 'upgrade-over', jobId, finished: finished(gate), containers: [] });
  const upgrading = (): AgentScene => {
    const here = agentScene();
    here.upgrade();
    here.step({ kind: 'gate-before', before: before(1) });
    return here;
  };

  test('what worked before it is kept through a crash and looks in its middle, however late', () => {
    const here = upgrading();
    here.crash();
    here.step({ kind: 'gate-before', before: before(2, []) });
    expect(here.agent.journal.gate).toEqual({ before: before(1), failed: null });
  });

  test('what looked like a transaction of others beside it, and changed nothing, leaves it that', () => {
    const here = upgrading();
    open(here, 2);
    over(here, null, []);
    expect(here.agent.journal.gate).toEqual({ before: before(1), failed: null });
    upgradeOver(here, broken);
    expect(here.agent.journal.gate).toEqual({ before: before(1), failed: broken.reason });
  });

  test('its answer counts also where a journal that was rolled back does not know it', () => {
    const here = agentScene();
    upgradeOver(here, broken, 'forgotten');
    expect(here.agent.journal.gate?.failed).toBe(broken.reason);
    expect(here.reports().map(({ kind }) => kind)).not.toContain('upgrade-finished');
    upgradeOver(here, passes, 'forgotten');
    expect(here.agent.journal.gate).toBeNull();
  });
});

describe('an answer that was asked for before something else began', () => {
  test.each<[string, (here: AgentScene) => void]>([
    ['a transaction of others', (here) => open(here, 2)],
    ['an upgrade of ours', (here) => here.upgrade()],
  ])('lets nothing pass: %s', (_, begin) => {
    const here = failing();
    begin(here);
    const { audits, effects } = ask(here, passes);
    expect(here.agent.journal.gate).toEqual({ before: before(1), failed: broken.reason });
    expect(audits).toEqual([]);
    expect(effects).not.toContainEqual({ kind: 'observe', container: null });
  });

  test('lets nothing pass when that is over by then, with a gate that did not pass', () => {
    const here = failing();
    open(here, 2);
    over(here, { ok: false, reason: 'no name is resolved' });
    ask(here, passes);
    expect(here.agent.journal.gate?.failed).toBe('no name is resolved');
    here.mono += 5_000;
    here.step({ kind: 'tick' });
    ask(here, passes);
    expect(here.agent.journal.gate).toBeNull();
  });

  test('says nothing of it either, and the gate is asked again when that is over', () => {
    const here = failing();
    open(here, 2);
    ask(here, { ok: false, reason: 'half of it is there' });
    expect(here.agent.journal.gate?.failed).toBe(broken.reason);
    here.mono += 5_000;
    expect(over(here, null, []).effects).toContainEqual({ kind: 'ask-gate', before: before(1) });
  });
});
