import type { InventoryPackage } from './inventory.ts';

/**
 * Whose a package is, as far as anything tells: the distributor's own, EPEL's, somebody else's. Only where something tells it, a
 * package is not the distributor's: what comes from a mirror under a name of its own must not be missed.
 */
export type Origin = 'own' | 'epel' | 'foreign' | 'unknown';

/** Distributors that build the same packages: what one of them built is replaced by what another one offers. */
const enterprise = /red ?hat|almalinux|rocky|centos|oracle|cloudlinux/i;
const vendors: ReadonlyMap<string, RegExp> = new Map([
  ...['almalinux', 'rocky', 'rhel', 'ol', 'centos'].map((distro): [string, RegExp] => [
    distro,
    enterprise,
  ]),
  ['amzn', /amazon/i],
  ['fedora', /fedora/i],
  ['debian', /^debian/i],
  ['ubuntu', /^(?:ubuntu|canonical)/i],
]);

const epelRepository = /^epel\b/i;
const ownRepository =
  /^(?:(?:local-)?(?:baseos|appstream|crb|powertools)\b|rhel-|ubi-|ol\d+_|amzn2?-|amazonlinux$|fedora$|debian|ubuntu)/i;
/** Repositories that are known everywhere, by their ids of dnf and by apt's `Origin`. */
const foreignRepository =
  /^(?:remi|docker|pgdg|apt\.postgresql\.org|nodesource|node source|mysql|mariadb|percona|elrepo|rpmfusion|ius|nginx-(?:stable|mainline)|nginx$|hashicorp|kubernetes|grafana|gitlab|zabbix|elastic|google|microsoft|copr:|lp-ppa-|deb\.sury\.org)/i;

/** What builders of packages leave in versions: `15.5-1.pgdg120+1`, `20.1.0-1nodesource1`, `7.4.33-1.el9.remi`, `1.2-1~ppa1`. */
const foreignVersion = /[.~+\d](?:pgdg|nodesource|remi|elrepo|ius|ppa|sury)(?![a-z])|sury\.org/;

/** Whose a package on a host of that distribution is. */
export const originOf = (one: InventoryPackage, distro: string): Origin => {
  const vendor = one.vendor ?? '';
  const repository = (one.repository ?? '').replace(/^@/, '');
  if (foreignVersion.test(one.version) || foreignRepository.test(repository)) return 'foreign';
  if (epelRepository.test(repository)) return 'epel';
  if (vendor !== '') {
    const own = vendors.get(distro);
    if (own?.test(vendor) === true) return 'own';
    // EPEL is built by Fedora.
    if (own === enterprise && /fedora/i.test(vendor)) return 'epel';
    if (own !== undefined) return 'foreign';
  }
  return ownRepository.test(repository) ? 'own' : 'unknown';
};

/** Packages that no host of Debian or Ubuntu is without, so that a mirror of the distribution has them all. */
const basePackages: ReadonlySet<string> = new Set([
  ...['base-files', 'base-passwd', 'bash', 'coreutils', 'dpkg', 'libc-bin', 'libc6', 'login'],
]);

/** What the distribution itself leaves in versions, of security updates above all: `1.1-1+deb12u3`, `115.0-1~deb12u1`, `3.0.2-0ubuntu1.18`. */
const ownVersion = /[+~]deb\d+u\d|ubuntu/;

/**
 * Tells which packages of a host with dpkg are somebody else's by apt's `Origin` alone. That says so only where the base of the host is known to
 * come from the distribution's own repositories, and from no other: else any other name may be a mirror's. Of what no repository has any more
 * nothing is told, and a build of the distribution's is its own wherever it came from.
 */
export const othersByOrigin = (
  packages: readonly InventoryPackage[],
  distro: string,
): ((one: InventoryPackage) => boolean) => {
  const base = packages.filter(
    ({ name, repository }) => basePackages.has(name) && (repository ?? '') !== '',
  );
  if (base.length === 0 || base.some((one) => originOf(one, distro) !== 'own')) return () => false;
  return (one) =>
    (one.repository ?? '') !== '' &&
    originOf(one, distro) === 'unknown' &&
    !ownVersion.test(one.version);
};
