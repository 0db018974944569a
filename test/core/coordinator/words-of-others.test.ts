import { describe, expect, test } from '@jest/globals';
import type { Grant } from '../../../src/core/coordinator/fleet.ts';
import type { Report } from '../../../src/core/messages.ts';
import { ended, observed, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';
import { hostOf } from './restored-scene.ts';

/** Ids of others stand in Redis, where each host may read them. */
describe('one host that is in others’ hands speaks of what others hold', () => {
  const attacked = (): { here: Scene; grant: Grant } => {
    const here = upgradedScene([web()], { h1: ['web-1'], evil: ['x'] });
    const grant = [...here.fleet.grants.values()].find(({ host }) => host === 'h1');
    if (grant === undefined) throw new Error('nothing was granted');
    return { here, grant };
  };
  const upgradeFinished = (grantId: string, waveId: string): Report => ({
    ...{ kind: 'upgrade-finished', jobId: 'j', grantId, waveId, ok: false, reason: '' },
    ...{ remedy: '', changes: [], transcript: '', gate: { ok: false, reason: 'no network' } },
  });

  test('and ends no grant of them (R20)', () => {
    const { here, grant } = attacked();
    here.report('evil', { kind: 'restart-progress', grantId: grant.id, step: 'healthy', at: 0 });
    here.report('evil', { ...ended(grant.id, 'void'), outcome: 'done' } as Report);
    here.report('evil', upgradeFinished(grant.id, grant.waveId));
    const { closes } = here.report('evil', {
      ...{ kind: 'job-refused', jobId: grant.jobId, reason: '', endsGrants: [grant.id] },
    });
    expect(closes).not.toContain(grant.jobId);
    expect(here.fleet.grants.get(grant.id)?.step).toBeNull();
  });

  test('and pauses no wave with its gate', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], evil: [] });
    const [wave] = here.fleet.waves.values();
    here.report('evil', upgradeFinished('g', wave?.id ?? ''));
    expect(wave?.pausedBy).toBeNull();
  });

  test('and enlarges no wave with what it says that it was upgraded for', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], evil: [] });
    const [wave] = here.fleet.waves.values();
    here.report('evil', {
      ...{ kind: 'host-upgraded', transaction: 2, gate: null, containers: [view('x')] },
      origin: { by: 'job', jobId: 'j', waveId: wave?.id ?? '' },
      changes: [{ name: 'bash', arch: 'amd64', source: 'bash', from: '1', to: '2' }],
    });
    expect([...(wave?.members.keys() ?? [])]).toEqual(['h1/web-1']);
  });

  test('and fills no memory with grants that nobody gave', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], evil: [] });
    for (let turn = 0; turn < 20; turn += 1)
      here.report(
        'evil',
        observed([], {
          openGrants: Array.from({ length: 400 }, (_, index) => ({
            ...{ grantId: `e${turn}-${index}`, waveId: '', container: 'x' },
            ...{ step: 'stopping' as const, failed: false },
          })),
        }),
      );
    expect(here.fleet.grants.size).toBeLessThan(1_010);
    expect(hostOf(here, 'evil').known).toBe(false);
  });

  test('and keeps nothing of theirs from being counted (I1)', () => {
    const here = upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'], evil: [] });
    here.fleet.grants.clear();
    for (const wave of here.fleet.waves.values())
      for (const member of wave.members.values()) member.state = 'pending';
    const openGrants = [
      { grantId: 'g9', waveId: 'w', container: 'web-1', step: 'stopping' as const, failed: false },
    ];
    here.act({ action: 'pause', level: { level: 'fleet' }, reason: '' });
    here.report('evil', observed([], { openGrants }));
    const { notices } = here.report('h1', observed([view('web-1')], { openGrants }));
    here.act({ action: 'resume', level: { level: 'fleet' } });
    expect(here.grants()).toEqual(['evil/web-1']);
    expect(notices.map(({ text }) => text).join()).toContain('h1 and evil');
    here.act({ action: 'host-exclude', hostId: 'evil', fenced: true, reason: '' });
    here.report('h1', observed([view('web-1')], { openGrants }));
    expect(here.grants()).toEqual(['h1/web-1']);
    expect(hostOf(here, 'h1').known).toBe(true);
  });
});
