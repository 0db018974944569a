import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentTurn } from '../../../src/core/agent/step.ts';
import type { UpgradeFinished } from '../../../src/core/messages.ts';
import { agentScene, doing, order } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

const change = { name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2' };

let here: AgentScene;
beforeEach(() => {
  here = agentScene();
});

/** The upgrade that is at work comes to this end. */
const ends = (more: Partial<UpgradeFinished> = {}): AgentTurn =>
  here.step({
    ...{ kind: 'upgrade-over', jobId: 'u', containers: [] },
    finished: {
      ...{ ok: false, reason: 'No space left on device', remedy: 'free space', code: 'disk-full' },
      ...{ changes: [], transcript: '', gate: { ok: true, reason: '' } },
      ...more,
    },
  });
const room = (jobId = 'u'): AgentTurn => here.step({ kind: 'room', jobId });
const told = (kind: string): unknown[] => here.reports().filter((report) => report.kind === kind);
const voids = (): unknown[] =>
  told('restart-finished').map((report) => {
    const { grantId, outcome, reason } = report as Record<string, unknown>;
    return [grantId, outcome, reason];
  });
const awaited = ({ effects }: AgentTurn): number | null =>
  effects.find((one) => one.kind === 'await-room')?.everyMs ?? null;

describe('an upgrade that finds no room on a disk (R29)', () => {
  test('has not failed: it waits, says for what, and is given back to be ordered anew once there is room', () => {
    here.upgrade();
    const turn = ends();
    expect(doing(turn)).toEqual(['await-room']);
    expect(here.agent.waiting.get('ug')).toMatch(
      /^no room on a disk of this host: No space left on device; it goes on by itself/,
    );
    expect([told('upgrade-finished'), voids()]).toEqual([[], []]);
    expect(doing(here.record(3))).toEqual([]);
    room('another');
    expect(voids()).toEqual([]);
    room();
    expect(voids()).toEqual([['ug', 'void', 'there was no room on a disk of this host']]);
    expect(here.agent.journal.upgrades.get('u')).toMatchObject({ end: { outcome: 'void' } });
  });

  test('has an outcome in the trail, and tells what it has changed', () => {
    here.upgrade();
    const { audits } = ends({ changes: [change] });
    expect(audits).toMatchObject([{ action: 'upgrade-ended', grantId: 'ug', outcome: 'failed' }]);
    expect(audits[0]?.details).toMatchObject({ changes: ['libssl3:amd64 1 -> 2'] });
    expect(told('host-upgraded')).toMatchObject([{ changes: [change], transaction: 1 }]);
  });

  test('that is asked back since it had to be over by then is not answered before there is room', () => {
    here.upgrade();
    ends();
    here.mono += 40_000;
    here.record(3, { voids: ['ug'] });
    expect(voids()).toEqual([]);
    room();
    expect(voids()).toHaveLength(1);
    // Whatever comes, it is never begun again by this order (R20).
    expect(doing(here.record(4))).toEqual([]);
  });

  test.each<[string, Parameters<AgentScene['record']>[1], string]>([
    ['a pause', { pauses: [{ level: 'fleet' }] }, 'the fleet is paused: groundswell resume'],
    ['a freeze', { freezes: ['sale'] }, 'freeze: sale; groundswell unfreeze'],
    ['its host is excluded', { excluded: true }, 'this host is excluded'],
    ['it is asked back', { voids: ['ug'] }, 'taken back by the server'],
  ])('is given back at once where nothing would order it anew: %s', (_, record, reason) => {
    here.upgrade();
    ends();
    here.record(3, record);
    expect(voids()).toEqual([['ug', 'void', reason]]);
    expect(room().audits).toEqual([]);
  });

  test('is given back before its deadline, past which it would count as one that does not answer (R20)', () => {
    here.upgrade();
    ends();
    // Server time 2,000,000 is its deadline.
    here.mono += 939_000;
    here.record(3);
    expect(voids()).toEqual([]);
    here.mono += 1_000;
    here.record(4);
    expect(voids()).toEqual([['ug', 'void', 'there is still no room on a disk of this host']]);
  });

  test('is given back by the next process, which does not know what room there was', () => {
    here.upgrade();
    ends();
    const turn = here.crash();
    expect(doing(turn)).toEqual([]);
    expect(voids()).toHaveLength(1);
  });

  test('holds restarts of its host meanwhile, as any that waits', () => {
    here.upgrade();
    ends();
    expect(doing(here.job('j', [order('g')]))).toEqual([]);
    expect(here.agent.waiting.get('g')).toBe('an upgrade of this host comes first');
    expect(doing(room())).toEqual([]);
    expect(doing(here.step({ kind: 'tick' }))).toEqual(['check begin']);
  });

  test('is looked for less often the more of them find none, until one does', () => {
    const pauses: (number | null)[] = [];
    const again = (): void => {
      here.agent.journal.upgrades.delete('u');
      here.agent.journal.jobs.delete('u');
      here.upgrade();
    };
    here.upgrade();
    for (let n = 0; n < 9; n++) {
      pauses.push(awaited(ends()));
      room();
      again();
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600].map((s) => s * 1_000));
    ends({ ok: true, code: undefined });
    again();
    expect(awaited(ends())).toBe(5_000);
  });
});

test('one that fails for another reason has failed', () => {
  here.upgrade();
  expect(doing(ends({ code: 'package-failed' }))).toEqual([]);
  expect(told('upgrade-finished')).toMatchObject([{ ok: false, code: 'package-failed' }]);
});
