import { z } from 'zod';
import type { AffectedRow } from '../../../core/advisories/advisory.ts';
import { releaseOf } from '../../../core/advisories/release-of.ts';
import { parseDebVersion } from '../../../core/versions/compare-deb-versions.ts';

/** A notice as Ubuntu's API gives it; what is not read here is left out. */
export const Notice = z.object({
  id: z.string().regex(/^[A-Z]{3,5}-\d+-\d+$/),
  title: z.string().nullish(),
  published: z.string().nullish(),
  /** It is not shown any more, or not yet. */
  is_hidden: z.boolean().nullish(),
  cves_ids: z.array(z.string()).nullish(),
  cves: z.array(z.object({ id: z.string() })).nullish(),
  release_packages: z.record(z.string(), z.array(z.unknown())).nullish(),
});
export type Notice = z.infer<typeof Notice>;

const NoticePackage = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/),
  /** Empty in the notices of the first years. */
  version: z.string().nullish(),
  is_source: z.boolean(),
  /** `security`, `esm-infra`, …; said of binary packages, and not in all notices. */
  pocket: z.string().nullish(),
  /** Ends with `/+source/` and the source package. */
  source_link: z.string().nullish(),
});
type NoticePackage = z.infer<typeof NoticePackage>;

/** Pockets that every host has. */
const ownPockets: ReadonlySet<string> = new Set(['', 'security', 'updates', 'release', 'proposed']);

/** Tells the pocket of each package: of a source package that of its binary ones, or of all that the release names. */
const pocketsOf = (all: readonly NoticePackage[]): ((one: NoticePackage) => string) => {
  const bySource = new Map<string, Set<string>>();
  const every = new Set<string>();
  for (const { pocket, source_link: link } of all) {
    if (typeof pocket !== 'string') continue;
    every.add(pocket);
    const source = /\/\+source\/([^/]+)$/.exec(link ?? '')?.[1] ?? '';
    bySource.set(source, (bySource.get(source) ?? new Set()).add(pocket));
  }
  return ({ name, pocket }) => {
    if (typeof pocket === 'string') return pocket.trim().toLowerCase();
    const [told = '', ...others] = bySource.get(name) ?? every;
    return others.length === 0 ? told.trim().toLowerCase() : '';
  };
};

/**
 * What a host must be attached to for a package: as its pocket says; where that is not said, as its version does, which has
 * `esm` in it for both of these services.
 */
const channelsOf = (pocket: string, version: string): (string | null)[] => {
  if (pocket !== '') return [ownPockets.has(pocket) ? null : pocket.slice(0, 40)];
  return /[+~]esm\d/.test(version) ? ['esm-infra', 'esm-apps'] : [null];
};

export interface NoticeProblem {
  field: string;
  reason: string;
}

/** Those of one release that say a version. */
const packagesOf = (
  packages: readonly unknown[],
  field: string,
  problems: NoticeProblem[],
): NoticePackage[] => {
  const found: NoticePackage[] = [];
  for (const [index, one] of packages.entries()) {
    const read = NoticePackage.safeParse(one);
    const issue = read.error?.issues[0];
    if (!read.success)
      problems.push({
        field: [field, index, ...(issue?.path ?? [])].map(String).join('.'),
        reason: issue?.message ?? '',
      });
    else if ((read.data.version ?? '') !== '') {
      const version = parseDebVersion(read.data.version ?? '');
      if (version.ok) found.push(read.data);
      else problems.push({ field: `${field}.${index}.version`, reason: version.error });
    }
  }
  return found;
};

/**
 * The rows of a notice. A source package covers its binary ones, so those are left out beside it. None where no
 * version is told: it cannot be known then who has the fix.
 */
export const noticeRows = (notice: Notice): { rows: AffectedRow[]; problems: NoticeProblem[] } => {
  const rows = new Map<string, AffectedRow>();
  const problems: NoticeProblem[] = [];
  const isLivepatch = notice.id.startsWith('LSN-');
  for (const [codename, packages] of Object.entries(notice.release_packages ?? {})) {
    const field = `release_packages.${codename.slice(0, 80)}`;
    const release = releaseOf('ubuntu', codename);
    if (release === null) {
      problems.push({ field, reason: `there is no release ${codename.slice(0, 80)}` });
      continue;
    }
    const all = packagesOf(packages, field, problems);
    const sources = all.filter(({ is_source: isSource }) => isSource);
    const pocketOf = pocketsOf(all);
    for (const one of sources.length > 0 ? sources : all) {
      const version = one.version ?? '';
      const channels = isLivepatch ? ['livepatch'] : channelsOf(pocketOf(one), version);
      for (const channel of channels) {
        const row: AffectedRow = {
          ...({ distro: 'ubuntu', release, channel, name: one.name, fixed: version } as const),
          ...({ arch: null, module: null, status: 'fixed', note: null, scheme: 'deb' } as const),
          names: one.is_source ? 'source' : 'binary',
        };
        rows.set(JSON.stringify(row), row);
      }
    }
  }
  return { rows: [...rows.values()], problems };
};
