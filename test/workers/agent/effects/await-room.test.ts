import { beforeEach, expect, test } from '@jest/globals';
import type { AgentEvent } from '../../../../src/core/agent/agent.ts';
import { awaitRoom } from '../../../../src/workers/agent/effects/await-room.ts';

const mb = 1024 * 1024;
const effect = { kind: 'await-room', jobId: 'u', reason: 'no room', everyMs: 1 } as const;

/** MB that each look finds; the last one for ever. */
let free: number[];
let looks: number;
let told: AgentEvent[];
let alerts: string[];
let waits: boolean;
let over: AbortController;
beforeEach(() => {
  [free, looks, told, alerts, waits, over] = [[], 0, [], [], true, new AbortController()];
});

const wait = (onLook: () => void = () => undefined): Promise<void> =>
  awaitRoom(
    {
      host: {
        packages: {
          room: () => {
            const megabytes = free[Math.min(looks, free.length - 1)] ?? 0;
            looks += 1;
            onLook();
            return Promise.resolve([{ path: '/', bytes: megabytes * mb, files: 9 }]);
          },
        },
      },
      alert: (text) => alerts.push(text),
      awaitsRoom: () => waits,
    },
    effect,
    {
      signal: over.signal,
      tell: (event) => {
        told.push(event);
        waits = false;
      },
    },
  );

test('it is said while it lasts, and that there is room as soon as there is', async () => {
  free = [3, 3, 10, 19];
  await wait();
  expect(told).toEqual([{ kind: 'room', jobId: 'u' }]);
  expect({ looks, alerts }).toEqual({
    looks: 4,
    alerts: ['an upgrade found no room', 'an upgrade found no room', 'an upgrade found no room'],
  });
});

test('what was taken meanwhile and is given back counts, also where there was more in the beginning', async () => {
  free = [20, 1, 17];
  await wait();
  expect({ told: told.length, looks }).toEqual({ told: 1, looks: 3 });
});

test('nobody looks any more once its upgrade is over, or the agent', async () => {
  free = [3];
  await wait(() => {
    if (looks === 3) waits = false;
  });
  expect({ looks, told }).toEqual({ looks: 3, told: [] });
  waits = true;
  await wait(() => {
    if (looks === 6) over.abort();
  });
  expect({ looks, told }).toEqual({ looks: 6, told: [] });
});
