import { describe, expect, test } from '@jest/globals';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
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

const finish = (here: Scene, hostId: string, gate: { ok: boolean; reason: string }): Commands => {
  const [grant] = [...here.fleet.grants.values()].filter(({ host }) => host === hostId);
  return here.report(hostId, {
    ...{ kind: 'upgrade-finished', jobId: grant?.jobId ?? '', grantId: grant?.id ?? '' },
    ...{ waveId: grant?.waveId ?? '', ok: true, reason: '', remedy: '', changes: [] },
    ...{ transcript: '', gate },
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
