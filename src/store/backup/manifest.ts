import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { z } from 'zod';

/** The list of what a backup holds, written last: without it a backup was broken off. */
export const manifestName = 'manifest.json';
export const storeName = 'store.sqlite';
export const keysName = 'keys.json';
export const auditName = 'audit';

/** Sealed records of the audit trail; with a time behind it: of a time that a restore has made forgotten. */
export const segmentFile = /^\d{6,}\.jsonl\.gz(\.\d+)?$/;

const isOurs = (path: string): boolean =>
  path === storeName ||
  path === keysName ||
  (path.startsWith(`${auditName}/`) && segmentFile.test(path.slice(auditName.length + 1)));

const BackedUpFile = z.strictObject({
  /** Below the backup, and below the server's directory. */
  path: z.string().refine(isOurs, 'is no file of a backup'),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type BackedUpFile = z.infer<typeof BackedUpFile>;

export const BackupManifest = z.strictObject({
  format: z.literal(1),
  /** Version of the program that made it, and the newest migration of the store. */
  program: z.string(),
  schema: z.string(),
  madeAt: z.iso.datetime(),
  /** Life of the store, and number of its last leader (R16). */
  generation: z.int().min(0),
  epoch: z.int().min(0),
  files: z
    .array(BackedUpFile)
    .refine(
      (files) => [storeName, keysName].every((name) => files.some(({ path }) => path === name)),
      {
        error: `want ${storeName} and ${keysName} among the files`,
      },
    )
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length, {
      error: 'a file stands there twice',
    }),
});
export type BackupManifest = z.infer<typeof BackupManifest>;

const chunkBytes = 1024 * 1024;

/** What a manifest says of a file; with `to`, which must not be there, copied to it on the way and synced. */
export const readThrough = async (
  from: string,
  to: string | null = null,
): Promise<Omit<BackedUpFile, 'path'>> => {
  const source = await open(from, 'r');
  try {
    const target = to === null ? null : await open(to, 'wx', 0o600);
    try {
      const hash = createHash('sha256');
      const chunk = Buffer.alloc(chunkBytes);
      let bytes = 0;
      for (;;) {
        const { bytesRead } = await source.read(chunk, 0, chunkBytes, bytes);
        if (bytesRead === 0) break;
        const part = chunk.subarray(0, bytesRead);
        hash.update(part);
        await target?.writeFile(part);
        bytes += bytesRead;
      }
      await target?.sync();
      return { bytes, sha256: hash.digest('hex') };
    } finally {
      await target?.close();
    }
  } finally {
    await source.close();
  }
};

/** Have a file, or the names in a directory, on disk. */
export const syncPath = async (path: string): Promise<void> => {
  const entry = await open(path, 'r');
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
};
