import { beforeEach, expect, test } from '@jest/globals';
import type { CheckAnswers } from '../../../../src/core/agent/agent.ts';
import { check } from '../../../../src/workers/agent/effects/check.ts';
import { createKnowledge } from '../../../../src/workers/agent/knowledge.ts';
import { agentScene, order } from '../../../core/agent/agent-scene.ts';
import { createFakeHost } from '../../../integration/agent/fake-host.ts';
import type { FakeHost } from '../../../integration/agent/fake-host.ts';

let fake: FakeHost;
/** What happens on the host while the control record is read. */
let meanwhile: () => void;
/** Why the control record cannot be read. */
let unread: string | null;

beforeEach(() => {
  fake = createFakeHost(['web-1']);
  [meanwhile, unread] = [() => undefined, null];
});

/** The answers of the last check before a stop. */
const answers = async (): Promise<CheckAnswers> => {
  const here = agentScene();
  const expected = { kind: 'instance', instance: fake.instance('web-1') } as const;
  here.job('j', [order('g', { expect: expected })]);
  const grant = here.agent.journal.grants.get('g');
  if (grant === undefined) throw new Error('the grant is not held');
  const told: CheckAnswers[] = [];
  await check(
    {
      ...{ host: fake.host, clock: { monoMs: () => 0, wallMs: () => 0, newId: () => 'id' } },
      ...{ knowledge: createKnowledge(fake.host.scan, () => null), holdBack: () => null },
      hearRecord: () => {
        meanwhile();
        return Promise.resolve(unread);
      },
    },
    { kind: 'check', grant, purpose: 'stop' },
    {
      tell: (event) => {
        if (event.kind === 'checked') told.push(event.answers);
      },
    },
  );
  if (told[0] === undefined) throw new Error('the check told nothing');
  return told[0];
};

test('all is well', async () => {
  expect(await answers()).toMatchObject({ state: 'running', atRest: { ok: true } });
});

test('a record that cannot be read now permits nothing, however young the last one is (R13)', async () => {
  unread = 'the control record cannot be read: Redis is away';
  expect((await answers()).atRest).toEqual({ ok: false, reason: unread });
});

test('what others may change at any moment is looked at last (R21)', async () => {
  meanwhile = () => {
    fake.atRest = { ok: false, reason: 'apt holds its lock' };
    fake.ownerStops('web-1');
  };
  expect(await answers()).toMatchObject({
    ...{ state: 'stopped', instance: null },
    atRest: { ok: false, reason: 'apt holds its lock' },
  });
});
