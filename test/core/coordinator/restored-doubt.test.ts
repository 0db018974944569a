import { describe, expect, test } from '@jest/globals';
import { newHost } from '../../../src/core/coordinator/fleet.ts';
import { fleetAlerts } from '../../../src/core/coordinator/standing-alerts.ts';
import type { Report, SequencedReport } from '../../../src/core/messages.ts';
import { observed, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';
import { gap, hostOf, restart } from './restored-scene.ts';

const progress: Report = { kind: 'restart-progress', grantId: 'g', step: 'journaled', at: 0 };

/** What is granted is forgotten: `web-1` and `web-2` wait. */
const waiting = (more: Record<string, string[]> = {}): Scene => {
  const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'], ...more });
  here.fleet.grants.clear();
  for (const wave of here.fleet.waves.values())
    for (const member of wave.members.values()) member.state = 'pending';
  return here;
};

const pauses = (here: Scene): number => here.fleet.pauses.size;

describe('R16: one host that knows more than the store', () => {
  test('is not waited for itself, whatever it keeps to itself', () => {
    const here = waiting({ evil: ['x'] });
    restart(here);
    here.report('evil', progress, gap(here, 'evil'));
    for (const [id, c] of [
      ['h1', 'web-1'],
      ['h2', 'web-2'],
    ] as const)
      here.report(id, observed([view(c)]));
    here.report('evil', progress);
    expect(here.grants()).toHaveLength(1);
  });

  test('nor is another that says something, and nothing of what it holds', () => {
    const here = waiting({ evil: ['x'], other: ['y'] });
    restart(here);
    here.report('evil', progress, gap(here, 'evil'));
    here.report('other', progress);
    for (const [id, c] of [
      ['h1', 'web-1'],
      ['h2', 'web-2'],
    ] as const)
      here.report(id, observed([view(c)]));
    expect(here.grants()).toHaveLength(1);
  });

  test('proves nothing where all others are silent, as after an outage of Redis', () => {
    for (const between of [restart, (here: Scene) => here.step({ kind: 'tick' })]) {
      const here = waiting({ evil: ['web-9'] });
      here.now += 200_000;
      between(here);
      here.report('evil', observed([view('web-9')], { leader: [2, 2] }), gap(here, 'evil'));
      here.report('evil', observed([view('web-9')]));
      expect([here.fleet.generation, pauses(here)]).toEqual([1, 0]);
      // Whether the others are off, or it alone is odd, is not known.
      expect(here.grants()).toEqual([]);
    }
  });

  test('proves it once the others are excluded', () => {
    const here = waiting();
    here.now += 200_000;
    restart(here);
    here.report('h1', observed([view('web-1')]), gap(here, 'h1'));
    expect(pauses(here)).toBe(0);
    here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: '' });
    here.step({ kind: 'tick' });
    expect([here.fleet.generation, pauses(here)]).toEqual([2, 1]);
  });

  test('counts no more when it is excluded, and is no alert', () => {
    const here = waiting({ h3: ['web-3'], evil: ['x'] });
    here.report('evil', progress, gap(here, 'evil'));
    expect(fleetAlerts(here.fleet, here)).toHaveLength(1);
    here.act({ action: 'host-exclude', hostId: 'evil', fenced: true, reason: '' });
    expect(fleetAlerts(here.fleet, here)).toEqual([]);
    here.report('h1', progress, gap(here, 'h1'));
    expect(here.fleet.generation).toBe(1);
  });

  test('is remembered by the next leader', () => {
    const here = waiting();
    restart(here);
    here.report('h1', progress, gap(here, 'h1'));
    restart(here);
    expect(here.fleet.inDoubt).toBe(true);
    here.report('h2', progress, gap(here, 'h2'));
    expect(pauses(here)).toBe(1);
    expect([...here.fleet.hosts.values()].some(({ knowsMore }) => knowsMore)).toBe(false);
  });
});

describe('R16: hosts that this store has never heard', () => {
  test('pause nobody, however many have served another server, and are heard', () => {
    const here = waiting();
    for (const id of ['h8', 'h9']) {
      here.act({ action: 'host-add', hostId: id, zone: '', cap: null });
      here.report(id, observed([view('x')]), { seq: 41, acked: 40, echo: [1, 90, 5] });
      const { records } = here.step({ kind: 'record-wanted', host: id });
      expect(records[0]?.record.number[0]).toBe(2);
      here.report(id, observed([view('x')]));
      expect(hostOf(here, id).known).toBe(true);
    }
    expect([here.fleet.generation, pauses(here)]).toEqual([1, 0]);
  });

  test('one that was asked anew, removed and added again hears its records', () => {
    const here = waiting();
    here.report('h1', observed([view('web-1')]), gap(here, 'h1'));
    here.fleet.hosts.set('h1', newHost('h1', '', null));
    here.report('h1', observed([]), { seq: 60, acked: 59, echo: [2, 1, 50] });
    const { records } = here.step({ kind: 'record-wanted', host: 'h1' });
    expect(records[0]?.record.number[0]).toBe(3);
  });
});

test('hosts that come back late prove nothing once more under the next leader', () => {
  const here = upgradedScene([web()], { h1: ['a'], h2: ['b'], h3: ['c'], h4: ['d'] });
  restart(here);
  // The store was of generation 4 when it was put back to one of generation 1.
  for (const id of ['h1', 'h2']) here.report(id, progress, { ...gap(here, id), echo: [4, 2, 60] });
  expect(here.fleet.generation).toBe(5);
  here.act({ action: 'resume', level: { level: 'fleet' } });
  restart(here);
  for (const id of ['h3', 'h4']) here.report(id, progress, { ...gap(here, id), echo: [4, 2, 60] });
  expect([here.fleet.generation, pauses(here)]).toEqual([5, 0]);
});

test('a host that was removed and added again is not taken back to a former life of its journal (R15)', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  restart(here);
  here.act({ action: 'host-exclude', hostId: 'h1', fenced: true, reason: '' });
  here.act({ action: 'host-remove', hostId: 'h1' });
  here.act({ action: 'host-add', hostId: 'h1', zone: '', cap: null });
  here.report('h1', progress, { incarnation: 'life-2', seq: 1, acked: 0 });
  expect(hostOf(here, 'h1').echo).not.toBeNull();
  here.report('h1', progress, { incarnation: 'life-1', seq: 1, acked: 0, echo: [1, 1, 90] });
  expect(hostOf(here, 'h1').incarnation).toBe('life-2');
});

describe('lives of a journal of which a restored store does not know that they are over', () => {
  const restored = (): Scene => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    restart(here);
    // The backup is from its first life; it is in its third.
    here.report('h1', progress, { incarnation: 'life-3', seq: 9, acked: 7, echo: [1, 1, 90] });
    here.report('h1', progress, { incarnation: 'life-3', seq: 8, acked: 7, echo: [1, 1, 90] });
    expect(hostOf(here, 'h1')).toMatchObject({ incarnation: 'life-3', ackedSeq: 8 });
    return here;
  };

  test('a first report of one of them, brought once more, does not retire the present one', () => {
    const here = restored();
    here.report('h1', progress, { incarnation: 'life-2', seq: 1, acked: 0, echo: [1, 1, 40] });
    expect(hostOf(here, 'h1').incarnation).toBe('life-3');
  });

  test('a journal that is lost then begins a new life once it has read a record', () => {
    const here = restored();
    const first = { incarnation: 'life-4', seq: 1, acked: 0 };
    const { records } = here.report('h1', progress, { ...first, echo: [0, 0, 0] });
    expect(records).toHaveLength(1);
    expect(hostOf(here, 'h1').incarnation).toBe('life-3');
    here.report('h1', progress, first);
    expect(hostOf(here, 'h1').incarnation).toBe('life-4');
  });

  test('numbers that it cannot have read keep no later life from being heard', () => {
    const here = restored();
    here.report('h1', progress, { incarnation: 'life-3', echo: [2 ** 39, 1, 1] });
    here.report('h1', progress, { incarnation: 'life-4', seq: 1 });
    expect(hostOf(here, 'h1').incarnation).toBe('life-4');
  });
});

test('what was said to a forgotten leader, and comes once more, counts for nothing (R14)', () => {
  const here = waiting();
  const forgotten = (
    [
      ['h1', 'web-1'],
      ['h2', 'web-2'],
    ] as const
  ).map(([host, name]): SequencedReport => {
    const acked = hostOf(here, host).ackedSeq;
    const report = observed([view(name)], { leader: [1, 2] });
    return { host, incarnation: 'life-1', seq: acked + 1, acked, echo: [1, 2, 1], report };
  });
  // Epochs follow the time: that of the restored store's leader is another one (`acquireLease`).
  here.fleet.epoch = 2;
  restart(here);
  for (const message of forgotten) here.step({ kind: 'report', message });
  expect(here.grants()).toEqual([]);
});

test('two hosts in others’ hands lead to no numbers that are far off', () => {
  const here = upgradedScene([web()], { h1: ['a'], h2: ['b'] });
  for (const id of ['h1', 'h2'])
    here.report(id, progress, { ...gap(here, id), echo: [2 ** 39, 1, 1] });
  expect(here.fleet.generation).toBe(1_001);
});
