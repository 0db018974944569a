import { z } from 'zod';
import type { Advisory, ParsedRecord } from '../../../core/advisories/advisory.ts';
import { cveIds } from '../cve-ids.ts';
import { severityOf } from '../severity-of.ts';
import { asAdvisory, fieldProblems } from '../parsed-record.ts';
import { isoTime } from '../iso-time.ts';
import { CsafDocument, Vulnerability } from './document.ts';
import { productResolver } from './product-tree.ts';
import { csafRows } from './rows.ts';

const MAX_TITLE = 1000;
const KINDS: Record<string, Advisory['kind']> = { RHBA: 'bugfix', RHEA: 'enhancement' };

/** An advisory that was taken back. */
export const withdrawnAdvisory = (id: string, modified: string | null): Advisory => ({
  feed: 'redhat-csaf',
  id,
  kind: KINDS[id.slice(0, 4)] ?? 'security',
  title: id,
  cves: cveIds([id]),
  published: null,
  modified,
  withdrawn: true,
  severity: 'unknown',
  vendorSeverity: null,
  affected: [],
});

const vulnerabilitiesOf = (
  file: string,
  id: string,
  values: unknown[],
): { vulnerabilities: Vulnerability[]; problems: ParsedRecord[] } => {
  const vulnerabilities: Vulnerability[] = [];
  const problems: ParsedRecord[] = [];
  values.forEach((value, at) => {
    const checked = Vulnerability.safeParse(value);
    if (checked.success) vulnerabilities.push(checked.data);
    else problems.push(...fieldProblems(file, id, checked.error, ['vulnerabilities', at]));
  });
  return { vulnerabilities, problems };
};

/** What a CSAF document says, an advisory (`RHSA-…`) as well as the state of one CVE (VEX). */
export const csafToAdvisory = (file: string, value: unknown): ParsedRecord[] => {
  const checked = CsafDocument.safeParse(value);
  if (!checked.success) {
    const Tracked = z.object({
      document: z.object({ tracking: z.object({ id: z.string().max(100) }) }),
    });
    const id = Tracked.safeParse(value).data?.document.tracking.id;
    return fieldProblems(file, id ?? '', checked.error);
  }
  const { document, product_tree, vulnerabilities: values } = checked.data;
  const { id, status, initial_release_date, current_release_date } = document.tracking;
  const modified = isoTime(current_release_date ?? '');
  if (status === 'deleted' || status === 'withdrawn')
    return asAdvisory(file, withdrawnAdvisory(id, modified));
  const { vulnerabilities, problems } = vulnerabilitiesOf(file, id, values ?? []);
  const { rows, problems: rowProblems } = csafRows(
    file,
    id,
    vulnerabilities,
    productResolver(product_tree ?? {}),
  );
  problems.push(...rowProblems);
  if (rows.length === 0 && problems.length > 0) return problems;
  const impact = vulnerabilities
    .flatMap(({ threats }) => threats ?? [])
    .find(({ category }) => category === 'impact')?.details;
  const word = document.aggregate_severity?.text ?? impact?.slice(0, 100) ?? null;
  const advisory: Advisory = {
    feed: 'redhat-csaf',
    id,
    kind: KINDS[id.slice(0, 4)] ?? 'security',
    title: (document.title ?? id).slice(0, MAX_TITLE),
    cves: cveIds([id, ...vulnerabilities.map(({ cve }) => cve ?? '')]),
    published: isoTime(initial_release_date ?? ''),
    modified,
    withdrawn: false,
    severity: severityOf(word),
    vendorSeverity: word,
    affected: rows,
  };
  return [...problems, ...asAdvisory(file, advisory)];
};
