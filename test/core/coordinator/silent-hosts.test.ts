import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { fleetAlerts } from '../../../src/core/coordinator/standing-alerts.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const silent =
  'host h1 is silent: see to its agent; if its machine is off: groundswell host exclude h1 --fenced';

const looks = (here: Scene, hostId: string): Commands => {
  here.step({ kind: 'record-wanted', host: hostId });
  const name = hostId === 'h1' ? 'web-1' : 'web-2';
  return here.report(hostId, observed([view(name, { stale: [] })]));
};
const twoHosts = (): Scene => {
  const here = scene([web()], {}, [{ id: 'h1' }, { id: 'h2' }]);
  for (const hostId of ['h1', 'h2']) looks(here, hostId);
  return here;
};
/** `hosts` fall silent while time passes; the others go on. */
const passes = (here: Scene, ms: number, heard: string[]): Commands[] => {
  here.now += ms;
  return [here.step({ kind: 'tick' }), ...heard.map((hostId) => looks(here, hostId))];
};
const ask = (here: Scene): Commands =>
  here.act({
    ...{ action: 'upgrade', hosts: ['h1', 'h2'], mode: 'packages', allowRemove: false },
    packages: [{ name: 'libssl3', want: 'newest', version: null }],
  });
const ordered = (all: Commands[]): string[] =>
  all.flatMap(({ sends }) =>
    sends.filter(({ kind }) => kind === 'host-upgrade').map(({ host }) => host),
  );
const shown = (here: Scene): ReturnType<typeof summarizeWave> => {
  const [wave] = here.fleet.waves.values();
  if (wave === undefined) throw new Error('no wave');
  return summarizeWave(here.fleet, wave, here);
};
const finish = (here: Scene, hostId: string): Commands => {
  const [grant] = [...here.fleet.grants.values()].filter(({ host }) => host === hostId);
  return here.report(hostId, {
    ...{ kind: 'upgrade-finished', jobId: grant?.jobId ?? '', grantId: grant?.id ?? '' },
    ...{ waveId: grant?.waveId ?? '', ok: true, reason: '', remedy: '', changes: [] },
    ...{ transcript: '', gate: { ok: true, reason: '' } },
  });
};

describe('R29: an upgrade of several hosts, one of which is silent', () => {
  test('is not ordered there, goes on with the next, and comes to it once it is heard', () => {
    const here = twoHosts();
    passes(here, 100_000, ['h2']);
    expect(ordered([ask(here)])).toEqual(['h2']);
    expect(shown(here)).toMatchObject({
      upgrades: [
        { host: 'h1', state: 'pending', reason: silent },
        { host: 'h2', state: 'running' },
      ],
      waitsFor: `upgrade of h1: ${silent}`,
    });
    finish(here, 'h2');
    expect(ordered(passes(here, 1_000, ['h1', 'h2']))).toEqual(['h1']);
  });

  test('that falls silent after the order holds the others, by its gate, and all say so', () => {
    const here = twoHosts();
    expect(ordered([ask(here)])).toEqual(['h1']);
    const later = passes(here, 100_000, ['h2']);
    const told = later.flatMap(({ notices }) => notices.map(({ kind, text }) => [kind, text]));
    expect(told).toEqual([['alert', `upgrade of h1: ${silent}`]]);
    expect(fleetAlerts(here.fleet, here)).toEqual([
      { since: here.wall.ms - 100_000, text: `upgrade of h1: ${silent}` },
    ]);
    expect(passes(here, 1_000, ['h2']).flatMap(({ notices }) => notices)).toEqual([]);
    expect(shown(here)).toMatchObject({
      upgrades: [
        { host: 'h1', state: 'running', reason: silent },
        { host: 'h2', reason: `waits for the upgrade of h1 and its host gate; ${silent}` },
      ],
      waitsFor: `upgrade of h1 waits: ${silent}`,
    });
    const excluded = { action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'off' } as const;
    expect(ordered([here.act(excluded)])).toEqual(['h2']);
  });

  test('that was ordered, and came too late to be begun, is ordered anew and fails nothing', () => {
    const here = twoHosts();
    ask(here);
    const [grant] = here.fleet.grants.values();
    passes(here, 31_000, ['h1', 'h2']);
    const answer = here.report('h1', {
      ...{ kind: 'job-refused', jobId: grant?.jobId ?? '', reason: 'expired' },
      endsGrants: [grant?.id ?? ''],
    });
    expect(shown(here)).toMatchObject({ state: 'running', failures: 0 });
    expect(ordered([answer])).toEqual(['h1']);
  });
});

describe('a retry on a silent host is refused, with the reason', () => {
  test('of a restart; one that can be done is done, and the other named', () => {
    const here = upgradedScene(
      [web({ budget: { maxUnavailable: 2 } })],
      { h1: ['web-1'], h2: ['web-2'] },
      { canaries: 2, maxFailures: 2 },
    );
    for (const { id, host } of [...here.fleet.grants.values()])
      here.report(host, ended(id, 'failed'));
    here.now += 100_000;
    here.step({ kind: 'record-wanted', host: 'h2' });
    here.report('h2', observed([view('web-2')]));
    const [waveId = ''] = here.fleet.waves.keys();
    const retry = (container: string): unknown =>
      here.act({ action: 'retry', scope: { of: 'container', container } }).answer;
    expect(retry('h1/web-1')).toEqual({ ok: false, reason: `h1/web-1: ${silent}` });
    expect(here.act({ action: 'retry', scope: { of: 'wave', waveId } }).answer).toMatchObject({
      text: `1 restart is retried; not retried: h1/web-1: ${silent}`,
    });
  });

  test('of an upgrade', () => {
    const here = twoHosts();
    ask(here);
    const [grant] = here.fleet.grants.values();
    here.report('h1', ended(grant?.id ?? '', 'refused'));
    here.now += 100_000;
    expect(here.act({ action: 'retry', scope: { of: 'host', hostId: 'h1' } }).answer).toEqual({
      ok: false,
      reason: `upgrade of h1: ${silent}`,
    });
  });
});

test('a restart in flight on a host that has fallen silent says so (L4)', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  here.now += 100_000;
  expect(explainContainer(here.fleet, 'h1/web-1', here)?.answer).toContain(
    `its restart waits (granted): ${silent}; process 812`,
  );
  expect(shown(here).waitsFor).toBe(`h1/web-1 waits: ${silent}`);
});
