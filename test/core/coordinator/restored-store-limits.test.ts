import { describe, expect, test } from '@jest/globals';
import { newHost } from '../../../src/core/coordinator/fleet.ts';
import { pauseState } from '../../../src/core/coordinator/pause-state.ts';
import { HostObserved } from '../../../src/core/messages.ts';
import type { Leader, Report } from '../../../src/core/messages.ts';
import { observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';
import { gap, hostOf, restart } from './restored-scene.ts';

const progress = (grantId: string, step = 'journaled'): Report =>
  ({ kind: 'restart-progress', grantId, step, at: 0 }) as Report;

const done = (grantId: string, waveId: string, container: string): Report => ({
  ...{ kind: 'restart-finished', grantId, outcome: 'done', verification: 'verified', reason: '' },
  ...{ steps: [], container: null, of: { waveId, container } },
});

describe('a forgotten grant of which nothing was acknowledged (R16)', () => {
  const forgotten = (): Scene => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });
    // The store as it was before the leader gave g9 to h2/web-2 (its last commit is lost, nothing else).
    here.fleet.grants.clear();
    for (const wave of here.fleet.waves.values())
      for (const member of wave.members.values()) member.state = 'pending';
    for (const host of here.fleet.hosts.values()) host.voids = [];
    restart(here);
    expect(here.grants()).toEqual([]);
    return here;
  };
  const openGrants = [
    { grantId: 'g9', waveId: 'w', container: 'web-2', step: 'stopping' as const, failed: false },
  ];

  test('is counted from the first observation on (I1)', () => {
    const here = forgotten();
    here.report('h2', progress('g9', 'stopping'));
    // The heartbeat by which an agent answers another leader: not whole (src/workers/agent/observe.ts).
    here.report('h2', observed([], { whole: false, openGrants }));
    here.report('h1', observed([], { whole: false }));
    expect(here.grants()).not.toContain('h1/web-1');
  });

  test('keeps a pause from being shown as paused (I5)', () => {
    const here = forgotten();
    here.act({ action: 'pause', level: { level: 'fleet' }, reason: '' });
    here.report('h2', observed([], { whole: false, openGrants }));
    here.report('h1', observed([], { whole: false }));
    expect(here.grants()).not.toContain('h1/web-1');
    expect(pauseState(here.fleet, { level: 'fleet' }, here.now)).toMatchObject({
      state: 'pausing',
    });
  });
});

test('the start of a server asks nothing back', () => {
  const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
  const [grant] = here.fleet.grants.values();
  here.report('h1', progress(grant?.id ?? '', 'draining'));
  restart(here);
  expect(grant?.voidAsked).toBeNull();
});

test('a host of which all is forgotten may hold containers of any service (I5)', () => {
  const here = upgradedScene([web()], { h1: ['web-1'], h2: ['db-1'] });
  here.act({ action: 'stop', waveId: [...here.fleet.waves.keys()][0] ?? '' });
  here.fleet.grants.clear();
  restart(here);
  for (const id of ['h1', 'h2']) here.report(id, progress('g'), gap(here, id));
  here.act({ action: 'resume', level: { level: 'fleet' } });
  here.report('h1', observed([view('web-1')]));
  const level = { level: 'service', service: 'web' } as const;
  here.act({ action: 'pause', level, reason: '' });
  // The store knows of none on h2; one may have been made there since the backup.
  expect(pauseState(here.fleet, level, here.now).state).toBe('pausing');
  here.report('h2', observed([]));
  expect(pauseState(here.fleet, level, here.now).state).toBe('paused');
});

test('a silent host keeps no pause of others from being shown as paused', () => {
  const here = upgradedScene([web()], { h1: ['web-1'], h2: ['db-1'] });
  here.act({ action: 'stop', waveId: [...here.fleet.waves.keys()][0] ?? '' });
  here.fleet.grants.clear();
  restart(here);
  here.now += 10_000_000;
  here.report('h1', observed([view('web-1')]));
  here.act({
    action: 'pause',
    level: { level: 'service', service: 'web' },
    reason: '',
  });
  expect(pauseState(here.fleet, { level: 'service', service: 'web' }, here.now).state).toBe(
    'paused',
  );
});

describe('one host that is in others’ hands', () => {
  test('changes nothing for others by what it echoes, and is told of once', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'], evil: ['x'] });
    const before = here.fleet.generation;
    let alerts = 0;
    let records = 0;
    for (let i = 0; i < 20; i += 1) {
      const host = hostOf(here, 'evil');
      const more = { seq: host.ackedSeq + 1, acked: host.ackedSeq };
      const { notices, records: issued } = here.report('evil', progress('x'), {
        ...more,
        echo: [here.fleet.generation, here.fleet.epoch, host.recordN + 1],
      });
      alerts += notices.filter(({ kind }) => kind === 'alert').length;
      records += issued.length;
    }
    expect(here.fleet.generation).toBe(before);
    expect([...here.fleet.pauses.values()]).toEqual([]);
    expect([alerts, records]).toEqual([1, 20]);
  });

  test('numbers far ahead that honest hosts have heard are caught up with', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });
    restart(here);
    const { records } = here.report('h1', observed([view('web-1')], { leader: [3_004, 6] }), {
      ...gap(here, 'h1'),
      echo: [3_004, 6, 9],
    });
    expect(records.find(({ host }) => host === 'h1')?.record.number[0]).toBeGreaterThan(3_004);
  });
});

test('a second restore is noticed, of a backup that was made while hosts were not seen anew', () => {
  const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });
  restart(here);
  for (const id of ['h1', 'h2']) here.report(id, progress('g'), gap(here, id));
  expect(here.fleet.generation).toBe(2);
  // Here the backup is made: generation 2, all hosts `resync`. It is put back later.
  restart(here);
  here.report('h1', observed([view('web-1')], { whole: false, leader: [2, 2] }), {
    ...gap(here, 'h1', 50),
    echo: [2, 2, 40],
  });
  here.report('h2', observed([view('web-2')], { whole: false, leader: [2, 2] }), {
    ...gap(here, 'h2', 50),
    echo: [2, 2, 40],
  });
  expect(here.fleet.generation).toBe(3);
});

test('a host that has served another server pauses nobody when it is added', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  here.act({ action: 'host-add', hostId: 'h9', zone: '', cap: null });
  here.report('h9', observed([view('x')]), { seq: 41, acked: 40, echo: [1, 90, 5] });
  expect([...here.fleet.pauses.values()]).toEqual([]);
});

test('agents that do not say which leader they have heard are known as before', () => {
  const here = scene([web()], {}, [{ id: 'h1' }]);
  const old = observed([view('web-1', { stale: [] })]);
  for (const field of ['leader', 'settled', 'transactions', 'openUpgrades'])
    Reflect.deleteProperty(old, field);
  const report = HostObserved.parse(old);
  here.step({
    kind: 'report',
    message: { host: 'h1', incarnation: 'l', seq: 1, acked: 0, echo: [1, 1, 1], report },
  });
  expect(hostOf(here, 'h1')).toMatchObject({ known: true, greeted: true });
});

describe('nothing is done twice', () => {
  test('a restart by hand that was done after the backup, and that its agent has forgotten', () => {
    const here = upgradedScene([web({ mode: 'observe' })], { h1: ['web-1', 'web-2'] });
    here.act({ action: 'restart', containers: ['h1/web-1', 'h1/web-2'], what: 'restart' });
    // web-1 is being restarted, web-2 waits: attempts 0. Here the backup is made. Both were done since.
    const [grant] = here.fleet.grants.values();
    expect(grant?.container).toBe('h1/web-1');
    here.report('h1', progress(grant?.id ?? ''));
    restart(here);
    here.report(
      'h1',
      observed([view('web-1', { stale: [] }), view('web-2', { stale: [] })], { leader: [2, 2] }),
      gap(here, 'h1'),
    );
    here.act({ action: 'resume', level: { level: 'fleet' } });
    const wave = [...here.fleet.waves.values()].find(({ byHand }) => byHand);
    expect([...(wave?.members.values() ?? [])].map(({ state }) => state)).toEqual([
      'unknown',
      'unknown',
    ]);
  });

  test('an upgrade that was pending in the backup, and whose end is told again', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });
    here.fleet.grants.clear();
    here.act({ action: 'pause', level: { level: 'host', hostId: 'h1' }, reason: '' });
    here.act({
      ...{ action: 'upgrade', hosts: ['h1'], mode: 'packages', allowRemove: false },
      packages: [{ name: 'openssl', want: 'newest', version: null }],
    });
    const wave = [...here.fleet.waves.values()].find(({ upgrades }) => upgrades.size > 0);
    expect(wave?.upgrades.get('h1')?.state).toBe('pending');
    restart(here);
    here.report('h2', progress('g'), gap(here, 'h2'));
    here.report('h1', progress('g'), gap(here, 'h1'));
    here.report('h1', {
      ...{ kind: 'upgrade-finished', jobId: 'j', grantId: 'u1', waveId: wave?.id ?? '' },
      ...{ ok: true, reason: '', remedy: '', changes: [], transcript: '' },
      gate: { ok: true, reason: '' },
    });
    for (const [id, c] of [
      ['h1', 'web-1'],
      ['h2', 'web-2'],
    ] as const)
      here.report(id, observed([view(c, { stale: [] })], { leader: [2, 2] as Leader }));
    here.act({ action: 'resume', level: { level: 'fleet' } });
    const { sends } = here.act({ action: 'resume', level: { level: 'host', hostId: 'h1' } });
    expect(sends.filter(({ kind }) => kind === 'host-upgrade')).toEqual([]);
  });
});

test('an end from before a member waited again does not make it verified', () => {
  const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });
  const [grant] = here.fleet.grants.values();
  const id = grant?.container ?? '';
  const [host = '', name = ''] = id.split('/');
  const waveId = grant?.waveId ?? '';
  here.report(host, {
    ...(done(grant?.id ?? '', waveId, name) as object),
    container: view(name, { stale: [] }),
  } as Report);
  expect(here.fleet.waves.get(waveId)?.members.get(id)?.state).toBe('verified');
  // Another package of the same source: the same wave, for which it waits again.
  here.act({ action: 'pause', level: { level: 'fleet' }, reason: 'lunch' });
  here.upgraded(host, [view(name)]);
  expect(here.fleet.waves.get(waveId)?.members.get(id)?.state).toBe('pending');
  restart(here);
  here.report(host, done(grant?.id ?? '', waveId, name), gap(here, host));
  here.report(host, observed([view(name)], { leader: [2, 2] }));
  expect(here.fleet.waves.get(waveId)?.members.get(id)?.state).not.toBe('verified');
});

test('a pause that was there does not hide that the store was restored', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  here.act({ action: 'pause', level: { level: 'fleet' }, reason: 'lunch' });
  restart(here);
  here.report('h1', progress('g'), gap(here, 'h1'));
  expect([...here.fleet.pauses.values()].map(({ reason }) => reason).join()).toContain('backup');
});

describe('a host has no part in waves that do not name it', () => {
  test('and pauses none', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], evil: [] });
    const [wave] = here.fleet.waves.values();
    const openGrants = [
      {
        grantId: 'e',
        waveId: wave?.id ?? '',
        container: 'x',
        step: 'stopped' as const,
        failed: false,
      },
    ];
    here.report('evil', observed([], { openGrants }));
    here.report('evil', {
      ...{ kind: 'restart-finished', grantId: 'e', outcome: 'failed', verification: null },
      ...{ reason: 'ha', steps: [], container: null },
    });
    expect(wave?.pausedBy).toBeNull();
  });

  test('and holds up none of their upgrades', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], evil: [] });
    here.act({
      ...{ action: 'upgrade', hosts: ['h1'], mode: 'packages', allowRemove: false },
      packages: [{ name: 'openssl', want: 'newest', version: null }],
    });
    here.fleet.grants.clear();
    const wave = [...here.fleet.waves.values()].find(({ upgrades }) => upgrades.size > 0);
    Object.assign(wave?.upgrades.get('h1') ?? {}, { state: 'pending' });
    const openUpgrades = [{ grantId: 'e', waveId: wave?.id ?? '', jobId: 'j', services: [] }];
    here.report('evil', observed([], { openUpgrades }));
    here.step({ kind: 'tick' });
    expect(wave?.upgrades.get('h1')?.state).toBe('running');
  });
});

describe('a host that was removed and added again', () => {
  const readded = (): Scene => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });
    here.fleet.hosts.set('h1', newHost('h1', '', null));
    return here;
  };

  test('pauses nobody by an old report that comes late', () => {
    const here = readded();
    here.report('h1', progress('g'), { seq: 8, acked: 7 });
    here.report('h1', observed([view('web-1')]), { seq: 41, acked: 40 });
    expect(here.fleet.generation).toBe(1);
  });

  test('is not taken for a former life of its journal by a report that comes late', () => {
    const here = readded();
    here.report('h1', observed([view('web-1')]), { seq: 41, acked: 40 });
    here.report('h1', progress('g'), { seq: 8, acked: 7, incarnation: 'life-0', echo: [1, 1, 0] });
    for (let seq = 42; seq < 60; seq += 1)
      here.report('h1', observed([view('web-1')]), { seq, acked: seq - 1 });
    expect(hostOf(here, 'h1').incarnation).toBe('life-1');
  });

  test('is not asked for all of its audit chain once more', () => {
    const here = readded();
    const { records } = here.report('h1', observed([view('web-1')]), { seq: 41, acked: 40 });
    expect(records.find(({ host }) => host === 'h1')?.record.copied).not.toBe(0);
  });
});

test('what an agent held before it was excluded is not said to be from before a restore', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  const [grant] = here.fleet.grants.values();
  here.act({ action: 'host-exclude', hostId: 'h1', reason: 'off' } as never);
  here.act({ action: 'host-add', hostId: 'h1', zone: null, cap: null });
  here.report(
    'h1',
    observed([view('web-1')], {
      openGrants: [
        {
          grantId: grant?.id ?? '',
          waveId: '',
          container: 'web-1',
          step: 'stopped',
          failed: false,
        },
      ],
    }),
  );
  expect([...here.fleet.grants.values()].map(({ why }) => why).join()).not.toContain('restored');
});
