import { describe, expect, test } from '@jest/globals';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import type { UpgradeFinished } from '../../../src/core/messages.ts';
import { ended, observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

/** Two hosts that are well, and an upgrade of both, asked for by a person. */
const asked = (): { here: Scene; first: Commands } => {
  const here = scene([web()], {}, [{ id: 'h1' }, { id: 'h2' }]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  here.report('h2', observed([view('web-2', { stale: [] })]));
  const first = here.act({
    ...{ action: 'upgrade', hosts: ['h1', 'h2'], mode: 'packages', allowRemove: false },
    packages: [{ name: 'libssl3', want: 'newest', version: null }],
  });
  return { here, first };
};

const ordered = ({ sends }: Commands): string[] =>
  sends.filter(({ kind }) => kind === 'host-upgrade').map(({ host }) => host);

const finish = (
  here: Scene,
  hostId: string,
  gate: { ok: boolean; reason: string },
  failed: Partial<UpgradeFinished> = {},
): Commands => {
  const [grant] = [...here.fleet.grants.values()].filter(({ host }) => host === hostId);
  return here.report(hostId, {
    ...{ kind: 'upgrade-finished', jobId: grant?.jobId ?? '', grantId: grant?.id ?? '' },
    ...{ waveId: grant?.waveId ?? '', ok: true, reason: '', remedy: '', changes: [] },
    ...{ transcript: '', gate },
    ...failed,
  });
};

const wave = ({ fleet }: Scene) => [...fleet.waves.values()][0];

describe('R29: hosts of one wave', () => {
  test('are upgraded one after another', () => {
    const { here, first } = asked();
    expect(ordered(first)).toEqual(['h1']);
    expect(wave(here)?.upgrades.get('h2')?.reason).toBe(
      'waits for the upgrade of h1 and its host gate',
    );
    expect(ordered(finish(here, 'h1', { ok: true, reason: '' }))).toEqual(['h2']);
  });

  test('stop at a host gate that does not pass, and go on when a person resumes', () => {
    const { here } = asked();
    const failed = finish(here, 'h1', { ok: false, reason: 'no name is resolved' });
    expect(ordered(failed)).toEqual([]);
    expect(wave(here)?.pausedBy).toBe('the host gate of h1 did not pass: no name is resolved');
    expect(failed.notices.map(({ kind }) => kind)).toContain('paused');
    const level = { level: 'wave', waveId: wave(here)?.id ?? '' } as const;
    expect(ordered(here.act({ action: 'resume', level }))).toEqual(['h2']);
  });

  test('another wave does not wait for them', () => {
    const { here } = asked();
    const again = here.act({
      ...{ action: 'upgrade', hosts: ['h2'], mode: 'packages', allowRemove: false },
      packages: [{ name: 'zlib1g', want: 'newest', version: null }],
    });
    expect(ordered(again)).toEqual(['h2']);
  });
});

describe('an upgrade that changed nothing for a reason that passes', () => {
  const unreachable = 'Could not resolve deb.example.org';
  const away = {
    ...{ ok: false, reason: unreachable, remedy: 'check the network' },
    ...{ code: 'repository-unreachable' },
  };
  const well = { ok: true, reason: '' };
  const tick = (here: Scene): Commands => here.step({ kind: 'tick' });
  const ofH1 = (here: Scene) => wave(here)?.upgrades.get('h1');

  test('is ordered again after a minute, two and four, told of once; the other hosts go on', () => {
    const { here } = asked();
    const first = finish(here, 'h1', well, away);
    expect(ordered(first)).toEqual(['h2']);
    expect(first.notices.map(({ kind, text }) => [kind, text])).toEqual([
      [
        'alert',
        `wave ${wave(here)?.id}: upgrade of h1 is tried again: ${unreachable}; check the network`,
      ],
    ]);
    finish(here, 'h2', well);
    for (const [tries, minutes] of [1, 2, 4].entries()) {
      expect(wave(here)?.pausedBy).toBeNull();
      expect(ofH1(here)).toMatchObject({
        state: 'pending',
        reason: `${unreachable}; check the network; tried again within ${minutes} min (${tries + 1} of 3)`,
      });
      here.later(minutes * 60_000 - 1);
      expect(ordered(tick(here))).toEqual([]);
      here.later(1);
      expect(ordered(tick(here))).toEqual(['h1']);
      const again = finish(here, 'h1', well, away);
      if (minutes < 4) expect(again.notices).toEqual([]);
    }
    expect(ofH1(here)?.state).toBe('failed');
    expect(wave(here)?.pausedBy).toBe(`upgrade of h1: ${unreachable}; check the network`);
  });

  test('ends well when it succeeds', () => {
    const { here } = asked();
    finish(here, 'h1', well, away);
    finish(here, 'h2', well);
    here.later(60_000);
    tick(here);
    finish(here, 'h1', well);
    expect(ofH1(here)?.state).toBe('done');
    expect(wave(here)?.state).toBe('finished');
  });

  test('is ordered at once when a person asks for it', () => {
    const { here } = asked();
    finish(here, 'h1', well, away);
    finish(here, 'h2', well);
    const scope = { of: 'wave', waveId: wave(here)?.id ?? '' } as const;
    expect(ordered(here.act({ action: 'retry', scope }))).toEqual(['h1']);
    // Then it is counted from the beginning.
    finish(here, 'h1', well, away);
    expect(ofH1(here)?.reason).toContain('within 1 min (1 of 3)');
  });

  test('is told of once, however many hosts share the mirror; those not tried yet come first', () => {
    const { here } = asked();
    expect(ordered(finish(here, 'h1', well, away))).toEqual(['h2']);
    here.later(60_000);
    // Its pause is over, but h2 is under way; then nobody waits who was not tried.
    expect(finish(here, 'h2', well, { ...away, reason: 'another' }).notices).toEqual([]);
    expect(ofH1(here)?.state).toBe('running');
  });

  test('others who keep the package manager busy, for ten minutes each time, are waited for once more', () => {
    const { here } = asked();
    const busy = { ...away, code: 'lock-timeout' };
    finish(here, 'h1', well, busy);
    finish(here, 'h2', well);
    expect(ofH1(here)?.reason).toContain('within 1 min (1 of 1)');
    here.later(60_000);
    tick(here);
    finish(here, 'h1', well, busy);
    expect(ofH1(here)?.state).toBe('failed');
  });

  test('is counted from the beginning where the last time was long ago', () => {
    const { here } = asked();
    finish(here, 'h1', well, away);
    finish(here, 'h2', well);
    const level = { level: 'fleet' } as const;
    here.act({ action: 'pause', level, reason: 'a look' });
    here.later(2 * 3_600_000);
    here.act({ action: 'resume', level });
    finish(here, 'h1', well, away);
    expect(ofH1(here)?.reason).toContain('(1 of 3)');
  });

  const change = { name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2' };
  test('but not in a wave that is stopped', () => {
    const { here } = asked();
    here.act({ action: 'stop', waveId: wave(here)?.id ?? '' });
    finish(here, 'h1', well, away);
    expect(ofH1(here)?.state).toBe('failed');
    expect(wave(here)?.state).toBe('stopped');
  });

  test('nor where the host gate does not pass', () => {
    const { here } = asked();
    finish(here, 'h1', { ok: false, reason: 'no network' }, away);
    expect(ofH1(here)?.state).toBe('failed');
    expect(wave(here)?.pausedBy).toBe('the host gate of h1 did not pass: no network');
  });

  test.each([
    ['something was changed', { ...away, changes: [change] }],
    ['the reason does not pass', { ...away, code: 'held' }],
    ['the server has no such repository', { ...away, code: 'repository-missing' }],
  ])('but not where %s', (_, failed) => {
    const { here } = asked();
    expect(ordered(finish(here, 'h1', well, failed))).toEqual([]);
    expect(ofH1(here)?.state).toBe('failed');
    expect(wave(here)?.pausedBy).toContain(unreachable);
  });
});

describe('a wave whose upgrade failed', () => {
  const broken = { ok: false, reason: 'dpkg was interrupted', remedy: 'dpkg --configure -a' };
  const good = { ok: true, reason: '' };
  const failing = (): { here: Scene; waveId: string; level: { level: 'wave'; waveId: string } } => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { stale: [] })]));
    here.act({
      ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
    });
    const waveId = wave(here)?.id ?? '';
    expect(finish(here, 'h1', good, broken).notices.map(({ kind }) => kind)).toEqual([
      'failed',
      'paused',
    ]);
    return { here, waveId, level: { level: 'wave', waveId } };
  };
  const shown = (here: Scene): ReturnType<typeof summarizeWave> | null => {
    const found = wave(here);
    return found === undefined
      ? null
      : summarizeWave(here.fleet, found, { now: here.now, wall: here.wall });
  };

  test('stays open and paused, and says why', () => {
    const { here } = failing();
    here.step({ kind: 'tick' });
    expect(shown(here)).toMatchObject({
      ...{ state: 'paused', endedAt: null },
      pausedBy: 'upgrade of h1: dpkg was interrupted; dpkg --configure -a',
      upgrades: [{ host: 'h1', state: 'failed' }],
    });
  });

  test('goes on when the upgrade is retried and the wave resumed, and ends well', () => {
    const { here, waveId, level } = failing();
    const scope = { of: 'wave', waveId } as const;
    const retried = here.act({ action: 'retry', scope });
    expect(retried.answer).toMatchObject({
      text: `1 upgrade is retried; wave ${waveId} is paused: groundswell resume --wave ${waveId}`,
    });
    expect(ordered(retried)).toEqual([]);
    expect(here.act({ action: 'retry', scope }).answer?.ok).toBe(false);
    expect(ordered(here.act({ action: 'resume', level }))).toEqual(['h1']);
    finish(here, 'h1', good);
    expect(shown(here)).toMatchObject({ state: 'finished', pausedBy: null });
  });

  test('ends when it is resumed without a retry, and says what failed', () => {
    const { here, waveId, level } = failing();
    const { audits, notices } = here.act({ action: 'resume', level });
    expect(shown(here)).toMatchObject({ state: 'finished', upgrades: [{ state: 'failed' }] });
    expect(audits.at(-1)).toMatchObject({
      action: 'wave-finished',
      details: { summary: 'upgrade of h1 failed' },
    });
    expect(notices.at(-1)?.text).toBe(`wave ${waveId} (upgrade) is finished: upgrade of h1 failed`);
  });

  test('can be stopped', () => {
    const { here, waveId } = failing();
    here.act({ action: 'stop', waveId });
    expect(shown(here)).toMatchObject({ state: 'stopped', pausedBy: null });
  });

  test('pauses as well when its host lost the journal in the middle (R15)', () => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { stale: [] })]));
    here.act({
      ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
    });
    here.report('h1', observed([]), { incarnation: 'life-2', seq: 1 });
    expect(shown(here)).toMatchObject({
      ...{ state: 'paused', pausedBy: 'upgrade of h1: the journal of the host was lost' },
    });
  });

  test('a host gate that did not pass keeps its wave, too', () => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { stale: [] })]));
    here.act({
      ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
    });
    finish(here, 'h1', { ok: false, reason: 'no name is resolved' });
    expect(shown(here)?.state).toBe('paused');
    here.act({ action: 'resume', level: { level: 'wave', waveId: wave(here)?.id ?? '' } });
    expect(shown(here)?.state).toBe('finished');
  });
});

test('what an upgrade waits for is said of its wave', () => {
  const here = scene([web()]);
  here.act({
    ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
  });
  const found = wave(here);
  if (found === undefined) throw new Error('no wave');
  expect(summarizeWave(here.fleet, found, { now: here.now, wall: here.wall }).waitsFor).toBe(
    'upgrade of h1: it has not reported yet',
  );
});

test('a pause of a wave ends with it', () => {
  const { here } = asked();
  const waveId = wave(here)?.id ?? '';
  here.act({ action: 'pause', level: { level: 'wave', waveId }, reason: 'lunch' });
  here.act({ action: 'stop', waveId });
  const [grant] = here.fleet.grants.values();
  const { records } = here.report('h1', ended(grant?.id ?? '', 'void'));
  expect(wave(here)?.state).toBe('stopped');
  expect(here.fleet.pauses.size).toBe(0);
  expect(records.map(({ record }) => record.pauses)).toEqual([[], []]);
});
