import { describe, expect, test } from '@jest/globals';
import type { OperatorAction } from '../../../src/core/coordinator/operator-action.ts';
import type { ContainerView } from '../../../src/core/messages.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const down: Partial<ContainerView> = { state: 'stopped', instance: null, stale: [] };

const waveOf = ({ fleet }: Scene): string => [...fleet.waves.keys()].at(-1) ?? '';
const said = (here: Scene, action: OperatorAction): string => {
  const { answer, audits } = here.act(action);
  if (answer === null) throw new Error('no answer');
  if (!answer.ok)
    expect(audits).toEqual([
      expect.objectContaining({
        ...{ action: 'action-refused', actor: 'ann', outcome: 'refused' },
        details: { asked: action.action, reason: answer.reason },
      }),
    ]);
  return answer.ok ? `ok: ${answer.text}` : answer.reason;
};
const asking = (): Scene =>
  upgradedScene([web({ mode: 'approve' }), web({ name: 'db', match: [{ container: 'db-*' }] })], {
    h1: ['web-1', 'web-2'],
  });
const excluded = (here: Scene): void => {
  here.act({ action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'off' });
};

describe('what is not there is named, with the command that lists what is', () => {
  const reason = 'lunch';
  test.each<[string, OperatorAction]>([
    ['there is no wave w; see: groundswell waves', { action: 'approve', waveId: 'w' }],
    ['there is no wave w; see: groundswell waves', { action: 'decline', waveId: 'w' }],
    ['there is no wave w; see: groundswell waves', { action: 'stop', waveId: 'w' }],
    [
      'there is no wave w; see: groundswell waves',
      { action: 'pause', level: { level: 'wave', waveId: 'w' }, reason },
    ],
    [
      'there is no service wbe; see: groundswell services',
      { action: 'pause', level: { level: 'service', service: 'wbe' }, reason },
    ],
    [
      'there is no host h9; see: groundswell hosts',
      { action: 'pause', level: { level: 'host', hostId: 'h9' }, reason },
    ],
    [
      'there is no host h9; see: groundswell hosts',
      { action: 'pause', level: { level: 'queue', hostId: 'h9' }, reason },
    ],
    [
      'there is no host h9; see: groundswell hosts',
      { action: 'resume', level: { level: 'host', hostId: 'h9' } },
    ],
    [
      'there is no host h9; see: groundswell hosts',
      { action: 'retry', scope: { of: 'host', hostId: 'h9' } },
    ],
    [
      'there is no wave w; see: groundswell waves',
      { action: 'retry', scope: { of: 'wave', waveId: 'w' } },
    ],
    [
      'there is no container h1/x; see: groundswell containers',
      { action: 'retry', scope: { of: 'container', container: 'h1/x' } },
    ],
    ['there is no freeze f; see: groundswell status', { action: 'unfreeze', id: 'f' }],
    [
      'there is no container h1/x; see: groundswell containers',
      { action: 'park', container: 'h1/x' },
    ],
    [
      'there is no container h1/x; see: groundswell containers',
      { action: 'unpark', container: 'h1/x' },
    ],
    [
      'there is no container h1/x; see: groundswell containers',
      { action: 'restart', containers: ['h1/web-1', 'h1/x'], what: '' },
    ],
    [
      'there is no host h9; see: groundswell hosts',
      {
        action: 'upgrade',
        hosts: ['h1', 'h9'],
        mode: 'security',
        packages: [],
        allowRemove: false,
      },
    ],
    [
      'there is no wave w; see: groundswell waves',
      { action: 'allow-outage', waveId: 'w', service: 'web' },
    ],
    [
      'there is no host h9; see: groundswell hosts',
      { action: 'host-exclude', hostId: 'h9', fenced: true, reason },
    ],
  ])('%s', (expected, action) => {
    const here = asking();
    const [waves, pauses] = [here.fleet.waves.size, here.fleet.pauses.size];
    expect(said(here, action)).toBe(expected);
    expect([here.fleet.waves.size, here.fleet.pauses.size]).toEqual([waves, pauses]);
  });

  test('an outage of a service that the wave does not touch, or that is not there', () => {
    const here = asking();
    const waveId = waveOf(here);
    expect(said(here, { action: 'allow-outage', waveId, service: 'db' })).toBe(
      `wave ${waveId} has no container of service db; see: groundswell wave ${waveId}`,
    );
    expect(said(here, { action: 'allow-outage', waveId, service: 'wbe' })).toContain(
      'there is no service wbe',
    );
    expect(said(here, { action: 'allow-outage', waveId, service: 'web' })).toMatch(/^ok/);
    expect(said(here, { action: 'allow-outage', waveId, service: 'web' })).toContain('already');
    expect(here.fleet.waves.get(waveId)?.outagesAllowed).toEqual(['web']);
  });

  test('services that nobody declared, and those of hosts that a wave upgrades, are there', () => {
    const here = scene([]);
    here.report('h1', observed([view('op-1', { stale: [] })]));
    const service = 'h1/unassigned';
    expect(
      said(here, { action: 'pause', level: { level: 'service', service }, reason: '' }),
    ).toMatch(/^ok/);
    here.act({
      ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
    });
    expect(said(here, { action: 'allow-outage', waveId: waveOf(here), service })).toMatch(/^ok/);
  });
});

describe('what means nothing in its present state is refused', () => {
  test('anything about a wave that is stopping or over', () => {
    const here = asking();
    const waveId = waveOf(here);
    here.act({ action: 'approve', waveId });
    here.act({ action: 'stop', waveId });
    const level = { level: 'wave', waveId } as const;
    const actions: OperatorAction[] = [
      { action: 'approve', waveId },
      { action: 'stop', waveId },
      { action: 'pause', level, reason: '' },
      { action: 'allow-outage', waveId, service: 'web' },
    ];
    for (const action of actions)
      expect(said(here, action)).toBe(`wave ${waveId} is stopping: nothing of it begins any more`);
    const [grant] = here.fleet.grants.values();
    here.report('h1', ended(grant?.id ?? '', 'void'));
    for (const action of actions)
      expect(said(here, action)).toBe(`wave ${waveId} is over: it is stopped`);
  });

  test('lifting a pause that is none says which there are; what is gone can still be resumed', () => {
    const here = asking();
    const fleet = { level: 'fleet' } as const;
    expect(said(here, { action: 'resume', level: fleet })).toBe(
      'fleet is not paused; see: groundswell status',
    );
    const level = { level: 'service', service: 'web' } as const;
    here.act({ action: 'pause', level, reason: '' });
    expect(said(here, { action: 'resume', level: fleet })).toBe(
      'fleet is not paused; paused: service web',
    );
    here.fleet.services.delete('web');
    for (const container of here.fleet.containers.values()) container.service = 'h1/unassigned';
    expect(said(here, { action: 'resume', level })).toBe('ok: resumed (service web)');
  });

  test('a retry of what has not failed', () => {
    const scope = { of: 'container', container: 'h1/web-1' } as const;
    expect(said(asking(), { action: 'retry', scope })).toBe(
      'nothing of container h1/web-1 has failed',
    );
  });

  test('a freeze that is over', () => {
    expect(said(asking(), { action: 'freeze', reason: 'sale', until: 5_000 })).toBe(
      'this freeze would be over since 1970-01-01T00:00:05.000Z: name a later end, or none',
    );
  });

  test('parking what is not stopped, or twice, and the other way round', () => {
    const here = asking();
    const container = 'h1/web-1';
    expect(said(here, { action: 'park', container })).toBe(
      'h1/web-1 is running: only one that is stopped can be parked',
    );
    expect(said(here, { action: 'unpark', container })).toBe('h1/web-1 is not parked');
    here.report('h1', observed([view('web-1', down)], { whole: false }));
    expect(said(here, { action: 'park', container })).toMatch(/^ok/);
    expect(said(here, { action: 'park', container })).toBe('h1/web-1 is parked already');
    expect(said(here, { action: 'unpark', container })).toMatch(/^ok/);
  });

  test('a host that is excluded already, and an upgrade of it', () => {
    const here = asking();
    excluded(here);
    expect(said(here, { action: 'host-exclude', hostId: 'h1', fenced: true, reason: '' })).toBe(
      'host h1 is excluded already',
    );
    expect(
      said(here, {
        ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
      }),
    ).toBe('host h1 is excluded: groundswell host add h1');
  });

  test('an upgrade of no packages, or of some and all at once', () => {
    const here = asking();
    const asked = { action: 'upgrade' as const, hosts: ['h1'], allowRemove: false };
    expect(said(here, { ...asked, mode: 'packages', packages: [] })).toContain('no packages');
    const packages = [{ name: 'zlib1g', want: 'newest' as const, version: null }];
    expect(said(here, { ...asked, mode: 'security', packages })).toContain('one of the two');
  });
});

describe('a restart by hand', () => {
  const of = (...names: string[]): OperatorAction => ({
    ...{ action: 'restart', what: 'a test' },
    containers: names.map((name) => `h1/${name}`),
  });

  test('leaves out, and names, what can never be restarted, so that its wave ends', () => {
    const here = scene([web()]);
    here.report(
      'h1',
      observed([
        view('web-1', { stale: [] }),
        view('web-2', { stale: [], onHostRoot: false }),
        view('web-3', down),
        view('web-4', { stale: [], optOut: { reason: 'holds a cache', until: null } }),
      ]),
    );
    expect(said(here, of('web-1', 'web-1', 'web-2', 'web-3', 'web-4'))).toBe(
      `ok: wave ${waveOf(here)} restarts h1/web-1; left out: ${[
        'h1/web-2 (left alone: it does not stand on the host root)',
        'h1/web-3 (stopped: nothing runs in it)',
        'h1/web-4 (opted out: holds a cache)',
      ].join(', ')}; how it goes: groundswell wave ${waveOf(here)} --follow`,
    );
    expect([...(here.fleet.waves.get(waveOf(here))?.members.keys() ?? [])]).toEqual(['h1/web-1']);
  });

  test('of nothing that can be restarted is refused', () => {
    const here = asking();
    excluded(here);
    const waves = here.fleet.waves.size;
    expect(said(here, of('web-1'))).toBe(
      'nothing there can be restarted: h1/web-1 (its host is excluded: groundswell host add h1)',
    );
    expect(here.fleet.waves.size).toBe(waves);
  });
});

test.each<[string, OperatorAction]>([
  ['wave w', { action: 'stop', waveId: 'w' }],
  ['fleet', { action: 'resume', level: { level: 'fleet' } }],
  ['host h9', { action: 'retry', scope: { of: 'host', hostId: 'h9' } }],
  ['fleet', { action: 'freeze', reason: 'sale', until: 5_000 }],
  ['freeze f', { action: 'unfreeze', id: 'f' }],
  ['container h1/x', { action: 'park', container: 'h1/x' }],
  ['container h1/x', { action: 'restart', containers: ['h1/x'], what: '' }],
  ['2 containers', { action: 'restart', containers: ['h1/x', 'h1/y'], what: '' }],
  [
    'host h9',
    { action: 'upgrade', hosts: ['h9'], mode: 'security', packages: [], allowRemove: false },
  ],
  ['host h9', { action: 'host-remove', hostId: 'h9' }],
])('the record of a refused action is about %s: %j', (subject, action) => {
  const { audits } = asking().act(action);
  expect(audits).toMatchObject([{ action: 'action-refused', subject, waveId: null, cause: null }]);
});

test('the record of a refused action is found by its wave, where there is one', () => {
  const here = asking();
  const waveId = waveOf(here);
  here.act({ action: 'approve', waveId });
  here.act({ action: 'stop', waveId });
  const { audits } = here.act({ action: 'pause', level: { level: 'wave', waveId }, reason: '' });
  expect(audits).toMatchObject([{ action: 'action-refused', subject: `wave ${waveId}`, waveId }]);
});
