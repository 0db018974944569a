import type { AffectedRow } from '../../../core/advisories/advisory.ts';

/** Whose packages an ecosystem names, and how. */
export type Scope = Pick<AffectedRow, 'distro' | 'release' | 'channel' | 'names' | 'scheme'>;

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

/** Tails of CPEs: `enterprise_linux:9::appstream`, `rhel_eus:9.2::baseos`. Other products are none of a host's own packages. */
const redHat = (product: string, version: string): Scope | null => {
  const common = { distro: 'rhel', names: 'binary', scheme: 'rpm' } as const;
  if (product === 'enterprise_linux')
    // Minor releases follow one another: what is fixed in one is for every host of the release.
    return /^\d+(\.\d+)?$/.test(version)
      ? { ...common, release: version.replace(/\..*/, ''), channel: null }
      : null;
  const stream = /^rhel_(eus|aus|tus|e4s|els|eus_long_life)$/.exec(product)?.[1];
  if (stream === undefined || !/^\d+(\.\d+)?$/.test(version)) return null;
  return { ...common, release: version, channel: stream };
};

/**
 * What an OSV ecosystem (`Debian:12`, `Ubuntu:Pro:18.04:LTS`, `Red Hat:rhel_eus:9.2::appstream`) means; null: packages of
 * something that is no host of ours, or of a distribution that is not known here.
 */
export const scopeOf = (ecosystem: string, purl = ''): Scope | null => {
  const [name = '', ...parts] = ecosystem.split(':');
  const [first = '', second = ''] = parts;
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
      return first === '' ? null : { ...rpm, distro: 'rocky', release: first, names: 'source' };
    case 'Red Hat':
      return redHat(first, second);
    default:
      return null;
  }
};
