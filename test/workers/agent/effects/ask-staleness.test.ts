import { describe, expect, test } from '@jest/globals';
import type { CheckPurpose } from '../../../../src/core/agent/agent.ts';
import type { AgentGrant } from '../../../../src/core/agent/journal.ts';
import type { GrantOrder } from '../../../../src/core/messages.ts';
import type { ContainerScan } from '../../../../src/core/observation.ts';
import { askStaleness } from '../../../../src/workers/agent/effects/ask-staleness.ts';
import { createKnowledge } from '../../../../src/workers/agent/knowledge.ts';
import { order } from '../../../core/agent/agent-scene.ts';
import { createFakeHost } from '../../../integration/agent/fake-host.ts';

type Answer = 'stale' | 'fresh' | 'unknown';

interface Case {
  /** What the last scan found, or none of this instance. */
  known: 'stale' | 'fresh' | 'of another life' | null;
  /** Whether one of the processes that it found stale still is. */
  still?: boolean;
  /** What a whole scan finds now. */
  now?: Answer;
  purpose?: CheckPurpose;
  drains?: boolean;
  order?: Partial<GrantOrder>;
}

/** Answers with what was looked at for it. */
const ask = async (given: Case): Promise<{ answer: Answer; looks: string[] }> => {
  const fake = createFakeHost(['web-1']);
  const looks: string[] = [];
  const { scan } = fake.host;
  fake.drains = given.drains ?? false;
  const instance = fake.instance('web-1');
  const otherLife = { ...instance, startTime: '0' };
  const fresh = await scan.one('web-1');
  fake.replaceLibrary();
  const stale = await scan.one('web-1');
  const results: Record<Answer, ContainerScan> = {
    ...{ stale, fresh },
    unknown: { ...fresh, unreadable: [{ what: 'process 1', reason: 'EACCES' }] },
  };
  const host = {
    ...fake.host,
    scan: {
      ...scan,
      one: () => {
        looks.push('whole');
        return Promise.resolve(results[given.now ?? 'fresh']);
      },
      stillStale: () => {
        looks.push('its stale processes');
        return Promise.resolve(given.still ?? false);
      },
    },
  };
  const knowledge = createKnowledge(scan, () => null);
  knowledge.setList(await host.runtime.list());
  if (given.known === 'of another life') knowledge.setScan({ ...stale, instance: otherLife });
  else if (given.known !== null) knowledge.setScan(results[given.known]);
  const grant = {
    order: order('g1', { expect: { kind: 'instance', instance }, ...given.order }),
  } as AgentGrant;
  const answer = await askStaleness(
    { host, knowledge },
    { kind: 'check', grant, purpose: given.purpose ?? 'stop' },
  );
  return { answer, looks };
};

const quick = ['its stale processes'];
const both = ['its stale processes', 'whole'];

describe('whether a container is stale when its stop is near (I3)', () => {
  test.each<[string, Case, Answer, string[]]>([
    ['one process that still is settles it', { known: 'stale', still: true }, 'stale', quick],
    ['none that still is settles nothing', { known: 'stale', still: false }, 'fresh', both],
    [
      'and others may have become so',
      { known: 'stale', still: false, now: 'stale' },
      'stale',
      both,
    ],
    ['what cannot be read is neither', { known: 'stale', now: 'unknown' }, 'unknown', both],
    ['another life says nothing', { known: 'of another life', still: true }, 'fresh', ['whole']],
    ['nor does a scan that found nothing', { known: 'fresh', now: 'stale' }, 'stale', ['whole']],
    ['nor none at all', { known: null, now: 'stale' }, 'stale', ['whole']],
    [
      'before a drain the last scan will do',
      { known: 'stale', purpose: 'begin', drains: true },
      'stale',
      [],
    ],
    ['but not where nothing is drained', { known: 'stale', purpose: 'begin' }, 'fresh', both],
    ['nor after the drain', { known: 'stale', purpose: 'stop', drains: true }, 'fresh', both],
    [
      'what is asked for by hand is not looked at',
      { known: 'fresh', order: { byHand: true } },
      'stale',
      [],
    ],
    ['nor a stop that had begun (R24)', { known: 'fresh', purpose: 'stop-again' }, 'stale', []],
  ])('%s', async (_, given, answer, looks) => {
    expect(await ask(given)).toEqual({ answer, looks });
  });
});
