import { describe, expect, test } from '@jest/globals';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import { pauseState } from '../../../src/core/coordinator/pause-state.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import type { HostUpgrade, PauseLevel } from '../../../src/core/messages.ts';
import { agentScene, doing } from '../agent/agent-scene.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

/** Two hosts, so that an upgrade of all security updates is disruptive; `web` is on the first alone. */
const twoHosts = (): Scene => {
  const api = web({ name: 'api', match: [{ container: 'api-*' }] });
  const here = scene([web(), api], {}, [{ id: 'h1' }, { id: 'h2' }]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  here.report('h2', observed([view('api-1', { stale: [] })]));
  return here;
};

const ask = (here: Scene, mode: 'packages' | 'security'): Commands =>
  here.act({
    ...{ action: 'upgrade', hosts: ['h1'], mode, allowRemove: false },
    packages: mode === 'security' ? [] : [{ name: 'libssl3', want: 'newest', version: null }],
  });

const orderOf = ({ sends }: Commands): HostUpgrade | null => {
  const [send] = sends.filter(({ kind }) => kind === 'host-upgrade');
  return send?.kind === 'host-upgrade' ? send.payload : null;
};

const waitsFor = (here: Scene): string | null => {
  const wave = [...here.fleet.waves.values()].at(-1);
  if (wave === undefined) throw new Error('no wave');
  return summarizeWave(here.fleet, wave, here).waitsFor;
};

type Row = [what: string, mode: 'packages' | 'security', level: PauseLevel, remedy: string | null];

/** R31: which pauses hold an upgrade of h1, and what lifts them. */
const rows: Row[] = [
  ['the fleet', 'packages', { level: 'fleet' }, 'groundswell resume'],
  ['its host', 'packages', { level: 'host', hostId: 'h1' }, 'groundswell resume --host h1'],
  ['its queue', 'packages', { level: 'queue', hostId: 'h1' }, 'groundswell resume --queue h1'],
  ['another host', 'packages', { level: 'host', hostId: 'h2' }, null],
  ['another queue', 'packages', { level: 'queue', hostId: 'h2' }, null],
  ['a service on it', 'packages', { level: 'service', service: 'web' }, null],
  [
    'a service on it, and it is disruptive',
    'security',
    { level: 'service', service: 'web' },
    'groundswell resume --service web',
  ],
  [
    'a service that is elsewhere, and it is disruptive',
    'security',
    { level: 'service', service: 'api' },
    null,
  ],
];

test('the plan names an upgrade that is held, its wave, and every freeze with what lifts it', () => {
  const here = twoHosts();
  const ids = ['a holiday', 'a sale'].map((reason) => {
    const { answer } = here.act({ action: 'freeze', reason, until: null });
    return answer?.ok === true ? answer.id : null;
  });
  ask(here, 'packages');
  const [wave] = here.fleet.waves.keys();
  const { upgrades, notes } = planRestarts(here.fleet, here, () => 1);
  expect(upgrades).toEqual([
    {
      ...{ waveId: wave, host: 'h1', cause: 'libssl3' },
      now: `freeze: a holiday; groundswell unfreeze ${ids[0] ?? ''}, and freeze: a sale; groundswell unfreeze ${ids[1] ?? ''}`,
    },
  ]);
  expect(notes).toEqual([
    `nothing starts while the freeze holds: a holiday; groundswell unfreeze ${ids[0] ?? ''}`,
    `nothing starts while the freeze holds: a sale; groundswell unfreeze ${ids[1] ?? ''}`,
  ]);
  for (const id of ids) here.act({ action: 'unfreeze', id: id ?? '' });
  expect(planRestarts(here.fleet, here, () => 1)).toMatchObject({ upgrades: [], notes: [] });
});

describe('a pause of', () => {
  test.each(rows)('%s (%s): the server orders or holds', (_, mode, level, remedy) => {
    const here = twoHosts();
    here.act({ action: 'pause', level, reason: 'lunch' });
    const ordered = orderOf(ask(here, mode));
    expect(ordered === null).toBe(remedy !== null);
    if (remedy === null) return;
    expect(waitsFor(here)).toMatch(new RegExp(` is paused by ann: lunch; ${remedy}$`));
    expect(orderOf(here.act({ action: 'resume', level }))).not.toBeNull();
  });

  test.each(rows)('%s (%s): its agent holds what the server holds', (_, mode, level, remedy) => {
    const order = orderOf(ask(twoHosts(), mode));
    const here = agentScene();
    // A record tells of no other host's pauses.
    const own = !('hostId' in level) || level.hostId === 'h1';
    here.record(3, { pauses: own ? [level] : [] });
    const begun = doing(here.upgrade(order?.services));
    expect(begun).toEqual(remedy === null ? ['run-upgrade'] : []);
    expect(here.agent.waiting.get('ug')?.endsWith(`is paused: ${remedy ?? ''}`) ?? false).toBe(
      remedy !== null,
    );
  });

  test('another wave holds nothing, its own does, on both sides', () => {
    for (const [waveId, held] of [
      ['another', false],
      ['w', true],
    ] as const) {
      const here = agentScene();
      here.record(3, { pauses: [{ level: 'wave', waveId }] });
      expect(doing(here.upgrade())).toEqual(held ? [] : ['run-upgrade']);
    }
    const here = twoHosts();
    here.act({ action: 'restart', containers: ['h2/api-1'], what: 'api' });
    const [other = ''] = here.fleet.waves.keys();
    here.act({ action: 'pause', level: { level: 'wave', waveId: other }, reason: '' });
    expect(orderOf(ask(here, 'packages'))).not.toBeNull();
  });

  test('a service is not over while an upgrade has a unit of it, and asks that one back', () => {
    const here = twoHosts();
    ask(here, 'security');
    const level = { level: 'service', service: 'web' } as const;
    expect(here.act({ action: 'pause', level, reason: '' }).answer).toMatchObject({
      text: 'pausing (service web): 1 in flight (h1)',
    });
    expect([...here.fleet.grants.values()].map(({ voidAsked }) => voidAsked)).toEqual(['paused']);
    expect(pauseState(here.fleet, { level: 'service', service: 'api' }, here.now).state).toBe(
      'paused',
    );
  });

  test('a service concerns what was given for another one and has come to it since (R18)', () => {
    const here = twoHosts();
    here.act({ action: 'restart', containers: ['h1/web-1'], what: 'web' });
    here.fleet.services.set('site', web({ name: 'site' }));
    here.fleet.services.delete('web');
    here.report('h1', observed([view('web-1', { stale: [] })]));
    const level = { level: 'service', service: 'site' } as const;
    expect(here.act({ action: 'pause', level, reason: '' }).answer).toMatchObject({
      text: 'pausing (service site): 1 in flight (h1/web-1)',
    });
  });
});
