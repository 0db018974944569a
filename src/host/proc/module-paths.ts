import { opendirSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import type { Interpreter } from '../../core/stale/interpreted.ts';

/** Variables of the environment that put directories before the others. */
export const modulesVariable: Partial<Record<Interpreter, string>> = {
  python: 'PYTHONPATH',
  perl: 'PERL5LIB',
  ruby: 'RUBYLIB',
  node: 'NODE_PATH',
};

/** Names in a directory of the host; none where it cannot be read. */
export const list = (directory: string): string[] => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/**
 * The first names in a directory of the host, and whether those are all; null where it cannot be read. A program
 * may name any directory, also one with millions of files.
 */
export const firstNames = (
  directory: string,
  limit: number,
): { names: ReadonlySet<string>; all: boolean } | null => {
  const names = new Set<string>();
  try {
    const handle = opendirSync(directory, { bufferSize: 256 });
    try {
      for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
        if (names.size >= limit) return { names, all: false };
        names.add(entry.name);
      }
    } finally {
      handle.closeSync();
    }
  } catch {
    return null;
  }
  return { names, all: true };
};

const MAX_NAMES = 10_000;

/** Names in a directory of the host; where there are too many to read, it may have any. */
export const namesIn = (directory: string): Pick<ReadonlySet<string>, 'has'> | null => {
  const found = firstNames(directory, MAX_NAMES);
  return found === null || found.all ? (found?.names ?? null) : { has: () => true };
};

/**
 * Where an interpreter looks for modules on Debian, Ubuntu and the dnf family. It is never asked
 * itself: to run a program in the environment of another process is a way to become root.
 */
export const searchPath = (
  interpreter: Interpreter,
  namesIn: (directory: string) => Iterable<string> = list,
): string[] => {
  /** Directories of `base` that match, each with every one of `ends`. */
  const below = (base: string, pattern: RegExp, ends: readonly string[] = ['']): string[] =>
    [...namesIn(base)]
      .filter((name) => pattern.test(name))
      .flatMap((name) => ends.map((end) => posix.join(base, name, end)));
  /** Those of each architecture, where Debian keeps what is compiled. */
  const triplets = (base: string): string[] => below(base, /-linux-gnu/);
  switch (interpreter) {
    case 'python':
      return [
        ...below('/usr/local/lib', /^python3/, ['dist-packages', 'site-packages']),
        ...below('/usr/lib', /^python3/, ['', 'lib-dynload', 'dist-packages', 'site-packages']),
        ...below('/usr/lib64', /^python3/, ['', 'lib-dynload', 'site-packages']),
      ];
    case 'perl':
      return [
        ...['/etc/perl', '/usr/local/lib/site_perl', '/usr/share/perl5', '/usr/lib64/perl5'],
        ...['/usr/local/share/perl5', '/usr/local/lib64/perl5'],
        ...['/usr/share/perl5/vendor_perl', '/usr/lib64/perl5/vendor_perl'],
        ...below('/usr/local/share/perl5', /^5/),
        ...below('/usr/local/lib64/perl5', /^5/),
        ...below('/usr/local/share/perl', /^5/),
        ...below('/usr/share/perl', /^5/),
        ...triplets('/usr/local/lib').flatMap((base) => below(`${base}/perl`, /^5/)),
        ...triplets('/usr/lib').flatMap((base) => [
          `${base}/perl-base`,
          ...below(`${base}/perl5`, /^5/),
          ...below(`${base}/perl`, /^5/),
        ]),
      ];
    case 'ruby':
      return [
        ...['/usr/local/lib/site_ruby', '/usr/lib/ruby/vendor_ruby', '/usr/share/ruby'],
        ...below('/usr/local/lib/site_ruby', /^\d/),
        ...below('/usr/lib/ruby', /^\d/),
        ...below('/usr/lib/ruby/vendor_ruby', /^\d/),
        ...['/usr/local/share/ruby/site_ruby', '/usr/local/lib64/ruby/site_ruby'],
        ...['/usr/share/ruby/vendor_ruby', '/usr/lib64/ruby/vendor_ruby', '/usr/lib64/ruby'],
        ...triplets('/usr/local/lib').flatMap((base) => [
          `${base}/site_ruby`,
          ...below(`${base}/site_ruby`, /^\d/),
        ]),
        ...triplets('/usr/lib').flatMap((base) => [
          ...below(`${base}/ruby`, /^\d/),
          ...below(`${base}/ruby/vendor_ruby`, /^\d/),
        ]),
      ];
    case 'php':
      return ['/usr/local/share/php', '/usr/share/php', '/usr/share/pear'];
    case 'node':
      return [
        ...['/usr/local/lib/nodejs', '/usr/lib/nodejs', '/usr/share/nodejs', '/usr/lib/node'],
        ...['/usr/local/lib/node_modules', '/usr/lib/node_modules'],
        ...triplets('/usr/lib').map((base) => `${base}/nodejs`),
      ];
  }
};
