import { z } from 'zod';
import type { Severity } from '../../../core/advisories/advisory.ts';
import { severityOfVector } from '../cvss.ts';
import { severityOf } from '../severity-of.ts';
import type { OsvAffected, OsvRecord } from './osv-record.ts';

/** How bad a record is: as the distributor says it, or as its vector scores where only that is there. */
export interface OsvSeverity {
  severity: Severity;
  vendorSeverity: string | null;
}

/** A notice of Ubuntu says it of each of its CVEs. */
const CvesMap = z.object({
  cves_map: z.object({
    cves: z.array(
      z.object({ severity: z.array(z.object({ type: z.string(), score: z.string() })) }),
    ),
  }),
});

/** Older records of Ubuntu say it beside each release. */
const Priority = z.object({ ubuntu_priority: z.string() });

const ranks: readonly Severity[] = ['unknown', 'low', 'medium', 'high', 'critical'];
const worst = <T>(all: readonly T[], of: (one: T) => Severity): T | undefined =>
  all.reduce<T | undefined>(
    (most, one) =>
      most === undefined || ranks.indexOf(of(one)) > ranks.indexOf(of(most)) ? one : most,
    undefined,
  );

/** AlmaLinux and Rocky begin the summary with it, Red Hat says `… Advisory: …`. */
const wordIn = (summary: string): string | null =>
  /^(critical|important|moderate|low)\b/i.exec(summary)?.[1] ?? null;

/** What a record and what it affects say of it. */
export const severityOfOsv = (
  { severity, database_specific: specific, summary = '' }: OsvRecord,
  affected: readonly OsvAffected[],
): OsvSeverity => {
  const ofCves = affected.flatMap(({ database_specific: map }) =>
    (CvesMap.safeParse(map).data?.cves_map.cves ?? []).flatMap((cve) => cve.severity),
  );
  const all = [...(severity ?? []), ...ofCves];
  const words = [
    ...all.filter(({ type }) => type === 'Ubuntu').map(({ score }) => score),
    ...affected.flatMap(({ ecosystem_specific: one }) => {
      const priority = Priority.safeParse(one).data;
      return priority === undefined ? [] : [priority.ubuntu_priority];
    }),
  ];
  const vendorSeverity = worst(words, severityOf) ?? specific?.severity ?? wordIn(summary);
  const said = severityOf(vendorSeverity);
  if (said !== 'unknown') return { severity: said, vendorSeverity };
  const vectors = all.filter(({ type }) => type.startsWith('CVSS')).map(({ score }) => score);
  const ratings = vectors.map(severityOfVector);
  return { severity: worst(ratings, (one) => one) ?? 'unknown', vendorSeverity };
};
