import type { FeedAddress } from './fetch/fetcher.ts';

/** Hosts that a feed is for. */
export interface FeedPlatform {
  /** os-release's ID. */
  distro: string;
  /** os-release's VERSION_ID; of EL its first number. */
  release: string;
  /** As the distributor writes it: `x86_64`, `aarch64`. */
  arch: string;
}

interface Published {
  source: string;
  /** Tells the addresses of one source apart: a feed of it may be called so. */
  name: string;
  /** With `{release}` and `{arch}` where it is for one of them alone. */
  url: string;
  /** os-release's IDs of those it is for; empty: it is about none of them. */
  distros: readonly string[];
  /** Left out: all that the distribution has. */
  releases?: readonly string[];
}

const osv = 'https://storage.googleapis.com/osv-vulnerabilities';
const csaf = 'https://security.access.redhat.com/data/csaf/v2';
const tracker = 'https://salsa.debian.org/security-tracker-team/security-tracker';
const amazon = 'https://cdn.amazonlinux.com';
const el = (base: string, distro: string): Published[] =>
  ['BaseOS', 'AppStream'].map((part) => ({
    ...{ source: 'updateinfo', name: `${distro}-${part.toLowerCase()}`, distros: [distro] },
    url: `${base}/{release}/${part}/{arch}/os`,
  }));

/** Where the distributors publish their feeds. Suites of security updates are not here: hosts name their own mirrors. */
export const publishedFeeds: readonly Published[] = [
  {
    source: 'debian-lists',
    name: 'debian',
    url: `${tracker}/-/raw/master/data`,
    distros: ['debian'],
  },
  {
    ...{ source: 'debian-tracker', name: 'debian', distros: ['debian'] },
    url: 'https://security-tracker.debian.org/tracker/data/json',
  },
  { source: 'osv', name: 'debian', url: `${osv}/Debian/all.zip`, distros: ['debian'] },
  { source: 'osv', name: 'ubuntu', url: `${osv}/Ubuntu/all.zip`, distros: ['ubuntu'] },
  { source: 'osv', name: 'almalinux', url: `${osv}/AlmaLinux/all.zip`, distros: ['almalinux'] },
  { source: 'osv', name: 'rocky', url: `${osv}/Rocky%20Linux/all.zip`, distros: ['rocky'] },
  { source: 'osv', name: 'redhat', url: `${osv}/Red%20Hat/all.zip`, distros: ['rhel'] },
  {
    ...{ source: 'osv', name: 'canonical', distros: ['ubuntu'] },
    url: 'https://security-metadata.canonical.com/osv/osv-all.tar.xz',
  },
  {
    ...{ source: 'ubuntu-notices', name: 'ubuntu', distros: ['ubuntu'] },
    url: 'https://ubuntu.com/security/notices.json',
  },
  {
    ...{ source: 'alma-errata', name: 'almalinux', distros: ['almalinux'] },
    url: 'https://errata.almalinux.org/{release}/errata.full.json',
  },
  {
    ...{ source: 'rocky-errata', name: 'rocky', distros: ['rocky'] },
    url: 'https://apollo.build.resf.org/api/v3/advisories/',
  },
  { source: 'redhat-csaf', name: 'advisories', url: `${csaf}/advisories/`, distros: ['rhel'] },
  { source: 'redhat-csaf', name: 'vex', url: `${csaf}/vex/`, distros: ['rhel'] },
  {
    ...{ source: 'kev', name: 'cisa', distros: [] },
    url: 'https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json',
  },
  ...el('https://repo.almalinux.org/almalinux', 'almalinux'),
  ...el('https://dl.rockylinux.org/pub/rocky', 'rocky'),
  {
    ...{ source: 'updateinfo', name: 'fedora', distros: ['fedora'] },
    url: 'https://dl.fedoraproject.org/pub/fedora/linux/updates/{release}/Everything/{arch}',
  },
  {
    ...{ source: 'updateinfo', name: 'amazon-2', distros: ['amzn'], releases: ['2'] },
    url: `${amazon}/2/core/latest/{arch}/mirror.list`,
  },
  {
    ...{ source: 'updateinfo', name: 'amazon-2023', distros: ['amzn'], releases: ['2023'] },
    url: `${amazon}/al2023/core/mirrors/latest/{arch}/mirror.list`,
  },
];

/** The addresses of a source for hosts of a platform, with names that tell them apart. */
export const defaultAddresses = (
  source: string,
  { distro, release, arch }: FeedPlatform,
): (Pick<FeedAddress, 'url'> & { name: string })[] =>
  publishedFeeds
    .filter((feed) => feed.source === source && feed.distros.includes(distro))
    .filter(({ releases }) => releases?.includes(release) !== false)
    .map(({ name, url }) => ({
      name,
      url: url.replaceAll('{release}', encodeURIComponent(release)).replaceAll('{arch}', arch),
    }));
