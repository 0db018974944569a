import type { AffectedRow, ParsedRecord } from '../../../core/advisories/advisory.ts';
import { distinctRows, problem } from '../parsed-record.ts';
import type { RpmPlace } from '../rpm-row.ts';
import type { Component } from './component.ts';
import type { Vulnerability } from './document.ts';
import type { Resolved } from './product-tree.ts';

const STATUSES = [
  ['fixed', 'fixed'],
  ['known_affected', 'affected'],
  ['known_not_affected', 'not-affected'],
] as const;

interface Entry {
  place: RpmPlace;
  component: Component;
  status: AffectedRow['status'];
  note: string | null;
}

export interface CsafRows {
  rows: AffectedRow[];
  problems: ParsedRecord[];
}

/** Why there is no fix, in the words that rows of all feeds share. */
const noteOf = (details: string): string | null => {
  const words = details.trim().toLowerCase();
  if (words === 'out of support scope') return 'end-of-life';
  if (words === 'fix deferred') return 'postponed';
  return words === 'affected' || words === '' ? null : words.slice(0, 100);
};

const notesOf = ({ remediations }: Vulnerability): Map<string, string | null> =>
  new Map(
    (remediations ?? [])
      .filter(({ category }) => category === 'no_fix_planned' || category === 'none_available')
      .flatMap(({ details, product_ids }) =>
        (product_ids ?? []).map((id) => [id, noteOf(details ?? '')] as const),
      ),
  );

/** Counts what could not be used by reason: documents name thousands of products. */
const complaints = () => {
  const byReason = new Map<string, { count: number; first: string }>();
  return {
    add: (reason: string, id: string): void => {
      const known = byReason.get(reason);
      if (known === undefined) byReason.set(reason, { count: 1, first: id });
      else known.count += 1;
    },
    texts: (): string[] =>
      [...byReason].map(([reason, { count, first }]) => {
        const example = JSON.stringify(first.slice(0, 200));
        return count === 1
          ? `${reason}: ${example}`
          : `${reason}: ${example} and ${count - 1} more`;
      }),
  };
};

const toRow = ({ place, component, status, note }: Entry): AffectedRow => ({
  ...place,
  names: component.isSource ? 'source' : 'binary',
  name: component.name,
  arch: component.isSource || component.arch === 'noarch' ? null : component.arch,
  module: component.module,
  status,
  fixed: status === 'fixed' ? component.evr : null,
  note: status === 'affected' ? note : null,
  scheme: 'rpm',
});

const sameSubject = (row: AffectedRow): string =>
  JSON.stringify([row.release, row.channel, row.names, row.name, row.module]);

/** Minor releases are one release to us: what one of them has a fix for is not without a fix. */
const withoutFixedSince = (rows: AffectedRow[]): AffectedRow[] => {
  const fixed = new Set(rows.filter(({ status }) => status === 'fixed').map(sameSubject));
  return rows.filter((row) => row.status === 'fixed' || !fixed.has(sameSubject(row)));
};

/**
 * A fix is named of all that is built, and beside that of the source, which then says no more. Where the source stands alone, as in
 * the layout of 2026, it is the row; and so it is of what is not fixed, of which not all that is built needs to be named.
 */
const withoutNamedSources = (rows: AffectedRow[]): AffectedRow[] => {
  const buildOf = (row: AffectedRow, name: string): string =>
    JSON.stringify([row.release, row.channel, row.module, row.fixed, name]);
  const built = new Set<string>();
  for (const row of rows) {
    if (row.status !== 'fixed' || row.names === 'source') continue;
    // `libtiff` and `libtiff-devel` of the same version are of the source `libtiff`.
    const words = row.name.split('-');
    words.forEach((_, at) => built.add(buildOf(row, words.slice(0, at + 1).join('-'))));
  }
  return rows.filter(
    (row) => row.status !== 'fixed' || row.names === 'binary' || !built.has(buildOf(row, row.name)),
  );
};

/** What a document says of packages, over all of its vulnerabilities. */
export const csafRows = (
  file: string,
  id: string,
  vulnerabilities: Vulnerability[],
  resolve: (id: string) => Resolved,
): CsafRows => {
  const entries: Entry[] = [];
  const problems: ParsedRecord[] = [];
  vulnerabilities.forEach((vulnerability, at) => {
    const notes = notesOf(vulnerability);
    for (const [field, status] of STATUSES) {
      const complaint = complaints();
      for (const product of vulnerability.product_status?.[field] ?? []) {
        const resolved = resolve(product);
        if (resolved.kind === 'unknown') complaint.add('not in the product tree', product);
        if (resolved.kind !== 'package' || resolved.component.kind === 'other') continue;
        if (resolved.component.kind === 'bad') complaint.add(resolved.component.reason, product);
        else {
          const { component } = resolved.component;
          const module = component.module ?? resolved.module;
          if (status === 'fixed' && component.evr === null)
            complaint.add('fixed, and no version and release', product);
          else
            entries.push({
              place: resolved.place,
              component: { ...component, module },
              status,
              note: notes.get(product) ?? null,
            });
        }
      }
      for (const text of complaint.texts())
        problems.push(problem(file, id, `vulnerabilities.${at}.product_status.${field}`, text));
    }
  });
  const rows = distinctRows(entries.map(toRow));
  return { rows: withoutNamedSources(withoutFixedSince(rows)), problems };
};
