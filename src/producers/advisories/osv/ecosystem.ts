import type { AffectedRow } from '../../../core/advisories/advisory.ts';
import { placeOfCpe } from '../place-of-cpe.ts';

/** Whose packages an ecosystem names, and how. */
export type Scope = Pick<AffectedRow, 'distro' | 'release' | 'channel' | 'names' | 'scheme'>;

/** Those whose packages may be on a host of ours, as directories of osv.dev are called. */
export const ecosystems: ReadonlySet<string> = new Set([
  ...['Debian', 'Ubuntu', 'AlmaLinux', 'Rocky Linux', 'Red Hat'],
]);

/** `Debian:6.0` is what os-release calls 6; before 4 the second number counts. */
const debianNumber = (text: string): string => text.replace(/^([4-9]|\d\d+)\.\d+$/, '$1');

/** `esm-apps/xenial` in a purl says which of Ubuntu Pro's archives has the fix. */
const archiveOf = (purl: string): string | null =>
  /[?&]distro=(?:[^&]*?)(esm-[a-z-]+|fips[a-z-]*|realtime|livepatch)/i
    .exec(purl.replace(/%2F/gi, '/'))?.[1]
    ?.toLowerCase() ?? null;

/** What stands around the release: `FIPS-updates` before it, `Realtime:Kernel` or `for:NVIDIA:BlueField` behind it. */
const serviceOf = (parts: readonly string[]): string | null => {
  const words = parts.filter((part) => !['Pro', 'LTS', 'for', ''].includes(part));
  const service = words.join('-').toLowerCase();
  return service === '' ? null : service.replace(/^realtime-kernel$/, 'realtime');
};

const ubuntu = (parts: readonly string[], purl: string): Scope | null => {
  const release = parts.find((part) => /^\d+\.\d+$/.test(part));
  if (release === undefined) return null;
  const service = serviceOf(parts.filter((part) => part !== release));
  const channel = service ?? (parts[0] === 'Pro' ? (archiveOf(purl) ?? 'pro') : null);
  return { distro: 'ubuntu', release, channel, names: 'source', scheme: 'deb' };
};

/** Architectures, and minor releases that are kept elsewhere by now, are no repositories of their own. */
const ROCKY_ITSELF =
  /^rocky-linux-\d+(?:-\d+)?(?:-legacy)?(?:-(?:x86[_-]64|aarch64|ppc64le|s390x|riscv64|i[36]86))?$/;

/** What a purl names beside Rocky Linux's own repositories: `rocky-linux-8-sig-cloud` is of those who have that group's kernel. */
const rockyChannel = (purl: string): string | null => {
  const distro = /[?&]distro=([^&#]+)/.exec(purl)?.[1]?.toLowerCase() ?? '';
  return distro === '' || ROCKY_ITSELF.test(distro)
    ? null
    : distro.replace(/^rocky-linux-(?:\d+-)*/, '');
};

/** Tails of CPEs: `enterprise_linux:9::appstream`, `rhel_eus:9.2::baseos`, `openshift:4.14::el9`. */
const redHat = (tail: string): Scope | null => {
  const place = placeOfCpe(`cpe:/a:redhat:${tail}`);
  return place === null ? null : { ...place, names: 'binary', scheme: 'rpm' };
};

/**
 * What an OSV ecosystem (`Debian:12`, `Ubuntu:Pro:18.04:LTS`, `Red Hat:rhel_eus:9.2::appstream`) means; null: packages of
 * something that is no host of ours, or of a distribution that is not known here.
 */
export const scopeOf = (ecosystem: string, purl = ''): Scope | null => {
  const [name = '', ...parts] = ecosystem.split(':');
  const [first = ''] = parts;
  const rpm = { channel: null, names: 'binary', scheme: 'rpm' } as const;
  switch (name) {
    case 'Debian':
      return /^\d+(\.\d+)?$/.test(first)
        ? {
            distro: 'debian',
            release: debianNumber(first),
            channel: null,
            names: 'source',
            scheme: 'deb',
          }
        : null;
    case 'Ubuntu':
      return ubuntu(parts, purl);
    case 'AlmaLinux':
      return first === '' ? null : { ...rpm, distro: 'almalinux', release: first };
    case 'Rocky Linux':
      // Source packages, each once for all that was built of it.
      return first === ''
        ? null
        : {
            ...rpm,
            ...{ distro: 'rocky', release: first, channel: rockyChannel(purl), names: 'source' },
          };
    case 'Red Hat':
      return redHat(parts.join(':'));
    default:
      return null;
  }
};
