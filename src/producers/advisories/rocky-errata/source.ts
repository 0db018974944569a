import { z } from 'zod';
import type { Advisory, AffectedRow, ParsedRecord } from '../../../core/advisories/advisory.ts';
import { cveIds } from '../cve-ids.ts';
import type { AdvisorySource } from '../feed-file.ts';
import { parseElements } from '../parse-elements.ts';
import { severityOf } from '../severity-of.ts';
import { asAdvisory, distinctRows, fieldProblems } from '../parsed-record.ts';
import { evrOfText, fixedRow, isInstallable, RpmArch, RpmModule, RpmName } from '../rpm-row.ts';
import { isoTime } from '../iso-time.ts';

const Erratum = z.object({
  name: z.string().regex(/^R[LX][SBE]A-\d{4}:\w{1,20}$/, 'no id of Rocky Linux'),
  synopsis: z.string().min(1).max(2000),
  severity: z.string().max(50).nullish(),
  published_at: z.string().nullish(),
  updated_at: z.string().nullish(),
  cves: z.array(z.object({ cve: z.string().max(100) })).nullish(),
  packages: z.array(z.unknown()),
});

const NEVRA = /^(.+)-([^-]+-[^-]+)\.([^.]+)\.rpm$/;
/** `name-[epoch:]version-release.arch.rpm`. */
const Nevra = z
  .string()
  .max(600)
  .transform((text, context) => {
    const [, name, evr, arch] = NEVRA.exec(text) ?? [];
    const fixed = evr === undefined ? null : evrOfText(evr);
    const known = RpmName.safeParse(name).success && RpmArch.safeParse(arch).success;
    if (name !== undefined && arch !== undefined && fixed !== null && known)
      return { name, arch, fixed };
    context.addIssue('no name, version, release and architecture');
    return z.NEVER;
  });

/**
 * An advisory spans releases, and of a release products for each architecture: `Rocky Linux 9.6 x86_64`. Null: it is for a
 * product that is no release, such as `Rocky Linux SIG Cloud 8`.
 */
const releaseOf = (product: string): string | null =>
  /^Rocky Linux (\d{1,2})(?:\.\d{1,2})?(?: [a-z]\w*)?$/.exec(product)?.[1] ?? null;

const Product = z.object({ product_name: z.string().max(500) });
const Package = z.object({
  nevra: Nevra,
  module_name: z.string().nullish(),
  module_stream: z.string().nullish(),
});

const KINDS = { S: 'security', B: 'bugfix', E: 'enhancement' } as const;

/** Upstream sometimes names a module for packages that are in none, which their release tells. */
const moduleOf = ({ nevra, module_name, module_stream }: z.infer<typeof Package>): string | null =>
  nevra.fixed.includes('.module')
    ? (RpmModule.safeParse(`${module_name ?? ''}:${module_stream ?? ''}`).data ?? null)
    : null;

const rowsOf = (
  file: string,
  { name: id, packages }: z.infer<typeof Erratum>,
): { rows: AffectedRow[]; problems: ParsedRecord[] } => {
  const rows: AffectedRow[] = [];
  const problems: ParsedRecord[] = [];
  packages.forEach((raw, at) => {
    const product = Product.safeParse(raw);
    if (!product.success) {
      problems.push(...fieldProblems(file, id, product.error, ['packages', at]));
      return;
    }
    const release = releaseOf(product.data.product_name);
    if (release === null) return;
    const checked = Package.safeParse(raw);
    if (!checked.success) {
      problems.push(...fieldProblems(file, id, checked.error, ['packages', at]));
      return;
    }
    const { nevra } = checked.data;
    if (!isInstallable(nevra.arch)) return;
    const place = { distro: 'rocky', release, channel: null };
    rows.push(fixedRow(place, nevra.name, nevra.arch, moduleOf(checked.data), nevra.fixed));
  });
  return { rows, problems };
};

const toAdvisory = (file: string, number: number, value: unknown): ParsedRecord[] => {
  const checked = Erratum.safeParse(value);
  if (!checked.success) {
    const name = z.object({ name: z.string().max(100) }).safeParse(value).data?.name;
    return fieldProblems(file, name ?? `advisory ${number}`, checked.error);
  }
  const erratum = checked.data;
  const { rows, problems } = rowsOf(file, erratum);
  if (rows.length === 0 && problems.length > 0) return problems;
  const advisory: Advisory = {
    feed: 'rocky-errata',
    id: erratum.name,
    kind: KINDS[erratum.name.charAt(2) as keyof typeof KINDS],
    title: erratum.synopsis,
    cves: cveIds((erratum.cves ?? []).map(({ cve }) => cve)),
    published: isoTime(erratum.published_at ?? ''),
    modified: isoTime(erratum.updated_at ?? ''),
    withdrawn: false,
    severity: severityOf(erratum.severity ?? null),
    vendorSeverity: erratum.severity ?? null,
    affected: distinctRows(rows),
  };
  return [...problems, ...asAdvisory(file, advisory)];
};

/** Rocky Linux's errata API: its pages, or single advisories of it. */
export const rockyErrata: AdvisorySource = {
  name: 'rocky-errata',
  parse: parseElements('advisories', 'advisory', toAdvisory),
};
