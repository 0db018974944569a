import { describe, expect, test } from '@jest/globals';
import type { PolicyRule } from '../../../src/core/coordinator/policy.ts';
import type { Wave } from '../../../src/core/coordinator/fleet.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import type { HostUpgrade } from '../../../src/core/messages.ts';
import type { PackageChange } from '../../../src/core/packages.ts';
import { auto, begin, finish, need, orders, tell, waves } from './advisory-scene.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const well = (host: string) => [view(`web-${host}`, { stale: [] })];
const change = (name: string, to: string | null, from: string | null = '1'): PackageChange => ({
  ...{ name, arch: 'amd64', source: name, from, to },
});
const provedIn = ({ sends }: Commands): HostUpgrade['proved'][] =>
  sends.flatMap((send) => (send.kind === 'host-upgrade' ? [send.payload.proved] : []));
const dependency = (version: string) => ({ name: 'libz', arch: 'amd64', version });
const lost = {
  ...{ code: 'unknown-version', reason: 'libz:amd64 would come along in 3, not in 2' },
  missing: [{ name: 'libz', arch: 'amd64' }],
};

/** Three hosts, of which the first has got libssl3 2, and libz 2 along with it; answers what is ordered then. */
const afterFirst = (
  policy: PolicyRule = auto,
): { here: Scene; wave: () => Wave; second: Commands } => {
  const ids = ['h1', 'h2', 'h3'];
  const here = scene(
    [web()],
    { policies: { 'debian-12': [policy] } },
    ids.map((id) => ({ id })),
  );
  for (const id of ids) here.report(id, observed(well(id)));
  tell(here, [need()], ids);
  const changes = [change('libssl3', '2'), change('libz', '2', null), change('old', null)];
  const second = finish(here, 'h1', '2', null, well('h1'), changes);
  const wave = (): Wave => {
    const [first] = waves(here);
    if (first === undefined) throw new Error('there is no wave');
    return first;
  };
  return { here, wave, second };
};

describe('what came along on the first host of a wave', () => {
  test('comes in the same versions on the others', () => {
    const { here, second } = afterFirst();
    expect(orders(second)).toEqual([['h2', 'exact 2']]);
    expect(provedIn(second)).toEqual([[dependency('2')]]);
    // What came along on another host first is proved by that one.
    const more = [change('libz', '3'), change('libx', '7')];
    const third = finish(here, 'h2', '2', null, well('h2'), more);
    expect(provedIn(third)).toEqual([[dependency('2'), { ...dependency('7'), name: 'libx' }]]);
  });

  test('is nothing where nothing did, or where it failed', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    const second = finish(here, 'h1', '2', null, well('h1'), [change('libssl3', '2')]);
    expect(provedIn(second)).toEqual([undefined]);
    const other = begin([auto]);
    tell(other, [need()]);
    const changes = [change('libz', '2')];
    finish(other, 'h1', '', { code: 'package-failed', reason: 'x', changes });
    const waveId = waves(other)[0]?.id ?? '';
    const resumed = other.act({ action: 'resume', level: { level: 'wave', waveId } });
    expect([orders(resumed), provedIn(resumed)]).toEqual([[['h2', 'exact 2']], [undefined]]);
  });

  test('is never what no package manager would tell, nor without end', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    const many = Array.from({ length: 1_000 }, (_, n) => change(`lib${n}`, '1'));
    const strange = [change('a b', '1'), change('x'.repeat(200), '1'), change('libz', '$(id)')];
    const second = finish(here, 'h1', '2', null, well('h1'), [...strange, ...many]);
    const names = provedIn(second)[0]?.map(({ name }) => name) ?? [];
    expect([names.length, names[0]]).toEqual([200, 'lib0']);
  });

  test('keeps a host waiting whose mirror has it no more, and is asked for again now and then', () => {
    const { here, wave } = afterFirst();
    const told = finish(here, 'h2', '', lost);
    expect(told.notices.map(({ kind, text }) => [kind, /h2 waits: .*libz/.test(text)])).toEqual([
      ['alert', true],
    ]);
    expect(orders(told)).toEqual([['h3', 'exact 2']]);
    expect(wave().upgrades.get('h2')).toMatchObject({
      ...{ state: 'pending', reason: expect.stringContaining('libz:amd64 2') as unknown },
    });
    expect(orders(finish(here, 'h3', '2', null, well('h3')))).toEqual([]);
    // It goes on by itself for as long as nobody stops it.
    for (let time = 0; time < 6; time += 1) {
      here.later(4 * 900_000);
      const again = here.step({ kind: 'tick' });
      expect([orders(again), provedIn(again)]).toEqual([[['h2', 'exact 2']], [[dependency('2')]]]);
      if (time < 5) expect(finish(here, 'h2', '', lost).notices).toEqual([]);
    }
    finish(here, 'h2', '2', null, well('h2'));
    expect(here.fleet.hosts.get('h2')?.refused).toEqual([]);
    expect(wave().state).toBe('finished');
  });

  test('is proved anew, canary first, where policy wants to start over', () => {
    const { here, wave } = afterFirst({ ...auto, whenMirrorMoved: 'start-over' });
    Object.assign(wave(), { stage: 'rest', goodCanaries: 1 });
    const told = finish(here, 'h2', '', lost);
    expect(told.notices.map(({ kind }) => kind)).toEqual(['failed']);
    expect([orders(told), provedIn(told)]).toEqual([[['h2', 'exact 2']], [undefined]]);
    expect(wave()).toMatchObject({ stage: 'canary', goodCanaries: 0, pausedBy: null });
    const third = finish(here, 'h2', '2', null, well('h2'), [change('libz', '3')]);
    expect(provedIn(third)).toEqual([[dependency('3')]]);
  });
});
