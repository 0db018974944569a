import { describe, expect, test } from '@jest/globals';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { auto, begin, finish, need, orders, tell, waves } from './advisory-scene.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const window = { fromMinute: 0, toMinute: 60 };
const well = (host: string) => [view(`web-${host}`, { stale: [] })];
const moved = { reason: 'the repositories offer 3, not 2', code: 'unknown-version' };
const approve = (here: Scene): Commands =>
  here.act({ action: 'approve', waveId: waves(here)[0]?.id ?? '' });
const brought = (here: Scene): string[] =>
  waves(here).map(({ state, upgrades }) =>
    [
      state,
      ...[...upgrades].map(
        ([host, upgrade]) =>
          `${host} ${upgrade.state} ${upgrade.packages.map(({ version }) => version).join()}`,
      ),
    ].join(', '),
  );
const many = (n: number, policy = auto): { here: Scene; ids: string[] } => {
  const ids = Array.from({ length: n }, (_, number) => `h${number + 1}`);
  const settings = { policies: { 'debian-12': [policy] } };
  const here = scene(
    [web()],
    settings,
    ids.map((id) => ({ id })),
  );
  for (const id of ids) here.report(id, observed(well(id)));
  return { here, ids };
};

describe('what is proved', () => {
  test.each([
    ['approved', []],
    ['by the policy', [{ ...auto, minAgeMs: 10_000 }]],
  ])('is never a version that was not ordered: %s', (_, rules) => {
    const here = begin(rules);
    here.wall.ms = 20_000;
    tell(here, [need()]);
    approve(here);
    expect(orders(finish(here, 'h1', '3', null, well('h1')))).toEqual([['h2', 'exact 2']]);
  });

  test('is nothing by an upgrade that failed', () => {
    const here = begin([]);
    tell(here, [need()]);
    approve(here);
    const [grant] = here.fleet.grants.values();
    const { id = '', jobId = '', waveId = '' } = grant ?? {};
    const change = { name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '3' };
    here.report('h1', {
      ...{ kind: 'host-upgraded', origin: { by: 'job', jobId, waveId }, gate: null },
      ...{ transaction: 1, changes: [change], containers: well('h1') },
    });
    here.report('h1', {
      ...{ kind: 'upgrade-finished', jobId, waveId, grantId: id, changes: [], ok: false },
      ...{ code: 'would-downgrade', reason: 'libssl3 is at 3', remedy: '', transcript: '' },
      gate: { ok: true, reason: '' },
    });
    expect(waves(here)[0]?.cause).toMatchObject({ proved: {} });
    expect(orders(here.act({ action: 'resume', level: { level: 'wave', waveId } }))).toEqual([
      ['h2', 'exact 2'],
    ]);
  });
});

describe('a package comes to one version in a wave', () => {
  test.each([
    ['its mirror is ahead', '1'],
    ['it has that version', '2'],
    ['it is between them', '2.5'],
  ])('and what needs another goes to another wave: %s', (_, installed) => {
    const here = begin([auto], { window });
    tell(here, [need()], ['h1']);
    tell(here, [need({ installed, target: '3' })], ['h2']);
    here.wall.minuteOfDay = 10;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([
      ['h1', 'exact 2'],
      ['h2', 'exact 3'],
    ]);
    finish(here, 'h1', '2', null, well('h1'));
    tell(here, [], ['h1']);
    finish(here, 'h2', '3', null, well('h2'));
    expect(brought(here)).toEqual(['finished, h1 done 2', 'finished, h2 done 3']);
  });

  test('also where a person approves it', () => {
    const here = begin([]);
    tell(here, [need()], ['h1']);
    tell(here, [need({ target: '3' })], ['h2']);
    expect(orders(approve(here))).toEqual([['h1', 'exact 2']]);
    expect(orders(finish(here, 'h1', '2', null, well('h1')))).toEqual([]);
    expect(brought(here)).toEqual(['finished, h1 done 2', 'open, h2 pending 3']);
  });

  test('and a host that has got it meanwhile, and needs something newer, leaves for that', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    tell(here, [need({ installed: '2', target: '3' })], ['h2']);
    finish(here, 'h1', '2', null, well('h1'));
    expect(brought(here)).toEqual(['finished, h1 done 2, h2 left-out ', 'open, h2 running 3']);
  });

  test('that follows what its hosts are offered as long as it has not begun, all of them at once', () => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    tell(here, [need({ target: '3' })], ['h1']);
    expect(brought(here)).toEqual(['open, h1 left-out , h2 pending 2', 'open, h1 pending 3']);
    tell(here, [need({ target: '3' })], ['h2']);
    expect(brought(here).at(-1)).toBe('open, h1 pending 3, h2 pending 3');
    tell(here, [need({ target: '4' })]);
    expect(brought(here).at(-1)).toBe('open, h1 pending 4, h2 pending 4');
  });
});

describe('a mirror that has moved', () => {
  test('starts its host over in another wave, where policy wants that', () => {
    const { here, ids } = many(3, { ...auto, whenMirrorMoved: 'start-over' });
    tell(here, [need()], ids);
    finish(here, 'h1', '2', null, well('h1'));
    tell(here, [], ['h1']);
    finish(here, 'h2', '', moved);
    expect(orders(tell(here, [need({ target: '3' })], ['h2']))).toEqual([['h2', 'exact 3']]);
    finish(here, 'h3', '2', null, well('h3'));
    expect(brought(here)).toEqual([
      'finished, h1 done 2, h2 left-out , h3 done 2',
      'open, h2 running 3',
    ]);
  });

  test('is told of once, and the others that have moved wait without an order', () => {
    const { here, ids } = many(40);
    tell(here, [need()], ids);
    finish(here, 'h1', '2', null, well('h1'));
    const { notices } = finish(here, 'h2', '', moved);
    expect(notices.map(({ kind }) => kind)).toEqual(['alert']);
    tell(here, [need({ target: '3' })], ids.slice(1));
    const told = finish(here, 'h3', '', moved);
    expect([orders(told), told.notices]).toEqual([[], []]);
    const [wave] = waves(here);
    expect(wave?.upgrades.get('h40')?.reason).toMatch(/offer libssl3 3, not 2, which this wave/);
  });
});

describe('a mirror that cannot be read', () => {
  const advisory = { feed: 'debian', id: 'DSA-1-1' };
  const unknown = need({ target: null, firstSeen: null, offered: [], waiting: [advisory] });
  const away = (here: Scene, ...hosts: string[]): Commands =>
    tell(here, [unknown], hosts, 'no network');
  const waits = 'its repositories cannot be read: no network';

  test.each(['wait', 'start-over'] as const)(
    'has lost nothing: its host waits for it in the wave that has begun (%s)',
    (whenMirrorMoved) => {
      const here = begin([{ ...auto, whenMirrorMoved }]);
      tell(here, [need()]);
      away(here, 'h2');
      expect(orders(finish(here, 'h1', '2', null, well('h1')))).toEqual([]);
      expect(brought(here)).toEqual(['open, h1 done 2, h2 pending 2']);
      expect(waves(here)[0]?.upgrades.get('h2')?.reason).toBe(waits);
      expect(orders(tell(here, [need()], ['h2']))).toEqual([['h2', 'exact 2']]);
    },
  );

  test('takes nothing out of a wave that was approved and waits for its window', () => {
    const here = begin([], { window });
    tell(here, [need()]);
    approve(here);
    away(here, 'h1', 'h2');
    here.wall.minuteOfDay = 10;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([]);
    expect(brought(here)).toEqual(['open, h1 pending 2, h2 pending 2']);
    expect(orders(tell(here, [need()]))).toEqual([['h1', 'exact 2']]);
  });

  test('does not keep the other hosts from being upgraded, nor a policy that only observes', () => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    away(here, 'h1');
    here.wall.minuteOfDay = 10;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h2', 'exact 2']]);
    here.fleet.settings.policies = { 'debian-12': [{ ...auto, mode: 'observe' }] };
    here.step({ kind: 'tick' });
    expect(waves(here)[0]?.upgrades.get('h1')?.state).toBe('left-out');
  });
});

describe('what waits in a paused wave', () => {
  test.each(['another mode', 'a newer version'])('stays there: %s', (why) => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    const level = { level: 'wave', waveId: waves(here)[0]?.id ?? '' } as const;
    here.act({ action: 'pause', level, reason: 'x' });
    here.wall.minuteOfDay = 10;
    const { settings } = here.fleet;
    if (why === 'another mode') {
      settings.policies = { 'debian-12': [] };
      here.step({ kind: 'tick' });
      settings.policies = { 'debian-12': [auto] };
    } else tell(here, [need({ target: '3' })], ['h1']);
    expect(orders(here.step({ kind: 'tick' }))).toEqual([]);
    expect(waves(here)).toHaveLength(1);
    expect(orders(here.act({ action: 'resume', level }))).toHaveLength(1);
  });
});

describe('what some hosts need more of', () => {
  const libc = need({ name: 'libc6', target: '9', offered: [{ feed: 'debian', id: 'DSA-2-1' }] });

  test('waits for what others of the fleet prove, and only the rest begins beside it', () => {
    const here = begin([auto]);
    expect(orders(tell(here, [need()], ['h1']))).toEqual([['h1', 'exact 2']]);
    expect(orders(tell(here, [need(), libc], ['h2']))).toEqual([['h2', 'exact 9']]);
    expect(brought(here)).toEqual(['open, h1 running 2, h2 pending 2', 'open, h2 running 9']);
  });

  test('is not begun in another wave where it has failed', () => {
    const here = begin([auto]);
    tell(here, [need({ source: 'openssl' })], ['h1']);
    finish(here, 'h1', '', { code: 'broken', reason: 'dpkg failed' });
    const other = need({ name: 'openssl', source: 'openssl' });
    expect(orders(tell(here, [need({ source: 'openssl' }), other, libc], ['h2']))).toEqual([
      ['h2', 'exact 9'],
    ]);
  });
});

describe('a version that a mirror does not have', () => {
  const zlib = need({ name: 'zlib1g', offered: [{ feed: 'debian', id: 'DSA-2-1' }] });
  const missing = [{ name: 'libssl3', arch: 'amd64' }];
  const refusedOn = (here: Scene) =>
    here.fleet.hosts.get('h1')?.refused.map(({ version, count }) => `${version} ${count}`);
  const orderedOf = ({ sends }: Commands): string[][] =>
    sends.flatMap((send) =>
      send.kind === 'host-upgrade' ? [send.payload.packages.map(({ name }) => name).sort()] : [],
    );

  test('counts for its own package alone', () => {
    const here = begin([auto]);
    expect(orderedOf(tell(here, [need(), zlib], ['h1']))).toEqual([
      ['libssl3:amd64', 'zlib1g:amd64'],
    ]);
    finish(here, 'h1', '', { ...moved, missing });
    expect(refusedOn(here)).toEqual(['libssl3:amd64=2 1']);
  });

  test('is any of the order where the agent does not say which', () => {
    const here = begin([auto]);
    tell(here, [need(), zlib], ['h1']);
    finish(here, 'h1', '', moved);
    expect(refusedOn(here)).toEqual(['libssl3:amd64=2 1', 'zlib1g:amd64=2 1']);
  });

  test('counts no more once the host has got it', () => {
    const here = begin([auto]);
    tell(here, [need()], ['h1']);
    finish(here, 'h1', '', { ...moved, missing });
    here.later(here.fleet.settings.refreshEveryMs);
    expect(orderedOf(tell(here, [need()], ['h1']))).toEqual([['libssl3:amd64']]);
    finish(here, 'h1', '2');
    expect(refusedOn(here)).toEqual([]);
  });
});
