import type { Mutant } from './mutant.ts';

const store = { project: 'integration', file: 'test/integration/store.test.ts' } as const;
const commit = { project: 'integration', file: 'test/integration/commit.test.ts' } as const;
const backup = 'test/integration/backup';
const restore = { project: 'integration', file: `${backup}/restore-backup.test.ts` } as const;

/** The lease, what one transaction holds together, and a store that is put back. */
export const storeMutants: Mutant[] = [
  {
    rule: 'R19',
    what: 'whether it leads is asked before the transaction, not in it',
    file: 'src/store/lease.ts',
    from: `db.transaction().execute(async (transaction) => {
    const held =
      await sql\`UPDATE lease SET epoch = epoch WHERE epoch = \${lease.epoch} AND holder = \${lease.holder}\`.execute(
        transaction,
      );
    if (held.numAffectedRows !== 1n)
      throw new LeaseLost(\`\${lease.holder} does not lead any more (epoch \${lease.epoch})\`);
    return work(transaction);
  });`,
    to: `sql\`UPDATE lease SET epoch = epoch WHERE epoch = \${lease.epoch} AND holder = \${lease.holder}\`.execute(db).then((held) => {
    if (held.numAffectedRows !== 1n) throw new LeaseLost(\`\${lease.holder} does not lead any more\`);
    return db.transaction().execute(work);
  });`,
    killedBy: {
      ...store,
      test: 'nothing is written under a lease that was taken over',
    },
  },
  {
    rule: 'R19',
    what: 'a write does not ask for the leader’s epoch',
    file: 'src/store/lease.ts',
    from: 'SET epoch = epoch WHERE epoch = ${lease.epoch} AND holder',
    to: 'SET epoch = epoch WHERE epoch > 0 AND holder',
    killedBy: { ...store, test: 'its former holder can write nothing' },
  },
  {
    rule: 'R19',
    what: 'a decision is written without the lease',
    file: 'src/workers/control/commit.ts',
    from: "await inLeaderTransaction(store.db, lease, async (transaction: Store['db']) => {",
    to: "await store.db.transaction().execute(async (transaction: Store['db']) => {",
    killedBy: commit,
  },
  {
    rule: 'R19',
    what: 'audit records are written before the transaction of what they tell',
    file: 'src/workers/control/commit.ts',
    from: "await inLeaderTransaction(store.db, lease, async (transaction: Store['db']) => {",
    to: "await appendAuditRecords(store.db, [...own, ...judged]); await inLeaderTransaction(store.db, lease, async (transaction: Store['db']) => {",
    killedBy: commit,
  },
  {
    rule: 'R3',
    what: 'an outbox row is closed as soon as its job is there',
    file: 'src/workers/control/commit.ts',
    from: 'commands.flatMap(({ closes }) => closes),',
    to: 'commands.flatMap(({ closes, sends }) => [...closes, ...sends.map(({ jobId }) => jobId)]),',
    killedBy: commit,
  },
  {
    rule: 'R3',
    what: 'a job that was answered is put in again',
    file: 'src/store/outbox.ts',
    from: ".where('closed_at', 'is', null) .orderBy('created_at')",
    to: ".orderBy('created_at')",
    killedBy: { ...store, test: 'holds a job until it is closed' },
  },
  {
    rule: 'R3',
    what: 'a job that waits for its answer is forgotten with the old ones',
    file: 'src/store/outbox.ts',
    from: ".where('closed_at', '<', closedBefore)",
    to: ".where('created_at', '<', closedBefore)",
    killedBy: { ...store, test: 'holds a job until it is closed' },
  },
  {
    rule: 'R20',
    what: 'a grant of a former leader is forgotten when another one begins',
    file: 'src/store/fleet-rows.ts',
    from: ".select('doc') .where('ended', '=', 0)",
    to: ".select('doc') .where('ended', '=', 1)",
    killedBy: commit,
  },
  {
    rule: 'lease',
    what: 'a lease is taken from who still holds it',
    file: 'src/store/lease.ts',
    from: 'if (!seize)',
    to: 'if (ttlMs === 0)',
    killedBy: { ...store, test: 'is held by one' },
  },
  {
    rule: 'lease',
    what: 'a lease that lasts too long because a clock went back is waited for',
    file: 'src/store/lease.ts',
    from: '`expires_at <= ${databaseNow} OR expires_at > ${databaseNow} + ttl_ms`',
    to: '`expires_at <= ${databaseNow}`',
    killedBy: { ...store, test: 'does not last longer because the clock was set back' },
  },
  {
    rule: 'lease',
    what: 'a lease is renewed for whoever has its name',
    file: 'src/store/lease.ts',
    from: ".set({ expires_at: sql<number>`${databaseNow} + ${ttlMs}` }) .where('epoch', '=', epoch)",
    to: '.set({ expires_at: sql<number>`${databaseNow} + ${ttlMs}` })',
    killedBy: { ...store, test: 'its former holder can write nothing' },
  },
  {
    rule: 'R16',
    what: 'leaders are numbered by the store alone, not by the time',
    file: 'src/store/lease.ts',
    from: 'CASE WHEN ${databaseNow} >= (epoch + 2) * 1000 THEN',
    to: 'CASE WHEN ${databaseNow} < 0 THEN',
    killedBy: { ...store, test: 'has a number that was not given since a backup was made' },
  },
  {
    rule: 'R16',
    what: 'a generation goes back',
    file: 'src/store/meta.ts',
    from: ".set({ generation }).where('generation', '<', generation).execute();",
    to: '.set({ generation }).execute();',
    killedBy: { ...store, test: 'keeps the highest generation' },
  },
  {
    rule: 'R14',
    what: 'server time goes back with a change of leaders',
    file: 'src/store/server-clock.ts',
    from: ".set({ reserved_until: until }) .where('reserved_until', '<', until)",
    to: '.set({ reserved_until: until - 20_000 })',
    killedBy: { ...store, test: 'goes with the monotonic clock and never back' },
  },
  {
    rule: 'R14',
    what: 'server time goes on where nothing is reserved',
    file: 'src/store/server-clock.ts',
    from: 'Math.min(base + monotonicMs() - startedAt, limit)',
    to: 'base + monotonicMs() - startedAt',
    killedBy: { ...store, test: 'stands when nothing can be reserved' },
  },
  {
    rule: 'backup',
    what: 'a file of a backup that was altered is put in place',
    file: 'src/store/backup/verify-backup.ts',
    from: 'else if (read.sha256 !== sha256)',
    to: "else if (read.sha256 === '')",
    killedBy: { ...restore, test: 'one bit altered' },
  },
  {
    rule: 'backup',
    what: 'what is in a backup and not of it is put in place with it',
    file: 'src/store/backup/verify-backup.ts',
    from: 'if (!names.has(path))',
    to: "if (path === '')",
    killedBy: { ...restore, test: 'a file that is not of it' },
  },
  {
    rule: 'backup',
    what: 'the copy that is put in place is not looked at once more',
    file: 'src/store/backup/restore-backup.ts',
    from: 'if (copied.sha256 !== sha256)',
    to: "if (copied.sha256 === '')",
    killedBy: { ...restore, test: 'altered after it was verified' },
  },
  {
    rule: 'backup',
    what: 'a store is replaced under a server that works',
    file: 'src/store/backup/restore-backup.ts',
    from: 'if (lock === null) throw',
    to: "if (serverDirectory === '') throw",
    killedBy: { ...restore, test: 'is refused while a server works there' },
  },
  {
    rule: 'R16',
    what: 'a store that was put back does not say that it was',
    file: 'src/store/backup/restore-backup.ts',
    from: 'await markCopy(store, { madeAt: Date.parse(madeAt), restoredAt: now.getTime(), actor });',
    to: '',
    killedBy: { ...restore, test: 'puts the backup in place' },
  },
  {
    rule: 'backup',
    what: 'a server begins over a restore that was broken off',
    file: 'src/store/backup/under-way.ts',
    from: 'if (found !== null) throw underWayError(serverDirectory, found);',
    to: '',
    killedBy: { ...restore, test: 'is named where a server begins' },
  },
];
