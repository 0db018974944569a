import { z } from 'zod';

/** Whose order the versions of a row follow. */
export const VersionScheme = z.enum(['deb', 'rpm']);
export type VersionScheme = z.infer<typeof VersionScheme>;

/** What an advisory is about; only of some feeds another one than security. */
export const AdvisoryKind = z.enum(['security', 'bugfix', 'enhancement']);
export type AdvisoryKind = z.infer<typeof AdvisoryKind>;

/** The distributors' words, made comparable; the word itself stands beside it. */
export const Severity = z.enum(['critical', 'high', 'medium', 'low', 'unknown']);
export type Severity = z.infer<typeof Severity>;

/**
 * What an advisory says of one package of one distribution.
 *
 * - `fixed`: versions below `fixed` are affected, it and later ones are not. More than one such row for the same package
 *   (module streams, rebuilds) are alternatives: see `match.ts`.
 * - `affected`: there is no fix, or not yet.
 * - `not-affected`: named so that nobody else's word is taken for it.
 */
export const AffectedRow = z.strictObject({
  /** os-release's ID: `debian`, `ubuntu`, `almalinux`, `rocky`, `rhel`, `amzn`, `ol`, `fedora`. */
  distro: z.string(),
  /** os-release's VERSION_ID, as exactly as the feed tells: `12`, `22.04`, `9`, `9.2`, `2023`. */
  release: z.string(),
  /**
   * What a host must be attached to, to be offered the fix: `esm-infra`, `esm-apps`, `fips-updates`, `eus`, `extras-nginx1`.
   * Null: the distribution's own.
   */
  channel: z.string().nullable(),
  /** Whether `name` and `fixed` are those of the source package or of a binary one. */
  names: z.enum(['source', 'binary']),
  name: z.string(),
  /** Null: every one. Of rpm, `noarch` counts for every one too. */
  arch: z.string().nullable(),
  /** `name:stream` of rpm; null: none, or the feed does not say. */
  module: z.string().nullable(),
  status: z.enum(['fixed', 'affected', 'not-affected']),
  /** Null unless `status` is `fixed`. */
  fixed: z.string().nullable(),
  /** Said of just this build, as by the repository that has it: rows of the same package are no alternatives. */
  exact: z.literal(true).optional(),
  /** Versions before it are not affected; left out: every version below `fixed` is. */
  introduced: z.string().optional(),
  /** Versions after it are not affected, although nobody names one that is fixed. */
  lastAffected: z.string().optional(),
  /** Just these versions are affected, where the feed lists them in place of a range. */
  versions: z.array(z.string()).optional(),
  /**
   * Of `not-affected`: the version of it that the security archive had when that was said. Said again of another one it is no
   * news, so the hash leaves it out. Not there: none, or it is not told.
   */
  asOf: z.string().optional(),
  /** Why there is no fix, where the distributor says it: `end-of-life`, `will not fix`, `postponed`. */
  note: z.string().nullable(),
  scheme: VersionScheme,
});
export type AffectedRow = z.infer<typeof AffectedRow>;

/** An advisory as every feed's parser gives it. */
export const Advisory = z.strictObject({
  /** The feed's name: `debian-lists`, `osv`, … */
  feed: z.string(),
  /** As the distributor calls it: `DSA-5380-1`, `RHSA-2024:1234`, `CVE-2024-1234` where a feed goes by those. */
  id: z.string(),
  kind: AdvisoryKind,
  title: z.string(),
  cves: z.array(z.string()),
  /** ISO 8601, UTC; null where the feed does not say. */
  published: z.string().nullable(),
  modified: z.string().nullable(),
  /** Taken back by the distributor: it affects nothing any more. */
  withdrawn: z.boolean(),
  severity: Severity,
  /** The distributor's own word. */
  vendorSeverity: z.string().nullable(),
  /** The distributor asks for a reboot; left out where it does not. */
  rebootSuggested: z.boolean().optional(),
  affected: z.array(AffectedRow),
});
export type Advisory = z.infer<typeof Advisory>;

/** The part of an advisory that could not be used: which record and field of which file, and why. */
export interface FeedProblem {
  file: string;
  /** Id or number of the record, as far as it is known; of what could not be fetched, `` where it is not one record of many. */
  record: string;
  /** Path of the field within the record; `` for the record as a whole. */
  field: string;
  reason: string;
  /** It is not taken because it has so many records, and had so many: a person can accept it. */
  lost?: { had: number; has: number };
}

/** What a parser makes of one record: a bad one is named, and the good ones beside it are kept. */
export type ParsedRecord =
  { kind: 'advisory'; advisory: Advisory } | { kind: 'problem'; problem: FeedProblem };
