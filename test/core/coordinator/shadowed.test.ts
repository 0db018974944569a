import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { summarizeServices } from '../../../src/core/coordinator/summarize-services.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import type { ContainerView } from '../../../src/core/messages.ts';
import { untoldOwnFiles } from '../../../src/core/own-files.ts';
import { observed, scene, staleFile, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

/** A copy of a file of the package that `upgraded` patches. */
const copy = {
  path: '/usr/lib/libssl.so.3',
  kind: 'copy',
  ownVersion: null,
  package: 'libssl3',
} as const;
const other = { ...copy, path: '/usr/bin/vim', package: 'vim' } as const;
const newer = { ...copy, ownVersion: '9.0' } as const;

const shadowed = (more: Partial<ContainerView> = {}): ContainerView =>
  view('web-2', { stale: [], shadowed: [copy], ...more });

const upgradedWith = (...containers: ContainerView[]): Scene => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] }), view('web-2', { stale: [] })]));
  for (const container of here.fleet.containers.values()) container.lastVerification = 'verified';
  here.upgraded('h1', containers);
  return here;
};
const moment = ({ now, wall }: Scene): { now: number; wall: Scene['wall'] } => ({ now, wall });
const why = (here: Scene, id = 'h1/web-2') => explainContainer(here.fleet, id, moment(here));
const waveOf = (here: Scene, index = 0) => {
  const wave = [...here.fleet.waves.values()][index];
  if (wave === undefined) throw new Error('no such wave');
  return summarizeWave(here.fleet, wave, moment(here));
};

const named =
  "its own copy of /usr/lib/libssl.so.3 (package libssl3) hides the host's: its owner must mend it";

describe('a container that keeps its own copy of a patched file, and maps that', () => {
  test('leaves the wave as shadowed, named with file and package, and is granted nothing', () => {
    const here = upgradedWith(view('web-1'), shadowed());
    expect(here.grants()).toEqual(['h1/web-1']);
    expect(waveOf(here).members).toMatchObject([
      { container: 'h1/web-1', state: 'restarting' },
      { container: 'h1/web-2', state: 'shadowed', attempts: 0, reason: named },
    ]);
  });

  test('is never said to run the present code, nor to be verified', () => {
    const here = upgradedWith(shadowed());
    expect(why(here)).toMatchObject({
      code: 'shadowed',
      answer: `shadowed: ${named}, a restart cannot`,
      lastVerification: 'shadowed',
      shadowed: ['/usr/lib/libssl.so.3 (package libssl3)'],
    });
    expect(summarizeServices(here.fleet, here.now)).toMatchObject([
      {
        shadowed: 1,
        ownFiles: [{ container: 'h1/web-2', code: 'shadowed', what: named }],
      },
    ]);
    expect(planRestarts(here.fleet, moment(here), () => 1_000)).toMatchObject({
      entries: [],
      notes: [`h1/web-2 is shadowed: ${named}`],
    });
  });

  test('makes a wave of its own, which ends at once and names it, where nothing else is stale', () => {
    const here = scene([web()]);
    here.report('h1', observed([shadowed()]));
    const { notices, audits } = here.upgraded('h1', [shadowed()]);
    expect(waveOf(here)).toMatchObject({ state: 'finished', counts: { shadowed: 1 } });
    expect(notices).toMatchObject([
      {
        kind: 'ended',
        text: expect.stringContaining(`1 shadowed (h1/web-2: ${named})`) as unknown,
      },
    ]);
    expect(audits.map(({ action }) => action)).toEqual(['wave-opened', 'wave-finished']);
  });

  test('is left alone by later looks, and named anew by the next wave without a restart', () => {
    const here = upgradedWith(shadowed());
    for (let times = 0; times < 3; times++) here.report('h1', observed([shadowed()]));
    expect(here.fleet.waves.size).toBe(1);
    here.upgraded('h1', [shadowed()]);
    expect(waveOf(here, 1).members).toMatchObject([{ state: 'shadowed', attempts: 0 }]);
    expect(here.grants()).toEqual([]);
  });

  test('stays in no wave for a copy of what was not patched, and is shadowed all the same', () => {
    const here = upgradedWith(shadowed({ shadowed: [other] }));
    expect(here.fleet.waves.size).toBe(0);
    expect(why(here)?.answer).toContain('its own copy of /usr/bin/vim (package vim)');
  });

  test.each<[string, Partial<ContainerView>]>([
    [
      'something in it could not be read',
      { unreadable: [{ what: 'process 7', reason: 'EACCES' }] },
    ],
    ['it is on its way up or down', { state: 'changing' }],
  ])('stays in the wave while %s, and leaves it as shadowed once that is over', (_, more) => {
    const here = upgradedWith(shadowed(more));
    expect(waveOf(here)).toMatchObject({ state: 'running', members: [{ state: 'pending' }] });
    here.report('h1', observed([shadowed()]));
    expect(waveOf(here)).toMatchObject({
      ...{ state: 'finished', members: [{ state: 'shadowed', attempts: 0, reason: named }] },
    });
  });

  const untold = [{ what: untoldOwnFiles, reason: 'those of 88 more packages are not told' }];

  test('leaves it too where it has more files of its own than are told, and is never said to be current', () => {
    const here = upgradedWith(shadowed({ unreadable: untold }));
    expect(waveOf(here)).toMatchObject({ state: 'finished', members: [{ reason: named }] });
    here.report('h1', observed([shadowed({ shadowed: [newer], unreadable: untold })]));
    expect(why(here)).toMatchObject({ code: 'unknown' });
  });

  test('is taken for one where that cannot be told, once nothing stale is left in it', () => {
    const much = shadowed({ stale: [staleFile], shadowed: [other], unreadable: untold });
    const here = upgradedWith(view('web-1'), much);
    expect(here.grants()).toEqual(['h1/web-1']);
    here.report('h1', observed([view('web-1'), { ...much, stale: [] }]));
    expect(waveOf(here).members).toMatchObject([
      { container: 'h1/web-1' },
      {
        ...{ container: 'h1/web-2', state: 'shadowed', attempts: 0 },
        reason: 'files of its own: those of 88 more packages are not told',
      },
    ]);
  });

  test('that ran old code as well is restarted for that once, and named with its outcome', () => {
    const stale = shadowed({ stale: [staleFile] });
    const here = upgradedWith(stale);
    const [id = ''] = here.fleet.grants.keys();
    here.report('h1', {
      kind: 'restart-finished',
      grantId: id,
      outcome: 'done',
      verification: 'shadowed',
      reason: '',
      steps: [],
      container: shadowed(),
    });
    here.report('h1', observed([shadowed()]));
    expect(waveOf(here).members).toMatchObject([{ state: 'shadowed', attempts: 1, reason: named }]);
    expect(here.grants()).toEqual([]);
  });
});

describe("an owner's own newer version", () => {
  test('is shown as that, opens no wave and is not to be mended', () => {
    const here = upgradedWith(shadowed({ shadowed: [newer] }));
    expect(here.fleet.waves.size).toBe(0);
    expect(why(here)).toMatchObject({
      code: 'own version',
      answer:
        "runs the present code but for its own version 9.0 of libssl3 (/usr/lib/libssl.so.3), newer than the host's",
    });
    expect(summarizeServices(here.fleet, here.now)).toMatchObject([
      { shadowed: 0, ownFiles: [{ container: 'h1/web-2', code: 'own version' }] },
    ]);
  });
});
