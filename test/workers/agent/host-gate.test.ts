import { beforeEach, describe, expect, test } from '@jest/globals';
import { createHostGate, gateTimes } from '../../../src/workers/agent/host-gate.ts';
import type { HostGate } from '../../../src/workers/agent/host-gate.ts';
import { createKnowledge } from '../../../src/workers/agent/knowledge.ts';
import type { Knowledge } from '../../../src/workers/agent/knowledge.ts';
import { createFakeHost } from '../../integration/agent/fake-host.ts';
import type { FakeHost } from '../../integration/agent/fake-host.ts';

const names = ['web-1', 'web-2'];
const once = { once: true, signal: new AbortController().signal };
const healthy = { health: 'healthy', reason: '', atMs: 0 } as const;

let fake: FakeHost;
let knowledge: Knowledge;
let gate: HostGate;
let now: number;

beforeEach(async () => {
  now = 0;
  fake = createFakeHost(names);
  knowledge = createKnowledge(fake.host.scan, () => null);
  knowledge.setList(await fake.host.runtime.list());
  for (const name of names) {
    knowledge.setState(name, await fake.host.runtime.state(name));
    knowledge.setHealth(name, healthy);
  }
  gate = createHostGate({
    ...{ host: fake.host, knowledge, times: gateTimes, exempt: () => false },
    clock: { monoMs: () => now, wallMs: () => 1_000_000 + now },
  });
});

describe('who was healthy before a transaction', () => {
  test('is who was within the last minute, and is not down by now', async () => {
    gate.remember();
    now += gateTimes.healthyWithinMs;
    fake.ownerStops('web-2');
    expect((await gate.before()).healthy).toEqual(['web-1']);
    now += 1;
    expect((await gate.before()).healthy).toEqual([]);
  });

  test('is also who the gate of the one before has just found healthy', async () => {
    gate.remember();
    const first = await gate.before();
    // While packages change nothing is remembered: looks go on when it is over.
    now += 50_000;
    expect(await gate.ask(first, once)).toEqual({ ok: true, reason: '' });
    now += 50_000;
    expect((await gate.before()).healthy).toEqual(names);
  });

  test('is not who that gate has found unhealthy', async () => {
    gate.remember();
    const first = await gate.before();
    now += 50_000;
    fake.healthy = false;
    expect((await gate.ask(first, once)).ok).toBe(false);
    now += 50_000;
    expect((await gate.before()).healthy).toEqual([]);
  });
});
