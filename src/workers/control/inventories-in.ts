import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Inventory, InventoryPackage } from '../../core/advisories/inventory.ts';
import type { NamingHosts } from '../../core/advisories/named-suites.ts';
import type { SequencedReport } from '../../core/messages.ts';
import type { HostInventoryRow } from '../../store/inventories.ts';

/** What many hosts may share: packages, and what their repositories offer. */
export const Image = z.strictObject({ inventory: Inventory, offers: z.array(InventoryPackage) });
export type Image = z.infer<typeof Image>;

/** What a host reported of its packages; the document is what equal hosts share. */
export interface ReportedInventory {
  row: HostInventoryRow;
  doc: string;
  names: Pick<NamingHosts, 'platform' | 'suites'>;
}

/** The inventories among reports; of a host the last one. */
export const inventoriesIn = (
  reports: readonly SequencedReport[],
  nowMs: number,
): ReportedInventory[] => {
  const newest = new Map<string, ReportedInventory>();
  for (const { host, report } of reports) {
    if (report.kind !== 'host-inventory') continue;
    const { inventory, offers, transaction, refreshedAt, refreshProblem } = report;
    const image: Image = { inventory, offers };
    const doc = canonicalize(image) ?? '';
    const hash = createHash('sha256').update(doc).digest('hex');
    const row = { hostId: host, hash, transaction, refreshedAt, refreshProblem, reportedAt: nowMs };
    const names = { platform: inventory.platform, suites: report.securitySuites };
    newest.set(host, { row, doc, names });
  }
  return [...newest.values()];
};
