import { describe, expect, test } from '@jest/globals';
import { defaultFleetSettings, emptyFleet, newHost } from '../../../src/core/coordinator/fleet.ts';
import type { Fleet } from '../../../src/core/coordinator/fleet.ts';
import { startCoordinator } from '../../../src/workers/control/coordinate.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { observed, scene, view, web } from '../../core/coordinator/fleet-scene.ts';

test('an operator is answered once it is committed; jobs go only after the records that precede them (R12)', async () => {
  const seen: string[] = [];
  let letOut: () => void = () => undefined;
  const out = new Promise<void>((resolve) => {
    letOut = resolve;
  });
  const coordinator = await startCoordinator({
    load: () => Promise.resolve(emptyFleet(defaultFleetSettings, 1, 1)),
    commit: () => {
      seen.push('commit');
      return Promise.resolve();
    },
    publish: async (host, { number }) => {
      await out;
      seen.push(`record ${number[2]} of ${host}`);
    },
    kickRelay: () => seen.push('relay'),
    notify: () => undefined,
    moment: () => ({ now: 1, wall: { ms: 1, minuteOfDay: 0 } }),
    newId: () => 'id',
    onError: (error) => {
      throw error;
    },
  });
  const add = { action: 'host-add', zone: null, cap: null } as const;
  expect(await coordinator.act('ann', { ...add, hostId: 'h1' })).toMatchObject({ ok: true });
  expect(await coordinator.act('ann', { ...add, hostId: 'h2' })).toMatchObject({ ok: true });
  expect(seen).toEqual(['commit', 'commit']);
  letOut();
  // What goes on beside is waited for.
  await coordinator.stop();
  expect(seen.filter((what) => what.startsWith('record'))).toEqual([
    'record 1 of h1',
    'record 1 of h2',
  ]);
});

/** What is at work beside has had its turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('no operator is answered, and no job goes, before what both come from is committed and the records are out (R12, R19)', async () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  const seen: string[] = [];
  const gate = (): { opened: Promise<void>; open: () => void } => {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { opened, open };
  };
  const [commit, out] = [gate(), gate()];
  const coordinator = await startCoordinator({
    load: () => Promise.resolve(here.fleet),
    commit: async () => {
      seen.push('begins');
      await commit.opened;
      seen.push('committed');
    },
    publish: async () => {
      await out.opened;
      seen.push('record');
    },
    kickRelay: () => seen.push('relay'),
    notify: () => undefined,
    moment: () => ({ now: here.now, wall: here.wall }),
    newId: () => `id-${(here.now += 1)}`,
    onError: (error) => {
      throw error;
    },
  });
  const answer = coordinator
    .act('ann', { action: 'restart', containers: ['h1/web-1'], what: 'a test' })
    .then(({ ok }) => seen.push(`answered ${ok}`));
  await waitUntil('it is being committed', () => seen.includes('begins'), { deadlineMs: 10_000 });
  await turn();
  expect(seen).toEqual(['begins']);
  commit.open();
  await answer;
  await turn();
  expect(seen).toEqual(['begins', 'committed', 'answered true']);
  out.open();
  await coordinator.stop();
  expect(seen.slice(3).at(-1)).toBe('relay');
});

test('what is large has a transaction of its own, and others have their turn between two', async () => {
  const seen: (string | number)[] = [];
  const coordinator = await startCoordinator({
    load: () => Promise.resolve(emptyFleet(defaultFleetSettings, 1, 1)),
    commit: ({ commands }) => {
      setImmediate(() => seen.push('others'));
      seen.push(commands.length);
      return Promise.resolve();
    },
    publish: () => Promise.resolve(),
    kickRelay: () => undefined,
    notify: () => undefined,
    moment: () => ({ now: 1, wall: { ms: 1, minuteOfDay: 0 } }),
    newId: () => 'id',
    onError: (error) => {
      throw error;
    },
  });
  const needs = { kind: 'needs', told: [] } as const;
  const tick = { kind: 'tick' } as const;
  await Promise.all([tick, tick, needs, needs, tick].map(coordinator.submit));
  expect(seen).toEqual([2, 'others', 1, 'others', 1, 'others', 1]);
  await coordinator.stop();
});

test('after a commit that failed the numbers of records go on: none is given twice (R13, R16)', async () => {
  const numbers: number[] = [];
  const stored = (): Fleet => {
    const fleet = emptyFleet(defaultFleetSettings, 1, 1);
    fleet.hosts.set('h1', newHost('h1', '', null));
    return fleet;
  };
  let isFull = false;
  const coordinator = await startCoordinator({
    load: () => Promise.resolve(stored()),
    commit: () => (isFull ? Promise.reject(new Error('the disk is full')) : Promise.resolve()),
    publish: (_, { number }) => {
      numbers.push(number[2]);
      return Promise.resolve();
    },
    kickRelay: () => undefined,
    notify: () => undefined,
    moment: () => ({ now: 1, wall: { ms: 1, minuteOfDay: 0 } }),
    newId: () => 'id',
    onError: () => undefined,
  });
  const wanted = { kind: 'record-wanted', host: 'h1' } as const;
  await coordinator.submit(wanted);
  isFull = true;
  await expect(coordinator.submit(wanted)).rejects.toThrow('full');
  isFull = false;
  await coordinator.submit(wanted);
  await coordinator.stop();
  expect(numbers).toEqual([1, 3]);
});

test('a step that throws has its own event refused, and named; what came with it is decided without it', async () => {
  const told: string[] = [];
  const problems: string[] = [];
  let stored: string[] = [];
  const commits: string[][] = [];
  const coordinator = await startCoordinator({
    load: () => {
      const fleet = emptyFleet(defaultFleetSettings, 1, 1);
      for (const id of stored) fleet.hosts.set(id, newHost(id, '', null));
      return Promise.resolve(fleet);
    },
    commit: ({ fleet }) => {
      problems.push(coordinator.problem()?.text ?? '');
      stored = [...fleet.hosts.keys()];
      commits.push(stored);
      return Promise.resolve();
    },
    publish: () => Promise.resolve(),
    kickRelay: () => undefined,
    notify: () => undefined,
    moment: () => ({ now: 1, wall: { ms: 1, minuteOfDay: 0 } }),
    newId: () => 'id',
    onError: (_error, what) => told.push(what),
  });
  const add = (hostId: string) =>
    coordinator.act('ann', { action: 'host-add', zone: null, cap: null, hostId });
  const before = add('h1');
  // No request can hold such a date: a stand-in for what we do not know of.
  const faulty = coordinator.act('ann', { action: 'freeze', reason: '', until: -1e300 });
  const [first, wrong, last] = await Promise.allSettled([before, faulty, add('h2')]);
  expect(first).toMatchObject({ status: 'fulfilled', value: { ok: true } });
  expect(wrong).toMatchObject({ status: 'rejected', reason: { message: 'Invalid time value' } });
  expect(last).toMatchObject({ status: 'fulfilled', value: { ok: true } });
  expect(commits).toEqual([['h1', 'h2']]);
  expect(told).toEqual(['decide operator']);
  expect(problems).toEqual([
    expect.stringMatching(/own \(Invalid time value\).*event \(operator\)/),
  ]);
  expect(coordinator.problem()).toBeNull();
  await coordinator.stop();
});

describe('a fleet that cannot be loaded after a commit that failed', () => {
  const failing = { store: true };
  const loads: string[] = [];
  const start = (retryMs: number) => {
    failing.store = false;
    loads.length = 0;
    const work = <Result>(result: Result): Promise<Result> =>
      failing.store ? Promise.reject(new Error('the disk fails')) : Promise.resolve(result);
    return startCoordinator({
      load: () => work(emptyFleet(defaultFleetSettings, 1, 1)),
      commit: () => work(undefined),
      publish: () => Promise.resolve(),
      kickRelay: () => undefined,
      notify: () => undefined,
      moment: () => ({ now: 1, wall: { ms: 1, minuteOfDay: 0 } }),
      newId: () => 'id',
      onError: (_error, what) => loads.push(what),
      retryMs,
    });
  };
  const tick = { kind: 'tick' } as const;

  test('is loaded again until it can be, and whoever waits is answered', async () => {
    const coordinator = await start(1);
    failing.store = true;
    await expect(coordinator.submit(tick)).rejects.toThrow('the disk fails');
    await waitUntil('some tries', () => loads.length > 3, { deadlineMs: 5_000 });
    expect(coordinator.problem()?.text).toContain('the disk fails');
    const second = coordinator.submit(tick);
    failing.store = false;
    await second;
    expect(coordinator.problem()).toBeNull();
    await coordinator.stop();
  });

  test('does not keep the server from stopping', async () => {
    const coordinator = await start(20);
    failing.store = true;
    const both = Promise.allSettled(
      [tick, { kind: 'needs', told: [] } as const].map(coordinator.submit),
    );
    await waitUntil('a try', () => loads.length > 1, { deadlineMs: 5_000 });
    await coordinator.stop();
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
