import { describe, expect, test } from '@jest/globals';
import { agentScene, doing, instance, order } from './agent-scene.ts';

const kinds = (here: ReturnType<typeof agentScene>): string[] =>
  here.reports().map((report) => report.kind);

describe('taking jobs', () => {
  test('a redelivery does nothing and is answered again (R5)', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.check('g');
    const before = here.reports().length;
    expect(doing(here.job('j', [order('g')]))).toEqual([]);
    expect(here.reports().slice(before)).toMatchObject([
      { kind: 'restart-progress', step: 'draining' },
    ]);
  });

  test('other content under a known id is not answered (R7)', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    const before = here.reports().length;
    here.job('j', [order('h')], { hash: 'forged' });
    expect(here.reports()).toHaveLength(before);
    expect(here.agent.journal.grants.has('h')).toBe(false);
  });

  test.each([
    ['expired', { expiresAt: 999_999 }],
    ['for another incarnation', { incarnation: 'life-0' }],
  ])('%s: refused for ever (R6)', (_, more) => {
    const here = agentScene();
    // The server calls its containers unknown until they are told again, changed or not (R10).
    expect(here.job('j', [order('g')], more).effects).toContainEqual({
      kind: 'observe',
      container: null,
    });
    expect(here.reports()).toMatchObject([{ kind: 'job-refused', endsGrants: ['g'] }]);
    expect(here.job('j2', [order('g')]).effects).toContainEqual({
      kind: 'observe',
      container: order('g').container,
    });
    expect(here.reports().at(-1)).toMatchObject({ kind: 'restart-finished', outcome: 'refused' });
    expect(here.agent.journal.grants.size).toBe(0);
  });

  test('a refusal never ends a grant that is held (R6)', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.job('j2', [order('g')], { expiresAt: 0 });
    expect(here.reports().at(-1)).toMatchObject({ kind: 'job-refused', endsGrants: [] });
  });

  test('void before it arrived: answered, and refused for ever (R20)', () => {
    const here = agentScene();
    here.record(3, { voids: ['g'] });
    here.record(4, { voids: ['g'] });
    expect(here.reports()).toMatchObject([{ kind: 'restart-finished', outcome: 'void' }]);
    here.job('j', [order('g')]);
    expect(here.reports().at(-1)).toMatchObject({ outcome: 'void' });
    expect(here.agent.journal.grants.size).toBe(0);
  });

  test('an id is forgotten a day after it expired, but never while its grant is open (R5)', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.job('k', [order('h', { container: 'web-2' })], { expiresAt: 0 });
    here.stopping('g');
    here.step({ kind: 'stop-over', grantId: 'g', state: 'stopped', instance: null });
    here.mono += 2 * 86_400_000;
    here.step({ kind: 'tick' });
    expect([...here.agent.journal.jobs.keys()]).toEqual(['j']);
  });

  test('reports are kept until they are acknowledged (R8)', () => {
    const here = agentScene();
    here.job('j', [order('g')]);
    here.check('g');
    here.record(3, { ackedSeq: 1 });
    expect([...here.agent.journal.reports.keys()]).toEqual([2]);
  });
});

describe('R15: journals that are lost or rolled back', () => {
  test('an acknowledgement above its own last number begins a new incarnation', () => {
    const here = agentScene();
    const { audits } = here.record(3, { ackedSeq: 5 });
    expect(here.agent.journal).toMatchObject({ incarnation: 'life-2', settled: false, lastSeq: 0 });
    expect(audits.map(({ action }) => action)).toEqual(['incarnation-begun']);
  });

  test('until it is settled it refuses nothing of another incarnation, and works on nothing', () => {
    const here = agentScene(false);
    here.job('j', [order('g')], { incarnation: 'life-0' });
    expect(kinds(here)).toEqual([]);
    expect(here.agent.journal.jobs.size).toBe(0);
  });

  test('nobody’s owner is blamed for what goes down meanwhile', () => {
    const here = agentScene(false);
    const see = (state: 'running' | 'stopped') =>
      here.step({
        kind: 'observed',
        name: 'web-1',
        state,
        instance: state === 'running' ? instance : null,
        ...{ identity: null, bootId: instance.bootId },
      });
    see('running');
    see('stopped');
    expect(here.agent.journal.containers.get('web-1')?.ownerStopped).toBe(false);
    here.step({ kind: 'stray-stops-ended', states: new Map([['web-1', 'stopped']]) });
    see('stopped');
    expect(here.agent.journal.containers.get('web-1')?.ownerStopped).toBe(false);
  });

  test.each([
    ['draining', 'running', ['undrain']],
    [
      'draining',
      'stopped',
      [
        'alert: web-1 is down and its journal is lost: start it, or park it (groundswell container park)',
        'undrain',
      ],
    ],
    ['stopping', 'stopped', ['start']],
    ['stopping', 'running', ['watch-health']],
    ['undrained', 'running', ['watch-health']],
  ] as const)('a suspect grant last seen %s, its container %s', (step, state, expected) => {
    const here = agentScene(false);
    const suspects = [{ grantId: 'g', container: 'web-1', step }];
    here.agent.strayBusy = true;
    here.record(3, { suspects });
    const states = new Map([['web-1', state]]);
    expect(doing(here.step({ kind: 'stray-stops-ended', states }))).toEqual(expected);
  });

  test.each([[['g', 'r']], [['r', 'g']]])(
    'one that is ours to start is started, and nobody is asked about it, though a retry of it was lost as well: %j',
    (ids) => {
      const here = agentScene(false);
      const all = [
        { grantId: 'g', container: 'web-1', step: 'stopped' },
        { grantId: 'r', container: 'web-1', step: 'journaled' },
      ] as const;
      here.agent.strayBusy = true;
      here.record(3, { suspects: ids.flatMap((id) => all.filter((one) => one.grantId === id)) });
      const states = new Map([['web-1', 'stopped']] as const);
      // What the first one's drain did is undone once it is healthy, not for the retry while it is down.
      expect(doing(here.step({ kind: 'stray-stops-ended', states }))).toEqual(['start']);
      expect(here.agent.journal.grants.get('r')?.end).toMatchObject({ outcome: 'void' });
    },
  );

  test('what was never restarted ends void, not stale', () => {
    const here = agentScene(false);
    here.record(3, { suspects: [{ grantId: 'g', container: 'web-1', step: 'stopping' }] });
    here.step({ kind: 'stray-stops-ended', states: new Map([['web-1', 'running']]) });
    here.step({ kind: 'health', grantId: 'g', result: 'healthy', reason: '' });
    here.step({ kind: 'undrained', grantId: 'g', ok: true, reason: '' });
    here.step({
      ...{ kind: 'verified', grantId: 'g', transactions: 0, atRest: true },
      ...{ verification: 'stale', container: null },
    });
    expect(here.reports().at(-1)).toMatchObject({ grantId: 'g', outcome: 'void' });
  });
});
