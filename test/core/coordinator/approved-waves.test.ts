import { describe, expect, test } from '@jest/globals';
import type { Wave } from '../../../src/core/coordinator/fleet.ts';
import { auto, begin, finish, need, tell, waves } from './advisory-scene.ts';
import { observed, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const window = { fromMinute: 0, toMinute: 60 };
const approveLast = (here: Scene): void => {
  here.act({ action: 'approve', waveId: waves(here).at(-1)?.id ?? '' });
};
const members = ({ members: all, approvedBy }: Wave): string =>
  [approvedBy ?? 'nobody', ...all.keys()].join(' ');
const asking = { services: [web({ mode: 'approve' })], window };

describe('a wave that a person has approved is not joined', () => {
  test('by a container of another host whose opt-out is over', () => {
    const here = begin([], { services: [web({ mode: 'approve' })] });
    here.act({ action: 'host-add', hostId: 'h3', zone: '', cap: null });
    here.report('h3', observed([view('web-h3', { stale: [] })]));
    tell(here, [need()], ['h3']);
    approveLast(here);
    const optOut = { reason: 'x', until: null };
    finish(here, 'h3', '2', null, [view('web-h3', { optOut })]);
    tell(here, [], ['h3']);
    here.fleet.settings.window = window;
    tell(here, [need()], ['h1', 'h2']);
    approveLast(here);
    here.report('h3', observed([view('web-h3')]));
    expect(waves(here).map(members)).toEqual(['ann h3/web-h3', 'ann', 'nobody h3/web-h3']);
  });

  test('by what is found stale later', () => {
    const here = begin([], { window });
    here.report('h1', observed([view('web-h1')]));
    approveLast(here);
    here.report('h2', observed([view('web-h2')]));
    expect(waves(here).map(members)).toEqual(['ann h1/web-h1', 'nobody h2/web-h2']);
  });

  test('by another host that others upgrade to the same version', () => {
    const here = begin([], asking);
    here.upgraded('h1', [view('web-h1')]);
    approveLast(here);
    here.upgraded('h2', [view('web-h2')]);
    expect(waves(here).map(members)).toEqual(['ann h1/web-h1', 'nobody h2/web-h2']);
  });

  test.each([
    ['only what it brings', 0, ['ann h1/web-h1']],
    ['more than it brings', 1, ['ann', 'nobody h1/web-h1']],
  ])('by what others upgrade on its own host, but for %s', (_, more, expected) => {
    const here = begin([], asking);
    tell(here, [need()], ['h1']);
    approveLast(here);
    const change = { name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2' };
    const libc = { name: 'libc6', arch: 'amd64', source: 'glibc', from: '1', to: '9' };
    here.report('h1', {
      ...{ kind: 'host-upgraded', transaction: 1, origin: { by: 'outside' } },
      ...{ changes: [change, ...(more > 0 ? [libc] : [])], containers: [view('web-h1')] },
      gate: { ok: true, reason: '' },
    });
    expect(waves(here).map(members)).toEqual(expected);
  });
});

test('a container that is taken up again waits for its window, however late its former wave was', () => {
  const here = begin([{ ...auto, latestMs: 0 }], { window });
  const optOut = { reason: 'x', until: null };
  tell(here, [need()], ['h1']);
  finish(here, 'h1', '2', null, [view('web-h1', { optOut })]);
  tell(here, [], ['h1']);
  here.report('h1', observed([view('web-h1')]));
  expect(waves(here).map(members)).toEqual(['nobody h1/web-h1', 'nobody h1/web-h1']);
  expect(here.grants()).toEqual([]);
});
