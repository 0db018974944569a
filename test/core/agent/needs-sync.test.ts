import { describe, expect, test } from '@jest/globals';
import { needsSync } from '../../../src/core/agent/needs-sync.ts';
import type { AgentTurn } from '../../../src/core/agent/step.ts';
import { agentScene, instance, order, wellAnswers } from './agent-scene.ts';

/** A restart without its job, each turn with what it was. */
const restart = (found: string | undefined): [string, AgentTurn][] => {
  const here = agentScene();
  const after = { ...instance, initPid: 200 };
  const answers = { ...wellAnswers };
  delete answers.found;
  if (found !== undefined) answers.found = found;
  const turns: [string, AgentTurn][] = [
    ['job', here.job('j', [order('g')])],
    ['begin', here.step({ kind: 'checked', grantId: 'g', answers })],
  ];
  if (found !== undefined) {
    turns.push([
      'drained',
      here.step({ kind: 'drained', grantId: 'g', ok: true, found, reason: '' }),
    ]);
    turns.push(['stop', here.check('g')]);
  }
  turns.push(
    ['child', here.step({ kind: 'child', grantId: 'g', child: { pid: 7, startTime: '9' } })],
    ['stop-over', here.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null })],
    [
      'start-over',
      here.step({
        kind: 'start-over',
        grantId: 'g',
        state: 'running',
        instance: after,
        reason: '',
      }),
    ],
    ['health', here.step({ kind: 'health', grantId: 'g', result: 'healthy', reason: '' })],
  );
  if (found !== undefined)
    turns.push(['undrained', here.step({ kind: 'undrained', grantId: 'g', ok: true, reason: '' })]);
  turns.push([
    'verified',
    here.step({
      ...{ kind: 'verified', grantId: 'g', transactions: here.agent.journal.transactions },
      ...{ verification: 'verified', atRest: true, container: null },
    }),
  ]);
  return turns;
};

const synced = (turns: [string, AgentTurn][]): string[] =>
  turns.filter(([, { sync }]) => sync).map(([what]) => what);

describe('R23: what must be on disk before it is done', () => {
  test('the intent and the end of a restart without a drain', () => {
    expect(synced(restart(undefined))).toEqual(['begin', 'verified']);
  });

  test('each step that a load balancer sees, too', () => {
    expect(synced(restart('ready'))).toEqual([
      'begin',
      'drained',
      'stop',
      'health',
      'undrained',
      'verified',
    ]);
  });

  test('an upgrade, a failure and whatever an auditor reads', () => {
    const here = agentScene();
    expect(here.upgrade().sync).toBe(true);
    here.crash();
    const other = agentScene();
    other.job('j', [order('g')]);
    other.stopping('g');
    other.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null });
    const failed = other.step({
      ...{ kind: 'start-over', grantId: 'g', state: 'stopped', instance: null },
      reason: 'no room',
    });
    expect(failed.audits).toHaveLength(1);
    expect(failed.sync).toBe(true);
  });

  test('nothing that takes out of service goes unsynced, whatever the event', () => {
    const grant = agentScene().agent.journal.grants;
    for (const kind of ['drain', 'stop', 'await-stray-stop', 'undrain'] as const)
      for (const event of ['job', 'stop-over', 'start-over', 'health'] as const)
        expect(
          needsSync({ kind: event } as Parameters<typeof needsSync>[0], {
            audits: [],
            effects: [{ kind, grant } as unknown as AgentTurn['effects'][number]],
          }),
        ).toBe(true);
  });
});
