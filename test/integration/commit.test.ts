import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyChain } from '../../src/audit/chain.ts';
import { emptyFleet } from '../../src/core/coordinator/fleet.ts';
import type { Fleet } from '../../src/core/coordinator/fleet.ts';
import type { Commands } from '../../src/core/coordinator/step.ts';
import { newSigningKey } from '../../src/jobs/signing-key.ts';
import { loadFleet } from '../../src/store/fleet-rows.ts';
import { acquireLease, LeaseLost } from '../../src/store/lease.ts';
import type { Lease } from '../../src/store/lease.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { insertOutbox, openOutbox } from '../../src/store/outbox.ts';
import { createCommit } from '../../src/workers/control/commit.ts';
import { observed, scene, view, web } from '../core/coordinator/fleet-scene.ts';

let directory: string;
let store: Store;
let lease: Lease;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-commit-'));
  store = await openStore(join(directory, 'store.db'));
  lease = await lead('a');
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const lead = async (holder: string): Promise<Lease> => {
  const { db, databaseNow } = store;
  const acquired = await acquireLease(db, { databaseNow, holder, ttlMs: 60_000, seize: true });
  if (acquired.kind !== 'leader') throw new Error(`${holder} does not lead`);
  return acquired.lease;
};

const committer = () =>
  createCommit({
    ...{ store, lease, key: newSigningKey(), serverNow: () => 1_000 },
    ...{ wallNow: () => new Date(5_000), alert: () => undefined },
  });

/** A fleet, and the steps that led to its first grant and the job that brings it. */
const decided = (): { fleet: Fleet; commands: Commands[]; jobId: string; grantId: string } => {
  const here = scene([web()]);
  const commands = [
    here.act({ action: 'host-add', hostId: 'h2', zone: '', cap: null }),
    here.report('h1', observed([view('web-1', { stale: [] })])),
    here.upgraded('h1', [view('web-1')]),
    here.step({ kind: 'tick' }),
  ];
  const [job] = commands
    .flatMap(({ sends }) => sends)
    .filter(({ kind }) => kind === 'restart-batch');
  const [grantId] = here.fleet.grants.keys();
  if (job === undefined || grantId === undefined) throw new Error('nothing was granted');
  return { fleet: here.fleet, commands, jobId: job.jobId, grantId };
};

/** What the store holds of decisions, as another process would find it. */
const stored = async () => {
  const fleet = emptyFleet(decided().fleet.settings, 1, 1);
  await loadFleet(store.db, fleet);
  const records = await store.db
    .selectFrom('audit_records')
    .select(['seq', 'hash', 'record'])
    .orderBy('seq')
    .execute();
  return {
    grants: [...fleet.grants.keys()],
    jobs: (await openOutbox(store.db)).map(({ jobId }) => jobId),
    records: records.map((row) => ({
      ...row,
      record: JSON.parse(row.record) as Record<string, unknown>,
    })),
  };
};

describe('a decision (R19)', () => {
  test('is durable with its grant, its records and its job, which waits for its answer', async () => {
    const { fleet, commands, jobId, grantId } = decided();
    await committer()({ fleet, commands, reports: [] });
    const { grants, jobs, records } = await stored();
    expect(grants).toEqual([grantId]);
    expect(jobs).toContain(jobId);
    expect(records.map(({ record }) => record['grant'])).toContain(grantId);
    expect(verifyChain(records)).toMatchObject({ kind: 'intact' });
    const closing: Commands = { ...noCommand(commands), closes: [jobId] };
    await committer()({ fleet, commands: [closing], reports: [] });
    expect((await stored()).jobs).not.toContain(jobId);
  });

  test('of a leader that was replaced leaves nothing', async () => {
    const { fleet, commands } = decided();
    await lead('b');
    await expect(committer()({ fleet, commands, reports: [] })).rejects.toThrow(LeaseLost);
    expect(await stored()).toEqual({ grants: [], jobs: [], records: [] });
  });

  test('that breaks off in the middle leaves nothing, and the chain goes on where it was', async () => {
    const { fleet, commands, jobId, grantId } = decided();
    const { hostId, kind, envelope } = { hostId: 'h1', kind: 'restart-batch', envelope: '{}' };
    const row = { jobId, hostId, kind, envelope, createdAt: 1, expiresAt: 2 };
    await insertOutbox(store.db, [row]);
    const commit = committer();
    await expect(commit({ fleet, commands, reports: [] })).rejects.toThrow(/UNIQUE/);
    expect(await stored()).toEqual({ grants: [], jobs: [jobId], records: [] });
    await store.db.deleteFrom('outbox').execute();
    await commit({ fleet, commands, reports: [] });
    const { grants, records } = await stored();
    expect(grants).toEqual([grantId]);
    expect(verifyChain(records)).toMatchObject({ kind: 'intact', head: { seq: records.length } });
  });
});

/** A step that decided nothing. */
const noCommand = ([first]: Commands[]): Commands => {
  if (first === undefined) throw new Error('there was no step');
  return { ...first, dirty: [], audits: [], sends: [], closes: [], settings: null };
};
