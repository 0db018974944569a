import type { SecuritySuite } from './security-suite.ts';

/** What hosts' own sources name, where several of a platform name the same. */
export interface NamingHosts {
  platform: string;
  suites: readonly SecuritySuite[];
  /** How many they are, and one of them. */
  hosts: number;
  host: string;
}

/** A suite with all who name it. */
export interface NamedSuite extends SecuritySuite {
  /** Those of the hosts that name it: for others it says nothing. */
  platforms: string[];
  /** How many hosts name it, and one of them. */
  hosts: number;
  host: string;
}

/** What an operator says about them; left out: nothing. */
export interface SuiteLimits {
  platform?: string | undefined;
  suite?: string | undefined;
}

/** Servers on which Debian and Ubuntu themselves publish: nobody else has a place there. */
const distributors =
  /^(?:deb|security|ftp)\.debian\.org$|^(?:(?:[a-z]{2}\.)?archive|security|ports|esm)\.ubuntu\.com$/;

const merged = (a: readonly string[], b: readonly string[]): string[] =>
  [...new Set([...a, ...b])].sort();

/**
 * Each suite once, with everything that its hosts name of it; what most hosts name comes first, so that a few hosts can
 * crowd out none of it. Only hosts of Debian and Ubuntu count: a suite of others says nothing about them.
 */
export const namedSuites = (
  naming: readonly NamingHosts[],
  { platform: only, suite: onlySuite }: SuiteLimits = {},
): NamedSuite[] => {
  const found = new Map<string, NamedSuite>();
  for (const { platform, suites, hosts, host } of naming) {
    if (!/^(?:debian|ubuntu)-/.test(platform)) continue;
    if (only !== undefined && only !== platform) continue;
    for (const { url, suite, components, architectures } of suites) {
      if (onlySuite !== undefined && onlySuite !== suite) continue;
      const key = `${url} ${suite}`;
      const known = found.get(key);
      found.set(key, {
        ...{ url, suite },
        components: merged(known?.components ?? [], components),
        architectures: merged(known?.architectures ?? [], architectures),
        platforms: merged(known?.platforms ?? [], [platform]),
        hosts: (known?.hosts ?? 0) + hosts,
        host: known?.host ?? host,
      });
    }
  }
  return [...found.values()].sort(
    (a, b) => b.hosts - a.hosts || (`${a.url} ${a.suite}` < `${b.url} ${b.suite}` ? -1 : 1),
  );
};

/**
 * Whether the server may go to an address only because a host names it: to servers of the distributors, and below `mirrors`,
 * which an operator has named. So no host sends it to places that only the server can reach.
 */
export const mayBeFetched = (address: string, mirrors: readonly string[]): boolean => {
  const url = new URL(address);
  if (url.port === '' && distributors.test(url.hostname)) return true;
  return mirrors.some((mirror) => {
    const { origin, pathname } = new URL(mirror);
    const below = pathname.replace(/\/*$/, '/');
    return url.origin === origin && `${url.pathname}/`.startsWith(below);
  });
};
