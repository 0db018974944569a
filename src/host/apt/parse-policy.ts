import { Unreadable } from '../../core/unreadable.ts';

/** One version of a package that apt knows, and the repositories that have it. */
export interface OfferedVersion {
  version: string;
  /** Pin priority: negative means never to be installed (apt_preferences(5)). */
  priority: number;
  installed: boolean;
  /** Whether a repository for security updates has this version. */
  security: boolean;
  /** Whether any repository has it, and not only dpkg's own database. */
  available: boolean;
}

/** Origins of Ubuntu's paid services, and the channels that advisories name them by. */
const CHANNELS: readonly (readonly [RegExp, string])[] = [
  [/(?:^|,)o=UbuntuESMApps(?:,|$)/, 'esm-apps'],
  [/(?:^|,)o=UbuntuESM(?:,|$)/, 'esm-infra'],
  [/(?:^|,)o=UbuntuFIPSUpdates(?:,|$)/, 'fips-updates'],
  [/(?:^|,)o=UbuntuFIPS(?:,|$)/, 'fips'],
  [/(?:^|,)o=UbuntuRealtimeKernel(?:,|$)/, 'realtime'],
];

/** Which paid services the repositories belong to that apt-cache(8) `policy` lists without operands. */
export const parseChannels = (output: string): string[] => {
  const releases = [...output.matchAll(/^ {5}release (.*)$/gm)].map(([, text]) => text ?? '');
  return CHANNELS.filter(([sign]) => releases.some((release) => sign.test(release)))
    .map(([, channel]) => channel)
    .sort();
};

export interface PackagePolicy {
  /** As apt names it: with `:arch` only where it is a foreign one. */
  name: string;
  candidate: string | null;
  versions: OfferedVersion[];
}

/**
 * Whether a repository carries security updates, by what its signed Release file says of itself:
 * Debian has the label Debian-Security and suites such as stable-security; Ubuntu's label is Ubuntu
 * for all, and the suite noble-security tells; its ESM suites are named jammy-infra-security.
 */
const isSecurity = (release: string): boolean =>
  /(?:^|,)(?:a|n)=[^,]*-security(?:,|$)|(?:^|,)l=[^,]*[Ss]ecurity[^,]*(?:,|$)/.test(release);

/**
 * Reads the list of package files that apt-cache(8) `policy` prints without operands, and answers
 * the descriptions of those that carry security updates.
 */
export const parseSecuritySources = (output: string): Set<string> => {
  const security = new Set<string>();
  let file = '';
  for (const line of output.split('\n')) {
    const head = /^ *-?\d+ (\S.*)$/.exec(line)?.[1];
    if (head !== undefined) file = head;
    const release = /^ {5}release (.*)$/.exec(line)?.[1];
    if (release !== undefined && isSecurity(release)) security.add(file);
  }
  return security;
};

/** Reads what apt-cache(8) `policy NAME…` prints; `security` as `parseSecuritySources` answers it. */
export const parsePolicy = (output: string, security: ReadonlySet<string>): PackagePolicy[] => {
  const policies: PackagePolicy[] = [];
  for (const line of output.split('\n')) {
    const name = /^(\S+):$/.exec(line)?.[1];
    const policy = policies.at(-1);
    if (name !== undefined) policies.push({ name, candidate: null, versions: [] });
    else if (policy === undefined) continue;
    else if (line.startsWith('  Candidate: ')) {
      const candidate = line.slice('  Candidate: '.length);
      policy.candidate = candidate === '(none)' ? null : candidate;
    } else if (/^ (?:\*\*\*| {3}) \S/.test(line)) {
      const [, star, version, priority] =
        /^ (\*\*\*| {3}) (\S+) (-?\d{1,9})(?: |$)/.exec(line) ?? [];
      if (version === undefined)
        throw new Unreadable(
          `output of apt-cache policy, ${policy.name}`,
          line,
          'want a version and its priority; run it by hand with LC_ALL=C',
        );
      policy.versions.push({
        ...{ version, priority: Number(priority), installed: star === '***' },
        ...{ security: false, available: false },
      });
    } else {
      const source = /^ {8} *-?\d+ (\S.*)$/.exec(line)?.[1];
      const version = policy.versions.at(-1);
      if (source === undefined || version === undefined) continue;
      if (source !== '/var/lib/dpkg/status') version.available = true;
      if (security.has(source)) version.security = true;
    }
  }
  return policies;
};
