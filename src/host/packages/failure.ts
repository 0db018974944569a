/** Why a package manager did not do what was asked of it; the same kinds for each of them. */
export type PackageFailureKind =
  | 'interrupted'
  | 'package-failed'
  | 'lock-timeout'
  | 'disk-full'
  | 'read-only'
  | 'repository-untrusted'
  | 'repository-unreachable'
  | 'sources-invalid'
  | 'unknown-package'
  | 'not-installed'
  | 'unknown-version'
  | 'held'
  | 'would-remove'
  | 'would-downgrade'
  | 'unmet-dependencies'
  | 'timeout'
  | 'killed'
  | 'other';

export interface PackageFailure {
  kind: PackageFailureKind;
  /** What is wrong, in the package manager's own words where it says it. */
  message: string;
  /** What a person can do about it. */
  remedy: string;
}
