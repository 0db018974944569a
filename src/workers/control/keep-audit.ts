import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { compressLines } from '../../audit/bundle-file.ts';
import { wholeBundle } from '../../audit/export-bundle.ts';
import { sealRecords } from '../../audit/seal-records.ts';
import type { Commands } from '../../core/coordinator/step.ts';
import { repeat } from '../../jobs/repeat.ts';
import { exportPublicKey, importPublicKey, verifyKeyOf } from '../../jobs/signing-key.ts';
import type { SigningKey } from '../../jobs/signing-key.ts';
import { auditSegments, dropSealed, saveSegment } from '../../store/audit-segments.ts';
import { auditKeys, saveAuditKey } from '../../store/checkpoints.ts';
import type { AuditKey } from '../../store/checkpoints.ts';
import { inLeaderTransaction } from '../../store/lease.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/open-store.ts';
import { createCheckpointer } from './make-checkpoints.ts';
import { startAnchors } from './send-anchors.ts';
import type { AnchorSettings } from './send-anchors.ts';

export interface AuditSettings {
  anchors: AnchorSettings;
  /** Records that are older, in days, are moved out of the store into compressed files; null: never. */
  sealAfterDays: number | null;
  /** Where these lie. */
  directory: string;
}

export interface KeptAudit {
  /** These were committed: where a wave ended with them, a checkpoint is made without waiting for the minute. */
  committed: (commands: readonly Pick<Commands, 'audits'>[]) => void;
  /** All records up to this moment, as a bundle compressed with gzip. */
  bundle: () => Promise<Readable>;
  /** Every key that has signed checkpoints. */
  keys: () => Promise<AuditKey[]>;
  stop: () => Promise<void>;
}

export interface KeepAuditOptions {
  store: Store;
  lease: Lease;
  key: SigningKey;
  settings: AuditSettings;
  wallNow: () => Date;
  onError: (error: unknown, what: string) => void;
}

/** Also those of which nobody is told, as nothing came of them. */
const endsWave = ({ audits }: Pick<Commands, 'audits'>): boolean =>
  audits.some(({ action }) => action === 'wave-finished' || action === 'wave-declined');

const checkpointEveryMs = 60_000;
const sealEveryMs = 3_600_000;
const dayMs = 86_400_000;
/** Deleted at a time: whoever waits for the store waits no longer than for these. */
const rowsAtOnce = 500;
const pauseMs = 50;

/** In UTC: whole days are sealed, not each hour by itself. */
const lastMidnight = (now: Date): number => Math.floor(now.getTime() / dayMs) * dayMs;

/** Checkpoints every minute with news, each sent outside, and old records sealed away. */
export const keepAudit = async (options: KeepAuditOptions): Promise<KeptAudit> => {
  const { store, lease, key, settings, wallNow, onError } = options;
  const { directory, sealAfterDays } = settings;
  await saveAuditKey(store.db, {
    ...{ id: key.id, publicKey: exportPublicKey(verifyKeyOf(key)), since: wallNow().getTime() },
  });
  const make = createCheckpointer({ store, lease, key, wallNow });
  const anchors = startAnchors(store, settings.anchors, onError);
  /** Bundles that are being written: nothing is taken out of the store meanwhile. */
  let exporting = 0;
  const ending = new AbortController();

  const dropAllSealed = async (): Promise<void> => {
    const last = (await auditSegments(store.db)).at(-1);
    if (last === undefined) return;
    const unsent = await anchors.unsent();
    let more = true;
    while (more && exporting === 0 && !ending.signal.aborted) {
      more = await inLeaderTransaction(store.db, lease, (db) =>
        dropSealed(db, last, { rows: rowsAtOnce, unsent }),
      );
      // Everything else has its turn between two of them.
      await sleep(pauseMs);
    }
  };
  const seal = async (): Promise<void> => {
    if (sealAfterDays === null || exporting > 0) return;
    const now = wallNow();
    const keys = (await auditKeys(store.db)).map(({ publicKey }) => importPublicKey(publicKey));
    const sealed = await sealRecords({
      ...{ store, directory, key, now, before: lastMidnight(now) - sealAfterDays * dayMs },
      keys: new Map(keys.map(({ id, publicKey }) => [id, publicKey])),
    });
    if (sealed !== null)
      await inLeaderTransaction(store.db, lease, (db) =>
        saveSegment(db, sealed.segment, sealed.leaves),
      );
    // Also what a run that was broken off has left.
    await dropAllSealed();
  };

  const checkpointing = repeat(
    async () => {
      if ((await make()) !== null) anchors.wake();
    },
    {
      everyMs: checkpointEveryMs,
      onError: (error) => {
        onError(error, 'audit checkpoint');
      },
    },
  );
  const sealing = repeat(seal, {
    everyMs: sealEveryMs,
    onError: (error) => {
      onError(error, 'sealing of audit records');
    },
  });
  return {
    committed: (commands) => {
      if (commands.some(endsWave)) checkpointing.wake();
    },
    bundle: async () => {
      if ((await make()) !== null) anchors.wake();
      for (const { file } of await auditSegments(store.db))
        await access(join(directory, file)).catch((error: unknown) => {
          throw new Error(`the sealed file ${join(directory, file)} is not there`, {
            cause: error,
          });
        });
      exporting += 1;
      const bundle = compressLines(wholeBundle(store, { directory, now: wallNow(), key }));
      bundle.once('error', (error) => {
        onError(error, 'audit export');
      });
      bundle.once('close', () => {
        exporting -= 1;
      });
      return bundle;
    },
    keys: () => auditKeys(store.db),
    stop: async () => {
      ending.abort();
      await Promise.all([checkpointing.stop(), sealing.stop(), anchors.stop()]);
    },
  };
};
