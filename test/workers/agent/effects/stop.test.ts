import { beforeEach, expect, test } from '@jest/globals';
import type { AgentEvent } from '../../../../src/core/agent/agent.ts';
import type { AgentGrant } from '../../../../src/core/agent/journal.ts';
import { awaitStrayStop, stop } from '../../../../src/workers/agent/effects/stop.ts';
import { agentScene, order } from '../../../core/agent/agent-scene.ts';
import { createFakeHost } from '../../../integration/agent/fake-host.ts';
import type { FakeHost } from '../../../integration/agent/fake-host.ts';

let fake: FakeHost;
let told: AgentEvent['kind'][];
const life = { tell: ({ kind }: AgentEvent) => told.push(kind) };
const alert = (text: string): never => {
  throw new Error(text);
};

beforeEach(() => {
  fake = createFakeHost(['web-1']);
  told = [];
});

const grant = (child: AgentGrant['child'] = null): AgentGrant => {
  const here = agentScene();
  here.job('j', [order('g')]);
  const found = here.agent.journal.grants.get('g');
  if (found === undefined) throw new Error('the grant is not held');
  return { ...found, child };
};

test('the pid of a stop is told in the tick in which it begins, long before its end (R23)', async () => {
  const stopping = stop({ host: fake.host, alert }, grant(), life);
  expect(told).toEqual(['child']);
  await stopping;
  expect(told).toEqual(['child', 'stop-over']);
});

test('a stop that the journal names and that nobody sees at work is waited for, and ended if it does not end (R24)', async () => {
  const child = { pid: 7, startTime: '7' };
  const done: string[] = [];
  const stops = {
    atWork: () => [],
    ended: ({ pid }: { pid: number }) => Promise.resolve(done.push(`wait for ${pid}`) < 0),
    end: ({ pid }: { pid: number }) => Promise.resolve(void done.push(`end ${pid}`)),
  };
  await awaitStrayStop({ host: { ...fake.host, stops }, alert }, grant(child), life);
  expect(done).toEqual(['wait for 7', 'end 7']);
  expect(told).toEqual(['stop-over']);
});
