import { z } from 'zod';
import type { AffectedRow } from '../../../core/advisories/advisory.ts';
import { releaseOf } from '../../../core/advisories/release-of.ts';
import {
  compareDebVersions,
  parseDebVersion,
} from '../../../core/versions/compare-deb-versions.ts';

/** What the tracker says of an issue in one source package; of a release only what is read here. */
export const TrackerIssue = z.object({
  description: z.string().optional(),
  /** An empty array where there are none. */
  releases: z.union([
    z.record(z.string(), z.unknown()),
    z
      .array(z.unknown())
      .length(0)
      .transform((): Record<string, unknown> => ({})),
  ]),
});
export type TrackerIssue = z.infer<typeof TrackerIssue>;

const TrackerRelease = z.object({
  status: z.enum(['resolved', 'open', 'undetermined']),
  /** By the suite, `bookworm` or `bookworm-security`, what the archive carries now. */
  repositories: z.record(z.string(), z.unknown()).optional().catch(undefined),
  fixed_version: z.string().optional(),
  urgency: z.string().optional(),
  nodsa: z.string().optional(),
  nodsa_reason: z.string().optional(),
});
type TrackerRelease = z.infer<typeof TrackerRelease>;

/** Releases without a number, which no host of a fleet is matched by. */
const unnumbered: ReadonlySet<string> = new Set(['sid', 'experimental']);

export type ReadRelease =
  | { kind: 'row'; row: AffectedRow; urgency: string | null }
  | { kind: 'nothing' }
  | { kind: 'problem'; field: string; reason: string };

const nothing: ReadRelease = { kind: 'nothing' };

/** Why there is no fix: that support ended, or that there will be no DSA (`ignored`), or not soon (`postponed`). */
const noteOf = ({ urgency, nodsa, nodsa_reason: reason }: TrackerRelease): string | null => {
  if (urgency === 'end-of-life') return urgency;
  if (nodsa === undefined) return null;
  const word = reason === undefined || reason === '' ? 'no DSA' : reason;
  return nodsa === '' ? word : `${word}: ${nodsa}`;
};

/** The newest that the release's suites of security updates carry; null: none of it. */
const inSecurity = ({ repositories = {} }: TrackerRelease, codename: string): string | null =>
  ['security', 'lts']
    .map((suite) => repositories[`${codename}-${suite}`])
    .filter((version): version is string => typeof version === 'string')
    .filter((version) => parseDebVersion(version).ok)
    .reduce<string | null>(
      (newest, version) =>
        newest === null || compareDebVersions(version, newest) > 0 ? version : newest,
      null,
    );

/**
 * What the tracker says of one source package in one release. `fixed_version` `0` means that the release never was
 * affected; what Debian does not take for an issue of security (`unimportant`) is as good as that. Nothing is said by what nobody
 * has looked at yet (`undetermined`). What the archive carries now (`repositories`) is not what a host has; it tells when that
 * was said.
 */
export const readRelease = (name: string, codename: string, json: unknown): ReadRelease => {
  if (unnumbered.has(codename)) return nothing;
  const number = releaseOf('debian', codename);
  if (number === null)
    return { kind: 'problem', field: '', reason: `there is no release ${codename.slice(0, 80)}` };
  const read = TrackerRelease.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    return { kind: 'problem', field: issue?.path.join('.') ?? '', reason: issue?.message ?? '' };
  }
  const { status, fixed_version: fixed, urgency = null } = read.data;
  const common = {
    ...({ distro: 'debian', release: number, channel: null, names: 'source', name } as const),
    ...({ arch: null, module: null, scheme: 'deb' } as const),
  };
  const row = (rest: Pick<AffectedRow, 'status' | 'fixed' | 'note' | 'asOf'>): ReadRelease => ({
    kind: 'row',
    row: { ...common, ...rest },
    urgency,
  });
  const never = status === 'resolved' && fixed === '0';
  if (never || (status !== 'undetermined' && urgency === 'unimportant')) {
    const asOf = inSecurity(read.data, codename);
    return row({
      ...{ status: 'not-affected', fixed: null, note: never ? null : 'unimportant' },
      ...(asOf === null ? {} : { asOf }),
    });
  }
  if (status === 'undetermined') return nothing;
  if (status === 'open') return row({ status: 'affected', fixed: null, note: noteOf(read.data) });
  if (fixed === undefined)
    return { kind: 'problem', field: 'fixed_version', reason: 'it is resolved, but not in which' };
  const version = parseDebVersion(fixed);
  if (!version.ok) return { kind: 'problem', field: 'fixed_version', reason: version.error };
  return row({ status: 'fixed', fixed, note: null });
};
