import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentEffect } from '../../../src/core/agent/agent.ts';
import { openSqlite } from '../../../src/store/open-sqlite.ts';
import { createAgentLoop } from '../../../src/workers/agent/agent-loop.ts';
import type { AgentLoop } from '../../../src/workers/agent/agent-loop.ts';
import { openJournal } from '../../../src/workers/agent/journal-store.ts';
import type { OpenedJournal } from '../../../src/workers/agent/journal-store.ts';
import { order } from '../../core/agent/agent-scene.ts';
import { createRecordSource, removeTree } from './loop-rig.ts';

let directory: string;
let opened: OpenedJournal;
let loop: AgentLoop;
let failing = false;
let performed: AgentEffect['kind'][] = [];

beforeEach(() => {
  failing = false;
  performed = [];
  directory = mkdtempSync(join(tmpdir(), 'gs-heard-'));
  opened = openJournal(join(directory, 'journal.sqlite'), { open: openSqlite, newId: randomUUID });
  const { store } = opened;
  loop = createAgentLoop({
    ...{ hostId: 'h1', retryMs: 3_600_000, alert: () => undefined, onTurn: () => undefined },
    reserve: { held: () => true, release: () => false, restore: () => true },
    clock: { monoMs: () => 1_000, wallMs: () => 1_000, newId: randomUUID },
    store: {
      ...store,
      commit: (journal, entries, options) => {
        if (failing) throw new Error('the disk is away');
        store.commit(journal, entries, options);
      },
    },
    perform: ({ kind }) => {
      performed.push(kind);
    },
  });
  loop.start();
});
afterEach(() => {
  loop.close();
  opened.store.close();
  removeTree(directory);
});

/** The journal as another process would find it. */
const onDisk = (): ReturnType<OpenedJournal['store']['load']> => opened.store.load();

describe('a control record that was heard (R13)', () => {
  test('is written with the turn that may do something by it, and echoed from then on', () => {
    const source = createRecordSource();
    // The first of a leader has something done by itself (R16).
    loop.dispatch(source.next());
    expect(loop.dispatch(source.next())).toBe(true);
    expect(loop.agent().record?.value.number).toEqual([1, 1, 2]);
    expect([loop.heardRecord(), onDisk().highestRecord]).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
    loop.dispatch({ kind: 'tick' });
    expect(loop.heardRecord()).toEqual([1, 1, 2]);
    expect(onDisk().highestRecord).toEqual([1, 1, 2]);
  });

  test('is written before what follows from it itself is done', () => {
    const source = createRecordSource();
    source.record.incarnation = loop.agent().journal.incarnation;
    performed = [];
    loop.dispatch(source.next());
    expect(performed).toContain('end-stray-stops');
    expect(loop.heardRecord()).toEqual([1, 1, 1]);
    expect(onDisk().highestRecord).toEqual([1, 1, 1]);
  });

  test('is forgotten with all else when the next turn cannot be written', () => {
    const source = createRecordSource();
    for (const record of [source.next(), source.next()]) loop.dispatch(record);
    failing = true;
    expect(loop.dispatch({ kind: 'tick' })).toBe(false);
    expect(loop.heardRecord()).toEqual([1, 1, 1]);
    expect(loop.written()).toBe(null);
    failing = false;
    loop.start();
    expect(loop.agent().record).toBe(null);
    expect(loop.agent().journal.highestRecord).toEqual([1, 1, 1]);
  });
});

describe('a job (R4)', () => {
  test('is on disk before it completes, with a turn that must be or by itself', async () => {
    const source = createRecordSource();
    source.record.incarnation = loop.agent().journal.incarnation;
    loop.dispatch(source.next());
    const states = new Map([['web-1', 'running' as const]]);
    loop.dispatch({ kind: 'stray-stops-ended', states });
    const { incarnation } = loop.agent().journal;
    const taken = loop.journaled({
      ...{ kind: 'job', jobId: 'j', hash: 'j', incarnation, leader: [1, 1], expiresAt: 1e12 },
      job: {
        kind: 'restart-batch',
        payload: { waveId: 'w', grants: [order('g', { beginBefore: 1e12 })] },
      },
    });
    expect(loop.agent().journal.grants.has('g')).toBe(true);
    expect(performed).toContain('check');
    expect(opened.store.synced()).toBe(false);
    expect(await taken).toBe(true);
    expect(opened.store.synced()).toBe(true);
  });
});

describe('a turn (R23)', () => {
  test('that cannot be written has not happened: nothing of it is begun', () => {
    const source = createRecordSource();
    source.record.incarnation = loop.agent().journal.incarnation;
    performed = [];
    failing = true;
    expect(loop.dispatch(source.next())).toBe(false);
    expect(performed).toEqual([]);
  });
});
