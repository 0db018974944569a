import { describe, expect, test } from '@jest/globals';
import { bootAgent } from '../../../src/core/agent/agent.ts';
import { agentScene, order } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

/** An agent of whose reports all were acknowledged; `snapshot` puts the journal back as it is now, under a new process. */
const withSnapshot = (): { here: AgentScene; putBack: () => void } => {
  const here = agentScene();
  here.job('j', [order('g')]);
  here.record(3, { ackedSeq: here.agent.journal.lastSeq });
  const journal = structuredClone(here.agent.journal);
  return {
    here,
    putBack: () => {
      here.agent = bootAgent(structuredClone(journal));
      here.step({ kind: 'booted' });
    },
  };
};

const tellUntil = (here: AgentScene, seq: number): void => {
  while (here.agent.journal.lastSeq < seq)
    here.step({ kind: 'copies-wanted', copies: [{ seq: 1, record: {}, hash: 'x' }] });
};

describe('R15: a journal that was rolled back', () => {
  test('is known by what was acknowledged, also once it has reached the same numbers', () => {
    const { here, putBack } = withSnapshot();
    const { lastSeq } = here.agent.journal;
    putBack();
    tellUntil(here, lastSeq + 9);
    const turn = here.record(9, { ackedSeq: lastSeq + 1 });
    expect(here.agent.journal).toMatchObject({ incarnation: 'life-2', settled: false, lastSeq: 0 });
    expect(turn.audits).toMatchObject([
      { action: 'incarnation-begun', details: { incarnation: 'life-2' } },
    ]);
    expect(turn.effects).toEqual([{ kind: 'observe', container: null }]);
  });

  test('is known by a record that is not the newest one heard, too', () => {
    const { here, putBack } = withSnapshot();
    const { lastSeq } = here.agent.journal;
    putBack();
    tellUntil(here, lastSeq + 9);
    here.record(2, { ackedSeq: lastSeq + 1 });
    expect(here.agent.journal).toMatchObject({ incarnation: 'life-2', highestRecord: [1, 1, 3] });
  });

  test('is none where all that was acknowledged stood in it when it was found', () => {
    const { here, putBack } = withSnapshot();
    const { lastSeq } = here.agent.journal;
    putBack();
    tellUntil(here, lastSeq + 9);
    here.record(9, { ackedSeq: lastSeq });
    expect(here.agent.journal).toMatchObject({ incarnation: 'life-1', lastSeq: lastSeq + 9 });
  });

  test('is none where what this process has told since is acknowledged', () => {
    const { here, putBack } = withSnapshot();
    const { lastSeq } = here.agent.journal;
    putBack();
    here.record(9, { ackedSeq: lastSeq });
    tellUntil(here, lastSeq + 9);
    here.record(10, { ackedSeq: lastSeq + 9 });
    expect(here.agent.journal.incarnation).toBe('life-1');
    expect(here.reports()).toEqual([]);
  });

  test('nothing is told before a record was read', () => {
    const { here, putBack } = withSnapshot();
    const { lastSeq } = here.agent.journal;
    putBack();
    expect(here.agent.foundSeq).toBe(lastSeq);
    here.record(9, { incarnation: null });
    expect(here.agent.foundSeq).toBeNull();
  });
});
