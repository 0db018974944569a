import type { PackageFailure, PackageFailureKind } from '../packages/failure.ts';

const REMEDIES: Record<PackageFailureKind, string> = {
  interrupted:
    'see what is there twice (`dnf repoquery --duplicates`) and take the older one away (`dnf remove --duplicates`, or `rpm -e name-version`)',
  'package-failed': "mend what the package's script complains about, then upgrade again",
  'lock-timeout': 'wait until the other package manager is done, or raise the lock timeout',
  'disk-full': 'free space on the file system, then upgrade again',
  'read-only': 'mount the file system writable (`mount -o remount,rw`)',
  'repository-untrusted':
    'check the key of that repository (gpgkey=) and, if it is right, `rpm --import` it; keys are never imported by an upgrade of ours',
  'repository-unreachable': 'check network, proxy and mirror, then refresh again',
  'repository-missing':
    'correct its address below /etc/yum.repos.d, or take it out there; nothing was done',
  'sources-invalid': 'correct the named file below /etc/yum.repos.d',
  'unknown-package': 'check the name, and that its repository is enabled; refresh first',
  'not-installed': 'leave the package out: an upgrade installs nothing that is not there',
  'unknown-version': 'refresh first; the repositories of this host do not offer that version',
  held: 'take the lock or exclude off (`dnf versionlock delete`, excludepkgs=), or leave the package out',
  'would-remove': 'allow removals for this upgrade if they are meant',
  'would-downgrade': 'ask for the installed version or a newer one',
  'unmet-dependencies': 'upgrade what it depends on as well, or see `dnf check`',
  timeout: 'see the transcript for where it hangs; a mirror may be slow',
  killed: 'see `dnf history` and `dnf check`, then upgrade again',
  other: 'see the transcript',
};

export const dnfFailure = (kind: PackageFailureKind, message: string): PackageFailure => ({
  kind,
  message,
  remedy: REMEDIES[kind],
});

/** What rpm says where its database is damaged; null: it says something else. */
export const damagedDatabase = (message: string, directory: string): PackageFailure | null =>
  /DB_RUNRECOVERY|Thread died in Berkeley DB|is malformed|is not a database|cannot open Packages|rpmdb open failed/.test(
    message,
  )
    ? {
        ...{ kind: 'other', message },
        remedy: `the database of rpm is damaged: save a copy of ${directory}, then \`rpm --rebuilddb\``,
      }
    : null;

/** Signs in what dnf and rpm say, the most telling first: one cause often brings others along. */
const SIGNS: readonly (readonly [RegExp, PackageFailureKind])[] = [
  [
    /No space left on device|more space needed on|needs \S+ (?:more space|more inodes)|Disk quota exceeded/,
    'disk-full',
  ],
  [/Read-only file system/, 'read-only'],
  [
    /already locked by|[Ff]ailed to obtain .*lock|transaction lock|can't create .* lock|another transaction is in progress/i,
    'lock-timeout',
  ],
  [
    /GPG check FAILED|GPG signature|GPG verification|is not signed|[Pp]ublic key for .* is not installed|automatically import keys|OpenPGP (?:check|key|signature)|Signature verification failed|checking of packages via GPG keys|BAD GPG|NOKEY|BAD signature/,
    'repository-untrusted',
  ],
  [
    /Error in (?:PRE\S*|TRIGGER\S*) scriptlet|scriptlet failed|Error unpacking rpm package|unpacking of archive failed/,
    'package-failed',
  ],
  [
    /failed loading '.*\.repo'|Unable to read version lock configuration|Error in configuration file|Config error|Cannot find a valid baseurl|No valid source \(baseurl/,
    'sources-invalid',
  ],
  [
    /Failed to download|Cannot download|Errors during downloading|Curl error|incorrect checksum|checksum doesn't match|Status code: \d|All mirrors were|repodata .* is not complete|Cannot prepare internal mirrorlist/,
    'repository-unreachable',
  ],
  [/removing the following protected packages/, 'would-remove'],
  [
    /available, but not installed|Packages for argument '.*' installed, but not available/,
    'not-installed',
  ],
  [
    /matches only (?:excluded packages|packages excluded by versionlock)|All matches were filtered out by exclude filtering/,
    'held',
  ],
  [
    /No match for argument|no match for:|Unable to find a match|^Installed package .* not available/,
    'unknown-version',
  ],
  [
    /^ ?Problem(?: \d+)?:|nothing provides|conflicts with|Transaction (?:check|test) error|cannot install/,
    'unmet-dependencies',
  ],
  [/Failed to resolve the transaction/, 'unmet-dependencies'],
];

const ANSWER = /^\s*(?:-|>>>) (?=Status code:|Curl error|Downloading successful)/;
/** Of a package, or of a file that the index names, it means that a mirror is being filled, or has moved on. */
const MISSING = /Status code: (?:404|410) for (?!\S*\.rpm)(?!\S*\/repodata\/(?!repomd\.xml))\S/;

/** What servers answered, where all that were asked say that they have no such repository; null: one says otherwise. */
const missingRepository = (lines: readonly string[]): string | null => {
  const answers = lines.filter((line) => ANSWER.test(line));
  return answers.every((line) => MISSING.test(line))
    ? (answers[0]?.replace(ANSWER, '') ?? null)
    : null;
};

/** Where dnf's line only announces the next one, that is what there is to say; a problem's next line is its cause. */
const said = (lines: readonly string[], at: number): string => {
  const line = (lines[at] ?? '').replace(/^(?:Error|Warning): ?/, '').trim();
  const next = (lines[at + 1] ?? '').trim().replace(/^- /, '');
  if (line === '' || line.endsWith(':')) return `${line} ${next}`.trim();
  return line.startsWith('Problem') && next !== '' ? `${line}: ${next}` : line;
};

/**
 * Finds in what dnf and rpm said (in the C locale) why they failed. The message is their own line; `other` with
 * the last line that calls itself an error where none is known.
 */
export const nameFailure = (output: string, exitCode: number): PackageFailure => {
  const lines = output.split('\n').map((line) => line.trimEnd());
  for (const [sign, kind] of SIGNS) {
    const at = lines.findIndex((line) => sign.test(line));
    if (at < 0) continue;
    const missing = kind === 'repository-unreachable' ? missingRepository(lines) : null;
    return missing === null
      ? dnfFailure(kind, said(lines, at))
      : dnfFailure('repository-missing', missing);
  }
  const last = lines.findLastIndex((line) =>
    /^(?:Error|error|Failed|Transaction failed)/.test(line),
  );
  return dnfFailure('other', last < 0 ? `dnf ended with status ${exitCode}` : said(lines, last));
};
