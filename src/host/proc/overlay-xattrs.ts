import { execa, execaSync } from 'execa';
import { readProcText } from './read-processes.ts';

/** What overlayfs wrote on an entry of an upper layer. */
export interface OverlayXattrs {
  /** `y`: opaque; `x`: it may hold whiteouts that are files with an attribute. */
  opaque: string | null;
  redirect: string | null;
  metacopy: boolean;
  whiteout: boolean;
}

/** `trusted`: as root mounts; `user`: mounted with `userxattr` by a user namespace. */
export type XattrNamespace = 'trusted' | 'user';

interface XattrEntry {
  path: string;
  namespace: XattrNamespace;
}

/** About an entry whose answer may be remembered. */
export interface XattrQuestion extends XattrEntry {
  /** Names this state of the entry: to set an attribute moves ctime. */
  identity: string;
}

const NAMES = ['opaque', 'redirect', 'metacopy', 'whiteout'];

/** System call numbers of lgetxattr(2), which perl cannot look up by itself. */
const LGETXATTR: Record<string, number> = {
  x64: 192,
  arm64: 9,
  riscv64: 9,
  loong64: 9,
  ppc64: 213,
  s390x: 228,
};

// Both read NUL-ended names and paths from standard input, and answer a line of hexadecimal values
// for each path: `-` for an attribute that is not set, `!N` for error N.
const PERL = `
use strict; local $/; my @in = split /\\0/, <STDIN>; my $n = shift @in;
while (@in) { my $p = shift @in; my $ns = shift @in; my @out;
  for my $a (qw(${NAMES.join(' ')})) { my $k = "$ns.overlay.$a"; my $b = "\\0" x 4096;
    my $r = syscall($n, $p, $k, $b, 4096);
    push @out, $r >= 0 ? 'v' . unpack('H*', substr($b, 0, $r)) : ($!+0 == 61 || $!+0 == 95) ? '-' : '!' . ($!+0); }
  print join(' ', @out), "\\n"; }`;
const PYTHON = `
import os, sys
data = sys.stdin.buffer.read().split(b'\\0')[1:-1]
for p, ns in zip(data[::2], data[1::2]):
    out = []
    for a in ${JSON.stringify(NAMES)}:
        try: out.append('v' + os.getxattr(p, ns + b'.overlay.' + a.encode(), follow_symlinks=False).hex())
        except OSError as e: out.append('-' if e.errno in (61, 95) else '!%d' % e.errno)
    print(' '.join(out))`;

const ENOENT = '!2';

const decode = (line: string): OverlayXattrs | null => {
  const fields = line.split(' ');
  if (fields.length !== NAMES.length) return null;
  if (fields.some((field) => field.startsWith('!') && field !== ENOENT)) return null;
  const [opaque, redirect, metacopy, whiteout] = fields.map((field) =>
    field.startsWith('v') ? Buffer.from(field.slice(1), 'hex').toString('utf8') : null,
  );
  return {
    opaque: opaque ?? null,
    redirect: redirect ?? null,
    metacopy: (metacopy ?? null) !== null,
    whiteout: (whiteout ?? null) !== null,
  };
};

/** Without CAP_SYS_ADMIN (bit 21, capabilities(7)) trusted attributes seem not to be there. */
const seesTrusted = (): boolean => {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readProcText('/proc/self/status') ?? '')?.[1];
  return effective === undefined || ((BigInt(`0x${effective}`) >> 21n) & 1n) === 1n;
};

const needsRoot = 'needs root with CAP_SYS_ADMIN';
const noReader = 'extended attributes cannot be read: install perl or python3';

/** Children that may answer: the first that does is enough. No link at the end of a path is followed, and no content read. */
const xattrChildren = (
  entries: readonly XattrEntry[],
  architecture: string,
): { file: string; args: string[]; input: string }[] => {
  const asked = entries.map(({ path, namespace }) => `${path}\0${namespace}\0`).join('');
  const number = LGETXATTR[architecture];
  return [
    ...(number === undefined
      ? []
      : [{ file: 'perl', args: ['-e', PERL], input: `${number}\0${asked}` }]),
    { file: 'python3', args: ['-I', '-S', '-c', PYTHON], input: `\0${asked}` },
  ];
};

/** `trusted.overlay.*` of many entries, in their order; null where it cannot be told. Throws where none can be. */
export const readOverlayXattrs = async (
  paths: readonly string[],
): Promise<(OverlayXattrs | null)[]> => {
  if (paths.length === 0) return [];
  if (!seesTrusted()) throw new Error(needsRoot);
  const entries = paths.map((path): XattrEntry => ({ path, namespace: 'trusted' }));
  for (const { file, args, input } of xattrChildren(entries, process.arch)) {
    const { exitCode, stdout } = await execa(file, args, { input, reject: false, timeout: 60_000 });
    const lines = exitCode === 0 ? stdout.split('\n') : [];
    if (lines.length === entries.length) return lines.map(decode);
  }
  throw new Error(noReader);
};

export interface XattrReader {
  /** Ask for many at once; what is asked later and was not asked for costs a child each. */
  prefetch: (questions: readonly XattrQuestion[]) => void;
  /** The attributes, or the reason why they cannot be told. */
  read: (question: XattrQuestion) => OverlayXattrs | { reason: string };
}

/**
 * Node has no call for extended attributes, so a small child reads them: perl, which each Debian
 * has, else python3, which each host with dnf has. All entries of a scan go to one child, and
 * answers are remembered for as long as the entry does not change.
 */
export const xattrReader = (
  options: { architecture?: string; limit?: number } = {},
): XattrReader => {
  const { architecture = process.arch, limit = 100_000 } = options;
  const known = new Map<string, OverlayXattrs | { reason: string }>();
  const keyOf = ({ namespace, identity, path }: XattrQuestion): string =>
    `${namespace} ${identity} ${path}`;

  const ask = (questions: readonly XattrQuestion[]): string[] | { reason: string } => {
    if (!seesTrusted()) return { reason: needsRoot };
    for (const { file, args, input } of xattrChildren(questions, architecture)) {
      const { exitCode, stdout } = execaSync(file, args, { input, reject: false, timeout: 10_000 });
      const lines = exitCode === 0 ? stdout.split('\n') : [];
      if (lines.length === questions.length) return lines;
    }
    return { reason: noReader };
  };

  const prefetch = (questions: readonly XattrQuestion[]): void => {
    const missing = new Map(
      questions.filter((one) => !known.has(keyOf(one))).map((one) => [keyOf(one), one]),
    );
    if (missing.size === 0) return;
    if (known.size + missing.size > limit) known.clear();
    const answer = ask([...missing.values()]);
    [...missing.keys()].forEach((key, at) => {
      const failed = Array.isArray(answer) ? null : answer;
      const line = Array.isArray(answer) ? (answer[at] ?? '') : '';
      known.set(key, failed ?? decode(line) ?? { reason: `getxattr: ${line}` });
    });
  };
  return {
    prefetch,
    read: (question) => {
      prefetch([question]);
      const answer = known.get(keyOf(question)) ?? { reason: 'not read' };
      // A failure is not the entry's state: ask again next time.
      if ('reason' in answer) known.delete(keyOf(question));
      return answer;
    },
  };
};
