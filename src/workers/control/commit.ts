import { chainRecord, chainStart } from '../../audit/chain.ts';
import type { Link } from '../../audit/chain.ts';
import type { ControlAudit, Send } from '../../core/coordinator/turn.ts';
import { serverParty, signEnvelope } from '../../jobs/envelope.ts';
import { hostUpgradeJob } from '../../jobs/host-upgrade.ts';
import { observeHostJob } from '../../jobs/observe-host.ts';
import { restartBatchJob } from '../../jobs/restart-batch.ts';
import type { SigningKey } from '../../jobs/signing-key.ts';
import { appendAuditRecords, lastAuditLink } from '../../store/audit-records.ts';
import type { NewAuditRecord } from '../../store/audit-records.ts';
import { saveInventory } from '../../store/inventories.ts';
import { saveFleet } from '../../store/fleet-rows.ts';
import { inLeaderTransaction } from '../../store/lease.ts';
import type { Lease } from '../../store/lease.ts';
import { raiseGeneration } from '../../store/meta.ts';
import { dropRestoredMark } from '../../store/restored-mark.ts';
import type { Store } from '../../store/open-store.ts';
import { saveRecordedSettings } from '../../store/recorded-settings.ts';
import { closeOutbox, insertOutbox } from '../../store/outbox.ts';
import type { OutboxRow } from '../../store/outbox.ts';
import type { Commit } from './coordinate.ts';
import { createCopiedRecords } from './copied-records.ts';
import type { RefusedCopy } from './copied-records.ts';
import { inventoriesIn } from './inventories-in.ts';

const versionOf: Record<Send['kind'], number> = {
  'restart-batch': restartBatchJob.version,
  'host-upgrade': hostUpgradeJob.version,
  'observe-host': observeHostJob.version,
};

/** The server's own chain, and the one life that it has (a restored store goes on with its chain). */
const serverChain = { chain: 'server', life: '' };

export interface CommitOptions {
  store: Store;
  lease: Lease;
  key: SigningKey;
  serverNow: () => number;
  wallNow: () => Date;
  /** Tell operators of something that is no wave's. */
  alert: (text: string) => void;
}

/** Said once of each chain: what was refused is in nobody's trail. */
const refusal = ({ host, life, seq, reason }: RefusedCopy): ControlAudit => ({
  ...{ actor: 'groundswell', action: 'copy-refused', subject: `host ${host}`, service: null },
  ...{
    cause: null,
    waveId: null,
    grantId: null,
    outcome: 'refused',
    details: { life, seq, reason },
  },
});

const auditEntry = (
  entry: ControlAudit,
  options: CommitOptions,
): Parameters<typeof chainRecord>[1] => ({
  at: options.wallNow().toISOString(),
  serverTime: options.serverNow(),
  host: serverParty,
  life: serverChain.life,
  actor: entry.actor,
  action: entry.action,
  subject: entry.subject,
  service: entry.service,
  cause: entry.cause,
  wave: entry.waveId,
  grant: entry.grantId,
  outcome: entry.outcome,
  details: entry.details,
});

/**
 * Make a group of decisions durable (R19): rows, audit records, outbox and closed jobs in one transaction that
 * only the leader's epoch may commit. The audit chain goes on from what the store holds, so a failed commit
 * leaves no gap.
 */
export const createCommit = (options: CommitOptions): ((commit: Commit) => Promise<void>) => {
  const { store, lease, key, serverNow, alert } = options;
  const copied = createCopiedRecords(store);
  let head: Link | null = null;

  const outboxRow = ({ host, jobId, incarnation, expiresAt, kind, payload }: Send): OutboxRow => ({
    jobId,
    hostId: host,
    kind,
    envelope: JSON.stringify(
      signEnvelope(
        {
          version: versionOf[kind],
          kind,
          id: jobId,
          from: serverParty,
          to: host,
          issuedAt: serverNow(),
          incarnation,
          expiresAt,
          payload,
        },
        key,
      ),
    ),
    createdAt: serverNow(),
    expiresAt,
  });

  return async ({ fleet, commands, reports }) => {
    const { judged, refused } = await copied.judge(
      reports.flatMap(({ host, incarnation, report }) =>
        report.kind === 'audit-copied'
          ? [
              {
                ...{ chain: host, life: incarnation, seq: report.seq, hash: report.hash },
                record: report.record,
              },
            ]
          : [],
      ),
    );
    let link: Link =
      head ?? (await lastAuditLink(store.db, serverChain.chain, serverChain.life)) ?? chainStart;
    const own: NewAuditRecord[] = commands
      .flatMap(({ audits }) => audits)
      .concat(refused.map(refusal))
      .map((entry) => {
        const chained = chainRecord(link, auditEntry(entry, options));
        link = chained;
        return {
          ...serverChain,
          seq: chained.seq,
          hash: chained.hash,
          record: { ...chained.record },
          proven: true,
        };
      });
    const dirty = commands.flatMap((command) => command.dirty);
    try {
      await inLeaderTransaction(store.db, lease, async (transaction: Store['db']) => {
        await saveFleet(transaction, fleet, dirty);
        if (dirty.some(({ table }) => table === 'meta'))
          await raiseGeneration(transaction, fleet.generation);
        if (dirty.some(({ table, key }) => table === 'meta' && key === 'restored'))
          await dropRestoredMark(transaction);
        await appendAuditRecords(transaction, [...own, ...judged]);
        for (const { settings } of commands)
          if (settings !== null) await saveRecordedSettings(transaction, settings);
        for (const { row, doc, names } of inventoriesIn(reports, options.wallNow().getTime()))
          await saveInventory(transaction, row, doc, names);
        const sends = commands.flatMap((command) => command.sends);
        if (sends.length > 0) await insertOutbox(transaction, sends.map(outboxRow));
        await closeOutbox(
          transaction,
          commands.flatMap(({ closes }) => closes),
          { closedAt: serverNow(), reason: 'answered' },
        );
      });
    } catch (error) {
      head = null;
      copied.forget();
      throw error;
    }
    head = link;
    for (const { host, reason, kind } of refused)
      alert(
        kind === 'fork'
          ? `host ${host} handed over two audit records of one number (${reason}): its journal was put back, or somebody else has its key`
          : `host ${host} handed over an audit record that does not go on its chain (${reason}): what it does is not proven until it hands over what does, or its journal begins a new life`,
      );
  };
};
