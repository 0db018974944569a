import { describe, expect, test } from '@jest/globals';
import { newHost } from '../../../src/core/coordinator/fleet.ts';
import type { HostObserved, Leader, RecordNumber, Report } from '../../../src/core/messages.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';
import { gap, hostOf, restart } from './restored-scene.ts';

type OpenGrant = HostObserved['openGrants'][number];

const open = (grantId: string, container: string, more: Partial<OpenGrant> = {}): OpenGrant => ({
  ...{ grantId, container, waveId: '', step: 'stopped', failed: false },
  ...more,
});

const progress = (grantId: string): Report => ({
  ...{ kind: 'restart-progress', grantId, step: 'journaled', at: 0 },
});

/** Two hosts of one service; the store is as it was before their last reports, and both have said so. */
const restored = (): Scene => {
  const here = upgradedScene([web()], { h1: ['web-1', 'web-2'], h2: ['web-3'] });
  here.fleet.grants.clear();
  restart(here);
  for (const id of ['h1', 'h2']) here.report(id, progress('g9'), gap(here, id));
  return here;
};

describe('R16: what proves that the store was restored from a backup', () => {
  test('more was acknowledged to two hosts than the store has applied', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-3'], h3: ['db-1'] });
    restart(here);
    const first = here.report('h1', progress('g9'), gap(here, 'h1'));
    // One alone may be broken, or in others' hands: it is asked for all, and nothing more is believed of others.
    expect(here.fleet.generation).toBe(1);
    expect([...here.fleet.hosts.values()].map(({ known }) => known)).toEqual([false, true, true]);
    expect(first.notices.map(({ text }) => text).join()).toContain('h1 knows more than the store');
    expect(first.records.map(({ host, record }) => [host, record.number[0]])).toEqual([['h1', 2]]);
    const { audits, notices, records } = here.report('h2', progress('g8'), gap(here, 'h2'));
    expect(here.fleet.generation).toBe(2);
    expect([...here.fleet.hosts.values()].map(({ known }) => known)).toEqual([false, false, false]);
    expect(audits).toMatchObject([
      { action: 'store-restored', outcome: 'proved' },
      { action: 'paused' },
    ]);
    expect(notices.map(({ text }) => text).join()).toContain('restored from a backup');
    expect(records.map(({ record }) => record.number[0])).toEqual([2, 2, 2]);
  });

  test('nothing is granted anywhere before the others were heard', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['db-1'] });
    here.fleet.grants.clear();
    restart(here);
    here.report('h1', observed([view('web-1')], { leader: [2, 2] }), gap(here, 'h1'));
    expect(here.grants()).toEqual([]);
    here.report('h2', observed([], { whole: false }));
    expect(here.grants()).toHaveLength(1);
  });

  test('hosts echo a record that this store has not issued', () => {
    const here = scene([web()], {}, [{ id: 'h1' }, { id: 'h2' }]);
    for (const id of ['h1', 'h2']) here.report(id, observed([view(`web-${id}`, { stale: [] })]));
    for (const id of ['h1', 'h2'])
      here.report(id, observed([], { whole: false }), { echo: [1, 7, 3] });
    expect(here.fleet.generation).toBe(2);
    expect([...here.fleet.hosts.values()].map(({ known }) => known)).toEqual([false, false]);
  });

  test('the only host speaks in a life of its journal that the store has never heard of', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    const later = { incarnation: 'life-3', seq: 8, acked: 7, echo: [1, 1, 90] as RecordNumber };
    here.report('h1', observed([view('web-1')], { leader: [2, 1] }), later);
    expect(here.fleet.generation).toBe(2);
    expect(hostOf(here, 'h1')).toMatchObject({
      ...{ incarnation: 'life-3', retired: ['life-1'], ackedSeq: 8, known: true },
    });
  });

  test('numbers that no server can have given prove nothing', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    for (const echo of [
      [Number.MAX_SAFE_INTEGER, 1, 1],
      [1, Number.MAX_SAFE_INTEGER, 1],
      [5_000, 1, 1],
    ] as [number, number, number][])
      here.report('h1', observed([view('web-1')], { whole: false }), { echo });
    expect(here.fleet.generation).toBe(1);
  });

  test('a host that was removed and added again proves nothing, and is heard', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-3'] });
    const { ackedSeq: acked, recordN } = hostOf(here, 'h1');
    here.fleet.hosts.set('h1', newHost('h1', '', null));
    const { records } = here.report('h1', observed([view('web-1')]), {
      ...{ acked, seq: acked + 1, echo: [1, 1, recordN + 40] },
    });
    expect(here.fleet.generation).toBe(1);
    expect(hostOf(here, 'h1')).toMatchObject({ known: true, ackedSeq: acked + 1 });
    // Its agent hears nothing below what it has heard (R13).
    expect(records.at(-1)?.record.number[2]).toBeGreaterThan(recordN + 40);
  });

  test('so does one that was added again before the server was started anew', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    const { ackedSeq: acked } = hostOf(here, 'h1');
    here.fleet.hosts.set('h1', newHost('h1', '', null));
    restart(here);
    here.report('h1', observed([view('web-1')]), { acked, seq: acked + 1 });
    expect(here.fleet.generation).toBe(1);
    expect(hostOf(here, 'h1').known).toBe(true);
  });

  test('a report that comes before those that are missing still waits for them (R9)', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    const { ackedSeq } = hostOf(here, 'h1');
    here.report('h1', progress('g9'), { seq: ackedSeq + 3, acked: ackedSeq });
    expect(hostOf(here, 'h1')).toMatchObject({ ackedSeq, known: true });
    expect(here.fleet.generation).toBe(1);
  });
});

describe('R16: once it is proved', () => {
  test('every host is heard from where it stands, and none proves it anew', () => {
    const here = restored();
    const { acked, seq } = gap(here, 'h2', 40);
    here.report('h2', progress('g8'), { acked, seq });
    expect(hostOf(here, 'h2').ackedSeq).toBe(seq);
    here.report('h2', observed([view('web-3')]));
    here.report('h1', observed([view('web-1'), view('web-2')]));
    expect(here.fleet.generation).toBe(2);
    expect([...here.fleet.hosts.values()].map(({ known }) => known)).toEqual([true, true]);
  });

  test('an early report skips nothing: what is kept comes first', () => {
    const here = restored();
    const { acked } = gap(here, 'h2');
    here.report('h2', observed([view('web-3')]), { acked, seq: acked + 4 });
    expect(hostOf(here, 'h2')).toMatchObject({ ackedSeq: acked, known: false });
    here.report('h2', progress('g8'), { acked, seq: acked + 1 });
    expect(hostOf(here, 'h2').ackedSeq).toBe(acked + 1);
  });

  test('what an agent holds is adopted, counted, and ends in its wave', () => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const [wave] = here.fleet.waves.values();
    const waveId = wave?.id ?? '';
    here.fleet.grants.clear();
    for (const member of wave?.members.values() ?? []) member.state = 'pending';
    restart(here);
    const whole = observed([view('web-1'), view('web-2')], {
      ...{
        leader: [2, 2] as Leader,
        openGrants: [open('g9', 'web-2', { waveId, step: 'drained' })],
      },
    });
    here.report('h1', whole, gap(here, 'h1'));
    expect(here.grants()).toEqual(['h1/web-2']);
    const container = view('web-2', { stale: [] });
    here.report('h1', {
      ...{ kind: 'restart-finished', grantId: 'g9', outcome: 'done', verification: 'verified' },
      ...{ reason: '', steps: [], container },
    });
    expect(here.grants()).toEqual([]);
    expect(wave?.members.get('h1/web-2')?.state).toBe('verified');
  });

  test('an upgrade that runs is adopted, with the units that it holds', () => {
    const here = restored();
    const openUpgrades = [{ grantId: 'u1', waveId: 'w', jobId: 'j', services: ['web'] }];
    here.report('h1', observed([view('web-1')], { openUpgrades }));
    expect(here.fleet.grants.get('u1')).toMatchObject({ kind: 'upgrade', disruptive: true });
    here.report('h1', {
      ...{ kind: 'upgrade-finished', jobId: 'j', grantId: 'u1', waveId: 'w', ok: true, reason: '' },
      ...{ remedy: '', changes: [], transcript: '', gate: { ok: true, reason: '' } },
    });
    expect(here.fleet.grants.size).toBe(0);
  });

  test('what the store holds open and its agent does not is over, and not before its agent has said so', () => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const [grant] = here.fleet.grants.values();
    here.report('h1', { ...progress(grant?.id ?? ''), step: 'stopping' } as Report);
    restart(here);
    const both = [view('web-1'), view('web-2', { stale: [] })];
    // Made before its agent had heard of this life of the store: a job of the former one could still be taken.
    here.report('h1', observed(both, { leader: [1, 1] }), gap(here, 'h1'));
    expect(hostOf(here, 'h1').known).toBe(false);
    expect(here.grants()).toEqual(['h1/web-1']);
    const { audits } = here.report('h1', observed(both));
    expect(audits).toMatchObject([{ action: 'grant-ended', outcome: 'void' }]);
    expect(hostOf(here, 'h1').known).toBe(true);
    expect(here.grants()).toEqual([]);
  });

  test('ends that were acknowledged and forgotten count when they are told again', () => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const [grant] = here.fleet.grants.values();
    const [wave] = here.fleet.waves.values();
    restart(here);
    const end = { ...ended(grant?.id ?? '', 'void'), outcome: 'done', verification: 'verified' };
    here.report('h1', end as Report, gap(here, 'h1'));
    expect(wave?.members.get('h1/web-1')?.state).toBe('verified');
  });

  test('nothing is granted before a person has looked at what was forgotten', () => {
    const here = restored();
    for (const [id, names] of [
      ['h1', ['web-1', 'web-2']],
      ['h2', ['web-3']],
    ] as const)
      here.report(id, observed(names.map((name) => view(name))));
    expect(here.grants()).toEqual([]);
    const [pause] = here.fleet.pauses.values();
    expect(pause).toMatchObject({ level: { level: 'fleet' }, actor: 'groundswell' });
    here.act({ action: 'resume', level: { level: 'fleet' } });
    expect(here.grants()).toHaveLength(1);
  });

  test('nothing is granted while a host of the service has not reported whole', () => {
    const here = restored();
    here.act({ action: 'resume', level: { level: 'fleet' } });
    here.report('h1', observed([view('web-1'), view('web-2')]));
    expect(here.grants()).toEqual([]);
    here.report('h2', observed([view('web-3')]));
    expect(here.grants()).toHaveLength(1);
  });

  test('copies of audit records that are missing are asked for, and none is taken out of order', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    const copy = (seq: number): Report => ({ kind: 'audit-copied', seq, record: {}, hash: '' });
    for (const seq of [1, 2]) here.report('h1', copy(seq));
    restart(here);
    const { records, applied } = here.report('h1', copy(9), gap(here, 'h1'));
    expect(records.find(({ host }) => host === 'h1')?.record.copied).toBe(2);
    expect(applied).toBeNull();
    for (const seq of [3, 4, 5, 6, 7, 8])
      expect(here.report('h1', copy(seq)).applied).not.toBeNull();
    expect(here.report('h1', copy(9)).records.at(-1)?.record.copied).toBeUndefined();
    expect(hostOf(here, 'h1').copied).toBe(9);
    // From here on a gap is no accident.
    expect(here.report('h1', copy(11)).applied).not.toBeNull();
  });
});

test('R14: a server that has just begun grants nothing where it has not heard every host of the service', () => {
  const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-3'] });
  const [grant] = here.fleet.grants.values();
  restart(here);
  here.report('h1', ended(grant?.id ?? '', 'void', view('web-1')));
  here.report('h1', observed([view('web-1')], { whole: false }));
  expect(here.grants()).toEqual([]);
  here.report('h2', observed([], { whole: false }));
  expect(here.grants()).toHaveLength(1);
});
