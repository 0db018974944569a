import { beforeEach, describe, expect, test } from '@jest/globals';
import type { GateBefore } from '../../../src/core/agent/journal.ts';
import type { GateAnswer } from '../../../src/core/messages.ts';
import { followPackages } from '../../../src/workers/agent/follow-packages.ts';
import type { PackageEvents } from '../../../src/workers/agent/follow-packages.ts';
import { agentScene, doing, order } from '../../core/agent/agent-scene.ts';
import type { AgentScene } from '../../core/agent/agent-scene.ts';

const look = (at: number): GateBefore => ({ at, abilities: null, healthy: ['web-1'] });
const passes: GateAnswer = { ok: true, reason: '' };
const broken: GateAnswer = { ok: false, reason: 'the default route is gone' };
const changes = [{ name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2' }];

/** Something that is answered when the test says so. */
const question = <T>() => {
  let answer: (value: T) => void = () => undefined;
  return {
    asked: new Promise<T>((resolve) => (answer = resolve)),
    answer: (v: T) => {
      answer(v);
    },
  };
};
/** Whatever can happen without an answer has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let here: AgentScene;
let packages: PackageEvents;
let looks: ReturnType<typeof question<GateBefore>>[];
let gates: (ReturnType<typeof question<GateAnswer>> & { before: GateBefore | null })[];
let stopping: AbortController;

beforeEach(() => {
  here = agentScene();
  [looks, gates, stopping] = [[], [], new AbortController()];
  packages = followPackages(
    {
      gate: {
        before: () => {
          const one = question<GateBefore>();
          looks.push(one);
          return one.asked;
        },
        ask: (before) => {
          const one = question<GateAnswer>();
          gates.push({ ...one, before });
          return one.asked;
        },
      },
      gateBefore: () => here.agent.journal.gate?.before ?? null,
      knowledge: { scanAll: () => Promise.resolve([]) },
      alert: () => undefined,
    },
    {
      journaled: (event) => {
        here.step(event);
        return Promise.resolve(true);
      },
      observeWhole: () => undefined,
      signal: stopping.signal,
    },
  );
});

const told = (): string[] => here.reports().map(({ kind }) => kind);

describe('the gate of a transaction of others (R29, R30)', () => {
  test('is not asked before what worked up to its first sign is journaled', async () => {
    packages.onOpen();
    const concluded = packages.onTransaction({ changes });
    await settled();
    expect(gates).toEqual([]);
    expect(here.agent.transactionOpen).toBe(true);
    looks[0]?.answer(look(1));
    await settled();
    expect(gates).toMatchObject([{ before: look(1) }]);
    gates[0]?.answer(broken);
    await concluded;
    expect(here.agent.journal.gate).toEqual({ before: look(1), failed: broken.reason });
    expect(here.reports().at(-1)).toMatchObject({ kind: 'host-upgraded', gate: broken });
  });

  test('holds the transaction open, also one that this process never saw open', async () => {
    const concluded = packages.onTransaction({ changes });
    await settled();
    expect(gates).toMatchObject([{ before: null }]);
    here.job('j', [order('g')]);
    expect(doing(here.check('g'))).not.toContain('drain');
    expect(here.agent.waiting.get('g')).toBe('a package transaction is not over yet');
    expect(told()).not.toContain('host-upgraded');
    gates[0]?.answer(passes);
    await concluded;
    expect(here.agent.transactionOpen).toBe(false);
    expect(told()).toContain('host-upgraded');
  });

  test('that is not answered before the agent stops leaves it open, to be told of again', async () => {
    packages.onOpen();
    looks[0]?.answer(look(1));
    const concluded = packages.onTransaction({ changes });
    await settled();
    stopping.abort();
    gates[0]?.answer(broken);
    await expect(concluded).rejects.toThrow('the agent is stopping');
    expect(here.agent.journal.gate).toEqual({ before: look(1), failed: null });
    expect(told()).not.toContain('host-upgraded');
  });
});

describe('what worked before it', () => {
  /** What has changed something, or nothing. */
  const end = {
    transaction: async () => {
      const concluded = packages.onTransaction({ changes });
      await settled();
      gates.at(-1)?.answer(passes);
      await concluded;
    },
    quiet: () => {
      packages.onQuiet();
      return settled();
    },
  };

  test.each(['transaction', 'quiet'] as const)(
    'is looked at once, however many signs there are, and anew for the next: %s',
    async (how) => {
      for (const at of [1, 2]) {
        for (let signs = 0; signs < 3; signs++) packages.onOpen();
        expect(looks).toHaveLength(at);
        looks.at(-1)?.answer(look(at));
        await settled();
        expect(here.agent.journal.gate).toEqual({ before: look(at), failed: null });
        await end[how]();
        expect(here.agent.journal.gate).toBeNull();
        expect(here.agent.transactionOpen).toBe(false);
      }
    },
  );
});
