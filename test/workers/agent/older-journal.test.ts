import { expect, test } from '@jest/globals';
import { journalOf } from '../../../src/workers/agent/journal-rows.ts';

const instance = { bootId: 'b', initPid: 100, startTime: '1' };

test('a journal of before steps had a wall clock, observations what is waited for, and containers what they leave, is read', () => {
  const head = { incarnation: 'life-1', settled: true, lastSeq: 1, highestRecord: null };
  const order = {
    ...{ grantId: 'g', container: 'web-1', service: 'web', settingsHash: 'h', attempt: 1 },
    ...{ expect: { kind: 'instance', instance }, beginBefore: 1, deadline: 1 },
    ...{ byHand: false, onlyIfBroken: false, patched: null },
  };
  const grant = {
    ...{ order, waveId: 'w', jobId: 'j', step: 'stopping', child: null, found: null },
    steps: [{ step: 'stopping', at: 5.5 }],
    ...{ failed: false, adopted: false, tookOver: null, stopping: instance, ending: null },
    ...{ verification: null, end: null },
  };
  const upgrade = {
    ...{ waveId: 'w', grantId: 'ug', mode: 'security', packages: [], allowRemove: false },
    ...{ services: [], beginBefore: 1, deadline: 1 },
  };
  const view = {
    ...{ name: 'web-1', groups: [], address: null, onHostRoot: true, state: 'running', instance },
    ...{ health: 'healthy', healthReason: '', stale: [], shadowed: [], unreadable: [] },
    ...{ ownerStopped: false, optOut: null, unhidden: [] },
  };
  const observed = {
    ...{ kind: 'host-observed', whole: true, containers: [view], settingsHashes: {} },
    ...{ openGrants: [], atRest: true, atRestReason: '', rebootRequired: [] },
    ...{ staleHostProcesses: [], platform: 'debian-12', agentStale: false },
  };
  const row = (part: string, key: string, value: object) => ({
    ...{ part, key, body: JSON.stringify(value) },
  });
  const journal = journalOf([
    row('scalars', '', { ...head, transactions: 0 }),
    row('grants', 'g', grant),
    row('upgrades', 'u', { order: upgrade, jobId: 'u', step: 'waiting' }),
    row('reports', '1', observed),
    row('containers', 'web-1', { instance, ownerStopped: false }),
  ]);
  expect(journal.grants.get('g')?.steps).toEqual([{ step: 'stopping', at: 5.5, wallMs: null }]);
  expect(journal.upgrades.get('u')).toMatchObject({ step: 'waiting', noRoom: null, end: null });
  expect(journal.reports.get(1)).toMatchObject({
    ...{ waits: [], containers: [{ oldForm: false, rootNote: '', parked: null, died: false }] },
  });
  expect(journal.containers.get('web-1')).toEqual({
    ...{ instance, identity: null, ownerStopped: false, died: false, traces: null },
  });
});
