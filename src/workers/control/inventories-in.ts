import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Inventory, InventoryPackage } from '../../core/advisories/inventory.ts';
import type { SequencedReport } from '../../core/messages.ts';
import type { HostInventoryRow } from '../../store/inventories.ts';

/** What many hosts may share: packages, and what their repositories offer. */
export const Image = z.strictObject({ inventory: Inventory, offers: z.array(InventoryPackage) });
export type Image = z.infer<typeof Image>;

/** The inventories among reports, each with the document that equal hosts share; of a host the last one. */
export const inventoriesIn = (
  reports: readonly SequencedReport[],
  nowMs: number,
): { row: HostInventoryRow; doc: string }[] => {
  const newest = new Map<string, { row: HostInventoryRow; doc: string }>();
  for (const { host, report } of reports) {
    if (report.kind !== 'host-inventory') continue;
    const { inventory, offers, transaction, refreshedAt, refreshProblem } = report;
    const image: Image = { inventory, offers };
    const doc = canonicalize(image) ?? '';
    const hash = createHash('sha256').update(doc).digest('hex');
    const row = { hostId: host, hash, transaction, refreshedAt, refreshProblem, reportedAt: nowMs };
    newest.set(host, { row, doc });
  }
  return [...newest.values()];
};
