import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentTurn } from '../../../../src/core/agent/step.ts';
import type { GateBefore } from '../../../../src/core/agent/journal.ts';
import type { ControlRecord, GateAnswer, UpgradeFinished } from '../../../../src/core/messages.ts';
import { runUpgrade } from '../../../../src/workers/agent/effects/run-upgrade.ts';
import { agentScene, doing } from '../../../core/agent/agent-scene.ts';
import type { AgentScene } from '../../../core/agent/agent-scene.ts';

const look = (at: number): GateBefore => ({ at, abilities: null, healthy: ['web-1'] });
const passes: GateAnswer = { ok: true, reason: '' };
const broken: GateAnswer = { ok: false, reason: 'the default route is gone' };
const change = { name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2' };
const done = { ok: true, reason: '', remedy: '', changes: [change], transcript: '' };

let here: AgentScene;
/** What was done on the host, in order; each may be given more to do. */
let log: string[];
let during: Partial<Record<'suspend' | 'look' | 'upgrade' | 'resume', () => void>>;
let over: AbortController;
let asked: (GateBefore | null)[];
let answer: GateAnswer;
/** What is found of an upgrade that a former life began. */
let found: typeof done | null;

/** The upgrade that core has just ordered, on a host where each look is later than the one before. */
const carryOut = async ({ effects }: AgentTurn): Promise<void> => {
  const effect = effects.find((one) => one.kind === 'run-upgrade');
  if (effect === undefined) throw new Error('no upgrade was ordered');
  const step = async (name: keyof typeof during): Promise<number> => {
    const at = log.push(name);
    during[name]?.();
    return Promise.resolve(at);
  };
  await runUpgrade(
    {
      packageWatch: {
        suspend: () => step('suspend').then(() => undefined),
        resume: () => step('resume').then(() => undefined),
      },
      gate: {
        beforeOurs: () => step('look').then(look),
        ask: (before) => {
          asked.push(before);
          return Promise.resolve(answer);
        },
      },
      gateBefore: () => here.agent.journal.gate?.before ?? null,
      host: {
        packages: {
          upgrade: () => step('upgrade').then(() => done),
          findUpgrade: () => Promise.resolve(found),
        },
      },
      knowledge: { scanAll: () => Promise.resolve([]) },
      alert: (text) => log.push(text),
    },
    effect,
    { tell: here.step, signal: over.signal },
  );
};
const finished = (): UpgradeFinished | undefined =>
  here.reports().find((report) => report.kind === 'upgrade-finished');
/** A transaction of others is over, and its gate passed. */
const othersEnd = (): void => {
  here.step({ kind: 'transaction', phase: 'open' });
  here.step({
    ...{ kind: 'transaction', phase: 'over' },
    upgraded: { changes: [change], origin: { by: 'outside' }, containers: [], gate: passes },
  });
};

beforeEach(() => {
  here = agentScene();
  over = new AbortController();
  [log, during, asked, answer, found] = [[], {}, [], passes, null];
});

describe('what worked before an upgrade of ours (R29)', () => {
  test('is looked at right before it begins, journaled, and what its gate is compared with', async () => {
    during.upgrade = () => {
      expect(here.agent.journal.gate).toEqual({ before: look(2), failed: null });
    };
    answer = broken;
    await carryOut(here.upgrade());
    expect(log).toEqual(['suspend', 'look', 'upgrade', 'resume']);
    expect(asked).toEqual([look(2)]);
    expect(finished()).toMatchObject({ ok: true, gate: broken });
    expect(here.agent.journal.gate).toEqual({ before: look(2), failed: broken.reason });
  });

  test('is not lost to a transaction of others that is concluded until the watch is suspended', async () => {
    during.suspend = othersEnd;
    await carryOut(here.upgrade());
    expect(asked).toEqual([look(2)]);
  });

  test.each(['upgrade', 'resume'] as const)(
    'is not lost to one that is concluded in its middle: %s',
    async (when) => {
      during[when] = othersEnd;
      await carryOut(here.upgrade());
      expect(asked).toEqual([look(2)]);
    },
  );

  test('is not looked at anew where a crash left it half-way', async () => {
    here.upgrade();
    here.step({ kind: 'gate-before', before: look(-1) });
    found = done;
    await carryOut(here.crash());
    expect(log).toEqual(['suspend', 'resume']);
    expect(asked).toEqual([look(-1)]);
    expect(finished()).toMatchObject({ changes: [change] });
  });

  test('is looked at anew where the crash came before anything was begun', async () => {
    here.upgrade();
    here.step({ kind: 'gate-before', before: look(-1) });
    await carryOut(here.crash());
    expect(log).toEqual(['suspend', 'resume']);
    here.record(3);
    await carryOut(here.record(4));
    expect(log.slice(2)).toEqual(['suspend', 'look', 'upgrade', 'resume']);
    expect(asked).toEqual([look(4)]);
  });
});

describe('an upgrade that a crash kept from beginning (R29)', () => {
  beforeEach(async () => {
    here.upgrade();
    here.step({ kind: 'gate-before', before: look(-1) });
    await carryOut(here.crash());
    here.record(3);
    log = [];
  });

  test.each<[string, Partial<ControlRecord>, string]>([
    ['a freeze', { freezes: ['the audit'] }, 'freeze: the audit; groundswell unfreeze'],
    ['a pause', { pauses: [{ level: 'fleet' }] }, 'the fleet is paused: groundswell resume'],
  ])('waits for the end of %s', async (_, more, said) => {
    expect(doing(here.record(4, more))).toEqual([]);
    expect(here.agent.waiting.get('ug')).toBe(said);
    await carryOut(here.record(5));
    expect(log).toEqual(['suspend', 'look', 'upgrade', 'resume']);
  });

  test.each<[string, Partial<ControlRecord>]>([
    ['it was taken back', { voids: ['ug'] }],
    ['its host is excluded', { excluded: true }],
    ['its time is over', { serverTime: 1_030_000 }],
  ])('is never begun where %s, and what worked before it is forgotten', (_, more) => {
    expect(doing(here.record(4, more))).toEqual([]);
    expect(here.reports()).toContainEqual(
      expect.objectContaining({ kind: 'restart-finished', grantId: 'ug', outcome: 'void' }),
    );
    expect(here.agent.journal.gate).toBe(null);
  });
});

test('an upgrade is not begun in a life that is over: the next one begins it', async () => {
  during.look = () => {
    over.abort();
  };
  await carryOut(here.upgrade());
  expect(log).toEqual(['suspend', 'look']);
  [log, during, over] = [[], {}, new AbortController()];
  await carryOut(here.crash());
  here.record(3);
  await carryOut(here.record(4));
  expect(log).toEqual(['suspend', 'resume', 'suspend', 'look', 'upgrade', 'resume']);
});

test.each(['ENOSPC', 'EDQUOT'])(
  'an upgrade that could not be written down before it begins found no room (%s), and waits for some',
  async (code) => {
    during.upgrade = () => {
      throw Object.assign(new Error(`${code}: write`), { code });
    };
    await carryOut(here.upgrade());
    expect(finished()).toBe(undefined);
    expect(here.agent.waiting.get('ug')).toContain(
      `no room on a disk of this host: ${code}: write`,
    );
  },
);
