import { z } from 'zod';
import type { Advisory, AffectedRow, ParsedRecord } from '../../../core/advisories/advisory.ts';
import { cveIds } from '../cve-ids.ts';
import type { AdvisorySource } from '../feed-file.ts';
import { parseElements } from '../parse-elements.ts';
import { severityOf } from '../severity-of.ts';
import { asAdvisory, distinctRows, problem, fieldProblems } from '../parsed-record.ts';
import {
  evrText,
  fixedRow,
  isInstallable,
  RpmArch,
  RpmEvr,
  RpmModule,
  RpmName,
} from '../rpm-row.ts';
import { isoTimeOfSeconds } from '../iso-time.ts';

const Reference = z.object({
  id: z.string().max(200).nullish(),
  href: z.string().max(2000).nullish(),
});

const Erratum = z.object({
  id: z.string().regex(/^AL[SBE]A-\d{4}:\w{1,20}$/, 'no id of AlmaLinux'),
  type: z.string().max(50).nullish(),
  severity: z.string().max(50).nullish(),
  title: z.string().min(1).max(2000),
  issued_date: z.number().nullish(),
  updated_date: z.number().nullish(),
  references: z.array(Reference).nullish(),
  packages: z.array(z.unknown()),
});

/** Of a module, `name:stream` is followed by its version, context and architecture. */
const moduleText = z
  .string()
  .transform((text) => text.split(':').slice(0, 2).join(':'))
  .pipe(RpmModule);
const Package = RpmEvr.extend({
  epoch: z.union([z.int().nonnegative().transform(String), RpmEvr.shape.epoch]),
  name: RpmName,
  arch: RpmArch,
  module: moduleText.nullish(),
  reboot_suggested: z.unknown(),
});

const KINDS = { S: 'security', B: 'bugfix', E: 'enhancement' } as const;

/** The page of an erratum stands below the number of its release; the file of a release does too. */
const releaseOf = (file: string, references: z.infer<typeof Reference>[]): string | undefined =>
  references
    .map(({ href }) => /errata\.almalinux\.org\/(\d{1,2})\//.exec(href ?? '')?.[1])
    .find((release) => release !== undefined) ?? /(?:^|\/)(\d{1,2})\/[^/]*$/.exec(file)?.[1];

interface Rows {
  rows: AffectedRow[];
  problems: ParsedRecord[];
  rebootSuggested: boolean;
}

const rowsOf = (file: string, { id, references, packages }: z.infer<typeof Erratum>): Rows => {
  const result: Rows = { rows: [], problems: [], rebootSuggested: false };
  const told = releaseOf(file, references ?? []);
  packages.forEach((raw, at) => {
    const checked = Package.safeParse(raw);
    if (!checked.success) {
      result.problems.push(...fieldProblems(file, id, checked.error, ['packages', at]));
      return;
    }
    const { name, arch, module, reboot_suggested, ...evr } = checked.data;
    if (!isInstallable(arch)) return;
    const release = told ?? /(?:^|[._])el(\d{1,2})(?=[._+]|$)/.exec(evr.release)?.[1];
    if (release === undefined) {
      result.problems.push(problem(file, id, `packages.${at}`, 'nothing tells for which release'));
      return;
    }
    const place = { distro: 'almalinux', release, channel: null };
    result.rows.push(fixedRow(place, name, arch, module ?? null, evrText(evr)));
    if (reboot_suggested === 1 || reboot_suggested === true) result.rebootSuggested = true;
  });
  return result;
};

const toAdvisory = (file: string, number: number, value: unknown): ParsedRecord[] => {
  const checked = Erratum.safeParse(value);
  if (!checked.success) {
    const id = z.object({ id: z.string().max(100) }).safeParse(value).data?.id;
    return fieldProblems(file, id ?? `erratum ${number}`, checked.error);
  }
  const erratum = checked.data;
  const { rows, problems, rebootSuggested } = rowsOf(file, erratum);
  if (rows.length === 0 && problems.length > 0) return problems;
  const letter = erratum.id.charAt(2) as keyof typeof KINDS;
  const advisory: Advisory = {
    feed: 'alma-errata',
    id: erratum.id,
    kind: KINDS[letter],
    title: erratum.title,
    cves: cveIds((erratum.references ?? []).map(({ id }) => id ?? '')),
    published: isoTimeOfSeconds(erratum.issued_date ?? NaN),
    modified: isoTimeOfSeconds(erratum.updated_date ?? NaN),
    withdrawn: false,
    severity: severityOf(erratum.severity ?? null),
    vendorSeverity: erratum.severity ?? null,
    affected: distinctRows(rows),
  };
  const advised = rebootSuggested ? { ...advisory, rebootSuggested } : advisory;
  return [...problems, ...asAdvisory(file, advised)];
};

/** AlmaLinux's `errata.full.json`, one for each release: every advisory with the packages, modules and architectures of it. */
export const almaErrata: AdvisorySource = {
  name: 'alma-errata',
  parse: parseElements('data', 'erratum', toAdvisory),
};
