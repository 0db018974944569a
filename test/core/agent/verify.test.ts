import { describe, expect, test } from '@jest/globals';
import type { GateAnswer, Report } from '../../../src/core/messages.ts';
import { agentScene, doing, order } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

const gate: GateAnswer = { ok: true, reason: '' };
const changes = [{ name: 'lib', arch: 'amd64', source: 'lib', from: '1', to: '2' }];

const opens = (here: AgentScene): void => {
  here.step({ kind: 'transaction', phase: 'open' });
};
const isOver = (here: AgentScene, changed = true): void => {
  here.step({
    ...{ kind: 'transaction', phase: 'over' },
    upgraded: {
      ...{ changes: changed ? changes : [], origin: { by: 'outside' } },
      ...{ containers: [], gate: changed ? gate : null },
    },
  });
};

/** A container that was restarted, and into which is being looked. */
const verifying = (): AgentScene => {
  const here = agentScene();
  here.job('j', [order('g')]);
  here.stopping('g');
  here.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null });
  here.step({
    ...{ kind: 'start-over', grantId: 'g', state: 'running', reason: '' },
    instance: { bootId: 'b', initPid: 200, startTime: '2' },
  });
  here.step({ kind: 'health', grantId: 'g', result: 'healthy', reason: '' });
  const turn = here.step({ kind: 'undrained', grantId: 'g', ok: true, reason: '' });
  expect(doing(turn)).toEqual(['verify']);
  return here;
};

const found = (
  here: AgentScene,
  verification: 'stale' | 'unknown' | 'verified' | 'shadowed',
  transactions = here.agent.journal.transactions,
  atRest = true,
): string[] =>
  doing(
    here.step({
      ...{ kind: 'verified', grantId: 'g', transactions, atRest },
      ...{ verification, container: null },
    }),
  );

const later = (here: AgentScene, ms: number): string[] => {
  here.mono += ms;
  return doing(here.step({ kind: 'tick' }));
};

const ends = (here: AgentScene): unknown[] =>
  here
    .reports()
    .filter(
      (report): report is Extract<Report, { kind: 'restart-finished' }> =>
        report.kind === 'restart-finished' && report.grantId === 'g',
    )
    .map(({ outcome, verification }) => (outcome === 'done' ? verification : outcome));

describe.each(['stale', 'unknown'] as const)('a restart after which it is %s (R30)', (seen) => {
  test('is looked into once more before it counts, and says so meanwhile', () => {
    const here = verifying();
    expect(found(here, seen)).toEqual([]);
    expect(ends(here)).toEqual([]);
    expect(here.agent.waiting.get('g')).toMatch(/after its restart: looked at once more$/);
    expect(later(here, 4_999)).toEqual([]);
    expect(later(here, 1)).toEqual(['verify']);
    found(here, seen);
    expect(ends(here)).toEqual([seen]);
  });

  test('and is well at the second look, ends well', () => {
    const here = verifying();
    found(here, seen);
    later(here, 5_000);
    found(here, 'verified');
    expect(ends(here)).toEqual(['verified']);
  });

  test.each<[string, (here: AgentScene) => void, (here: AgentScene) => void]>([
    ['is open', opens, () => undefined],
    ['was begun by us', (here) => void here.upgrade(), () => undefined],
    ['is noticed right after', () => undefined, opens],
    [
      'is noticed and over before the second look',
      () => undefined,
      (here) => {
        opens(here);
        isOver(here);
      },
    ],
  ])('while a transaction %s, is no failure: nobody can know', (_, before, after) => {
    const here = verifying();
    before(here);
    // An upgrade of ours waits for restarts; one that has failed and is started over it does not wait for.
    here.agent.upgradeBusy = here.agent.journal.upgrades.size > 0;
    found(here, seen);
    after(here);
    if (ends(here).length === 0) {
      later(here, 5_000);
      found(here, seen);
    }
    expect(ends(here)).toEqual(['void']);
    const container = here.reports().findLast(({ kind }) => kind === 'restart-finished');
    expect(container).toMatchObject({ reason: 'packages were changed while it was restarted' });
  });

  test('while packages are not at rest, and nobody has noticed that, is no failure either', () => {
    const here = verifying();
    found(here, seen, 0, false);
    expect(ends(here)).toEqual(['void']);
  });

  test('counts where what looked like a transaction has changed nothing', () => {
    const here = verifying();
    found(here, seen);
    opens(here);
    isOver(here, false);
    later(here, 5_000);
    found(here, seen);
    expect(ends(here)).toEqual([seen]);
  });

  test('is looked into twice again by the next process', () => {
    const here = verifying();
    found(here, seen);
    expect(doing(here.crash())).toEqual(['verify']);
    found(here, seen);
    expect(ends(here)).toEqual([]);
  });
});

test.each(['verified', 'shadowed'] as const)('what is %s is so at any time', (seen) => {
  const here = verifying();
  opens(here);
  found(here, seen);
  expect(ends(here)).toEqual([seen]);
});

test('an answer about what a transaction has changed since counts for nothing', () => {
  const here = verifying();
  opens(here);
  isOver(here);
  expect(found(here, 'verified', 0)).toEqual(['verify']);
  expect(ends(here)).toEqual([]);
  found(here, 'verified');
  expect(ends(here)).toEqual(['verified']);
});
