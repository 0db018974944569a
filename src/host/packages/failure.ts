/** Why a package manager did not do what was asked of it; the same kinds for each of them. */
export type PackageFailureKind =
  | 'interrupted'
  | 'package-failed'
  | 'lock-timeout'
  | 'disk-full'
  | 'read-only'
  | 'repository-untrusted'
  | 'repository-unreachable'
  /** Its server answers, and has none at that address: no trying again helps. */
  | 'repository-missing'
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
  /** Of `unknown-version`, where it is known: the packages that the repositories do not have as asked for. */
  missing?: readonly { name: string; arch: string }[];
}

/** One failure for all packages of which a version was asked for that the repositories do not have. */
export const missingVersions = (
  missing: readonly { name: string; arch: string; reason: PackageFailure }[],
): PackageFailure | null => {
  const [first] = missing;
  if (first === undefined) return null;
  return {
    ...first.reason,
    message: missing.map(({ reason }) => reason.message).join('; '),
    missing: missing.map(({ name, arch }) => ({ name, arch })),
  };
};
