import { describe, expect, test } from '@jest/globals';
import { ended, observed, upgradedScene, view, web } from './fleet-scene.ts';

describe('R15: a host lost its journal', () => {
  const lost = () => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const [grant] = here.fleet.grants.values();
    const id = grant?.id ?? '';
    here.report('h1', { kind: 'restart-progress', grantId: id, step: 'stopping', at: 0 });
    return { here, id };
  };

  test('its grants are suspect, stay counted and stand in the record', () => {
    const { here, id } = lost();
    const { records } = here.report('h1', observed([view('web-1'), view('web-2')]), {
      incarnation: 'life-2',
      seq: 1,
    });
    expect(records.at(-1)?.record).toMatchObject({
      incarnation: 'life-2',
      ackedSeq: 1,
      suspects: [{ grantId: id, container: 'web-1', step: 'stopping' }],
    });
    expect(here.grants()).toEqual(['h1/web-1']);
  });

  test('only the first report begins an incarnation, and a retired one is heard no more', () => {
    const { here } = lost();
    const hash = { settingsHashes: { '*': 'other' } };
    here.report('h1', observed([], hash), { incarnation: 'life-2', seq: 2 });
    expect(here.fleet.hosts.get('h1')?.incarnation).toBe('life-1');
    here.report('h1', observed([view('web-1')]), { incarnation: 'life-2', seq: 1 });
    here.report('h1', observed([], hash), { incarnation: 'life-1', seq: 9 });
    here.report('h1', observed([], hash), { incarnation: 'life-1', seq: 1 });
    expect(here.fleet.hosts.get('h1')).toMatchObject({ incarnation: 'life-2', ackedSeq: 1 });
    expect(here.fleet.hosts.get('h1')?.settingsHashes).toEqual({ '*': 'hash' });
  });

  test('a refusal does not end a suspect grant; the answer to its being suspect does', () => {
    const { here, id } = lost();
    const life = { incarnation: 'life-2' };
    here.report('h1', observed([view('web-1'), view('web-2')]), { ...life, seq: 1 });
    here.report('h1', { kind: 'job-refused', jobId: 'j', reason: '', endsGrants: [id] }, life);
    expect(here.grants()).toEqual(['h1/web-1']);
    const end = { kind: 'restart-finished', outcome: 'done', verification: 'verified' } as const;
    const container = view('web-1', { stale: [] });
    here.report('h1', { ...end, grantId: id, reason: '', steps: [], container }, life);
    expect(here.grants()).toEqual(['h1/web-2']);
  });
});

describe('R33: a host is excluded', () => {
  test('its grants end, its containers stay members and unavailable, and it is told', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });
    const exclude = {
      action: 'host-exclude',
      hostId: 'h1',
      fenced: true,
      reason: 'burnt',
    } as const;
    const { records, audits } = here.act(exclude);
    expect(records.find(({ host }) => host === 'h1')?.record.excluded).toBe(true);
    expect(audits.map(({ action }) => action)).toContain('host-excluded');
    expect(here.grants()).toEqual([]);
    expect(here.fleet.containers.has('h1/web-1')).toBe(true);
  });

  test('when it is added again, grants that its agent still holds are adopted first', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });
    const [grant] = here.fleet.grants.values();
    here.act({ action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'burnt' });
    here.act({ action: 'host-add', hostId: 'h1', zone: '', cap: null });
    expect(here.grants()).toEqual([]);
    const open = {
      grantId: grant?.id ?? '',
      waveId: '',
      container: 'web-1',
      step: 'stopped',
      failed: false,
    } as const;
    const down = view('web-1', { state: 'stopped', instance: null, stale: [] });
    here.report('h1', observed([down], { openGrants: [open] }));
    expect(here.grants()).toEqual(['h1/web-1']);
  });
});

describe('adding a host', () => {
  const add = { action: 'host-add', hostId: 'h9' } as const;

  test('takes what is said of it, and else what it had: zone and cap of a host that comes back stay', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    expect(here.act({ ...add, zone: null, cap: null }).answer).toMatchObject({
      ok: true,
      text: 'host h9 is enrolled, in zone default',
    });
    here.act({ ...add, zone: 'rack-2', cap: 3 });
    here.act({ action: 'host-exclude', hostId: 'h9', fenced: true, reason: 'burnt' });
    const { answer, audits } = here.act({ ...add, zone: null, cap: null });
    expect(answer).toMatchObject({ text: 'host h9 is taken back, in zone rack-2' });
    expect(audits).toMatchObject([{ action: 'host-added', details: { zone: 'rack-2', cap: 3 } }]);
    expect(here.fleet.hosts.get('h9')).toMatchObject({ zone: 'rack-2', cap: 3, state: 'enrolled' });
  });

  test('a cap of its own can be taken away again', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    expect(here.act({ ...add, zone: null, cap: 3 }).answer).toMatchObject({
      text: 'host h9 is enrolled, in zone default, with a cap of 3',
    });
    const { answer, audits } = here.act({ ...add, zone: null, cap: 'default' });
    expect(answer).toMatchObject({
      text: "host h9 is enrolled, in zone default, with the fleet's cap of 2",
    });
    expect(audits).toMatchObject([{ details: { cap: null } }]);
    expect(here.fleet.hosts.get('h9')?.cap).toBeNull();
  });
});

describe('R31: pause', () => {
  test.each([
    [{ level: 'fleet' }],
    [{ level: 'service', service: 'web' }],
    [{ level: 'host', hostId: 'h1' }],
    [{ level: 'queue', hostId: 'h1' }],
  ] as const)('%j holds, asks back, and lets go on', (level) => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const [grant] = here.fleet.grants.values();
    const { records } = here.act({ action: 'pause', level, reason: 'looking' });
    expect(records.at(-1)?.record).toMatchObject({ pauses: [level], voids: [grant?.id] });
    here.report('h1', ended(grant?.id ?? '', 'void', view('web-1')));
    expect(here.grants()).toEqual([]);
    here.act({ action: 'resume', level });
    expect(here.grants()).toEqual(['h1/web-1']);
  });
});
