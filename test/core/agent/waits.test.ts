import { describe, expect, test } from '@jest/globals';
import { agentScene, order, wallBase } from './agent-scene.ts';
import type { AgentScene } from './agent-scene.ts';

const locked = { atRest: { ok: false, reason: 'apt-get (process 812) holds lock-frontend' } };

const look = (here: AgentScene, longTransaction: string | null = null) => {
  here.step({
    kind: 'host-observed',
    longTransaction,
    observed: {
      ...{ whole: false, containers: [], settingsHashes: {}, atRest: true, atRestReason: '' },
      ...{
        rebootRequired: [],
        staleHostProcesses: [],
        platform: 'debian-12',
        agentStale: false,
        problems: [],
      },
    },
  });
  const last = here.reports().at(-1);
  return last?.kind === 'host-observed' ? last.waits : null;
};

describe('L4: what a grant waits for', () => {
  test('stands in each observation while it waits, and no report is made of it by itself', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.check('g', locked);
    const before = here.reports().length;
    here.mono += 900;
    here.step({ kind: 'tick' });
    expect(here.reports()).toHaveLength(before);
    expect(look(here)).toEqual([
      {
        grantId: 'g',
        reason: 'the package database is not at rest: apt-get (process 812) holds lock-frontend',
      },
    ]);
  });

  test('is not told any more once it goes on, or is over', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.check('g', locked);
    here.mono += 1_000;
    here.step({ kind: 'tick' });
    here.check('g');
    expect(look(here)).toEqual([]);
  });

  test('is told of an upgrade as well', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.check('g');
    here.upgrade();
    expect(look(here)).toContainEqual({ grantId: 'ug', reason: 'web-1 is being restarted' });
  });

  test('an upgrade that is at work waits for the package manager, once that takes long', () => {
    const here = agentScene();
    expect(look(here, 'the postinst of tzdata')).toEqual([]);
    here.upgrade();
    expect(look(here)).toEqual([]);
    expect(look(here, 'the postinst of tzdata')).toEqual([
      { grantId: 'ug', reason: 'the postinst of tzdata' },
    ]);
    expect(look(here)).toEqual([]);
  });
});

test('the record of a restart has each step by the wall clock and by the server’s', () => {
  const here = agentScene();
  here.job('j', [order('g')]);
  here.stopping('g');
  here.mono += 0.25;
  const stopped = here.step({ kind: 'stop-over', grantId: 'g', state: 'gone', instance: null });
  const { details } = stopped.audits.at(-1) ?? {};
  expect(details?.['steps']).toContainEqual({
    ...{ step: 'stopping', at: new Date(wallBase + 1_000).toISOString(), serverMs: 1_000_000 },
  });
});
