import type { Advisory } from './advisory.ts';
import { advisoryKey } from './advisory-key.ts';
import { denialOf, usualTrackers, withoutDenied } from './denials.ts';
import type { Denial } from './denials.ts';
import type { IndexedInventory } from './index-inventory.ts';
import type { InventoryPackage } from './inventory.ts';
import { mapEntry } from './map-entry.ts';
import { judgeAdvisory, together } from './match.ts';
import type { Finding, Judged } from './match.ts';
import { mergeFindings } from './merge-findings.ts';

/** What advisories mean for one host, in whichever order they come. */
export interface HostFindings {
  take: (advisory: Advisory) => void;
  /** What stands of all that was taken: without what is denied, and each thing once. */
  standing: () => Finding[];
}

export const createHostFindings = (host: IndexedInventory): HostFindings => {
  const found: [of: InventoryPackage, finding: Finding][] = [];
  const denied = new Map<InventoryPackage, Map<string, Denial>>();
  return {
    take: (advisory) => {
      const byPackage = new Map<InventoryPackage, Judged[]>();
      for (const one of judgeAdvisory(advisory, host))
        mapEntry(byPackage, one.by.installed, (): Judged[] => []).push(one);
      for (const [of, judged] of byPackage) {
        for (const finding of together(judged)) found.push([of, finding]);
        const denial = denialOf(advisory, judged, usualTrackers);
        if (denial !== null)
          mapEntry(denied, of, () => new Map<string, Denial>()).set(advisoryKey(advisory), denial);
      }
    },
    standing: () =>
      mergeFindings(
        found.flatMap(([of, finding]) => withoutDenied([finding], denied.get(of), usualTrackers)),
      ),
  };
};
