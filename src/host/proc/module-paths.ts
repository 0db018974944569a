import { readdirSync } from 'node:fs';
import { posix } from 'node:path';
import type { Interpreter } from '../../core/stale/interpreted.ts';

/** Variables of the environment that put directories before the others. */
export const modulesVariable: Record<Interpreter, string> = {
  python: 'PYTHONPATH',
  perl: 'PERL5LIB',
  ruby: 'RUBYLIB',
};

/** Names in a directory; none where it cannot be read. */
export const list = (directory: string): string[] => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/**
 * Where an interpreter looks for modules on Debian, Ubuntu and the dnf family. It is never asked
 * itself: to run a program in the environment of another process is a way to become root.
 */
export const searchPath = (interpreter: Interpreter, root = ''): string[] => {
  /** Directories of `base` that match, each with every one of `ends`. */
  const below = (base: string, pattern: RegExp, ends: readonly string[] = ['']): string[] =>
    list(root + base)
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
  }
};
