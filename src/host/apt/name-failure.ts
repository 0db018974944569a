import type { PackageFailure, PackageFailureKind } from '../packages/failure.ts';

const REMEDIES: Record<PackageFailureKind, string> = {
  interrupted: 'run `dpkg --configure -a`, then `apt-get --fix-broken install`',
  'package-failed':
    "mend what the package's script complains about, then run `dpkg --configure -a`",
  'lock-timeout': 'wait until the other package manager is done, or raise the lock timeout',
  'disk-full': 'free space on the file system, then run `dpkg --configure -a`',
  'read-only': 'mount the file system writable (`mount -o remount,rw`)',
  'repository-untrusted':
    'check the key in signed-by= of that source, and that the clock is right; nothing was taken from it',
  'repository-unreachable': 'check network, proxy and mirror, then refresh again',
  'repository-missing':
    'correct its address and suite below /etc/apt, or take it out there; nothing was done',
  'sources-invalid': 'correct the named file below /etc/apt',
  'unknown-package': 'check the name, and that its repository is configured',
  'not-installed': 'leave the package out: an upgrade installs nothing that is not there',
  'unknown-version':
    'ask for a version that the repositories of this host offer, or have that one published there',
  held: 'take the hold off (`apt-mark unhold`), or leave the package out',
  'would-remove': 'allow removals for this upgrade if they are meant',
  'would-downgrade': 'ask for the installed version or a newer one',
  'unmet-dependencies': 'run `apt-get --fix-broken install`, or upgrade what it depends on as well',
  timeout: 'see the transcript for where it hangs; a package may wait for an answer',
  killed: 'run `dpkg --configure -a`, then `apt-get --fix-broken install`',
  other: 'see the transcript',
};

export const aptFailure = (kind: PackageFailureKind, message: string): PackageFailure => ({
  kind,
  message,
  remedy: REMEDIES[kind],
});

/** Signs in apt's and dpkg's output, the most telling first: one cause often brings others along. */
const SIGNS: readonly (readonly [RegExp, PackageFailureKind])[] = [
  [/No space left on device|enough free space in|Disk quota exceeded/, 'disk-full'],
  [/Read-only file system/, 'read-only'],
  [/dpkg was interrupted, you must manually run/, 'interrupted'],
  [/Could not get lock|Unable to acquire the dpkg frontend lock|Unable to lock/, 'lock-timeout'],
  [
    /dpkg frontend lock was locked by another process|status database area is locked/,
    'lock-timeout',
  ],
  [
    /Sub-process \S*dpkg \S*\s*(?:received (?:signal|a segmentation)|exited unexpectedly)/,
    'interrupted',
  ],
  [/^dpkg: error processing (?:package|archive)/, 'package-failed'],
  [
    /GPG error|is not signed|NO_PUBKEY|BADSIG|EXPKEYSIG|couldn't be verified|unauthenticated packages|is not valid yet|Release file .* expired|changed its '.*' value|Splitting up .* failed|sqv|OpenPGP/,
    'repository-untrusted',
  ],
  [/Version '.*' for '.*' was not found/, 'unknown-version'],
  [
    /Unable to locate package|Couldn't find any package|has no installation candidate/,
    'unknown-package',
  ],
  [/Held packages were changed/, 'held'],
  [
    /Packages need to be removed but remove is disabled|Essential packages were removed/,
    'would-remove',
  ],
  [/Packages were downgraded and -y was used/, 'would-downgrade'],
  [/unmet dependencies|held broken packages|correct problems/, 'unmet-dependencies'],
  [
    /Hash Sum mismatch|File has unexpected size|Failed to fetch|(?:does not have|no longer has) a Release file|Could not (?:resolve|connect)|Unable to (?:connect|fetch)|Some index files failed|Connection (?:failed|timed out)|File not found|Temporary failure/,
    'repository-unreachable',
  ],
  [
    /list of sources could not be read|Malformed (?:entry|line|stanza)|Syntax error|Invalid record in the preferences/,
    'sources-invalid',
  ],
];

/**
 * The repository of which a server says that it has none, and the answer; null: it did not say so. Of a package or an index alone
 * that is another matter: a mirror is being filled, or has moved on.
 */
const missingRepository = (lines: readonly string[]): string | null => {
  const at = lines.findIndex(
    (line, index) =>
      /^Err\S*:\d+ .* Release$/.test(line) && /^\s+(?:404|410)\s/.test(lines[index + 1] ?? ''),
  );
  const [, repository = ''] = /^\S+ (.*)$/.exec(lines[at] ?? '') ?? [];
  return at < 0 ? null : `${repository}: ${(lines[at + 1] ?? '').trim().replace(/\s+/, ' ')}`;
};

/** Names packages that dpkg gave up on, from its closing list. */
const failedPackages = (lines: readonly string[]): string[] => {
  const begin = lines.findIndex((line) => line === 'Errors were encountered while processing:');
  if (begin < 0) return [];
  const rest = lines.slice(begin + 1);
  const end = rest.findIndex((line) => !line.startsWith(' '));
  return rest.slice(0, end < 0 ? rest.length : end).map((line) => line.trim());
};

/**
 * Finds in what apt and dpkg said (in the C locale) why they failed. The message is their own line;
 * `other` with their last error line where none is known.
 */
export const nameFailure = (output: string, exitCode: number): PackageFailure => {
  const lines = output.split('\n').map((line) => line.trimEnd());
  for (const [sign, kind] of SIGNS) {
    const at = lines.findIndex((line) => sign.test(line));
    if (at < 0) continue;
    const missing = kind === 'repository-unreachable' ? missingRepository(lines) : null;
    if (missing !== null) return aptFailure('repository-missing', missing);
    const line = (lines[at] ?? '').replace(/^[EW]: /, '');
    if (kind !== 'package-failed') return aptFailure(kind, line.trim());
    const cause = (lines[at + 1] ?? '').trim();
    const names = failedPackages(lines);
    const which = names.length > 1 ? ` (failed: ${names.join(', ')})` : '';
    return aptFailure(kind, `${line}${cause === '' ? '' : ` ${cause}`}${which}`);
  }
  const last = lines.findLast((line) => /^(?:E:|dpkg: error)/.test(line));
  return aptFailure('other', last?.replace(/^E: /, '') ?? `apt ended with status ${exitCode}`);
};
