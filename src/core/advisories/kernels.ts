import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../versions/compare-rpm-versions.ts';
import type { VersionScheme } from './advisory.ts';
import type { InventoryPackage } from './inventory.ts';
import { signedSources } from './signed-source.ts';

/**
 * `linux-image-6.1.0-50-cloud-amd64`, `linux-image-6.12.43+deb13-amd64`, `linux-aws-headers-5.15.0-1050`: what is said of a package
 * of a kernel, the release of that, and its flavour. `linux-image-6.12-amd64` has no release in its name: it brings those that have.
 */
const debKernel =
  /^linux-([a-z].*?)-(\d+\.\d+(?:\.\d+(?:-\d[^-]*)?(?=-|$)|[^-]*[+~][^-]*))(?:-(.+))?$/;

/** What the name of a package of a kernel tells of it; null: it is none. */
export const kernelName = (
  name: string,
): { kind: string; release: string; flavour: string } | null => {
  const [, kind, release, flavour = ''] = debKernel.exec(name) ?? [];
  return kind === undefined || release === undefined ? null : { kind, release, flavour };
};

/**
 * What lies side by side in several versions: of dpkg only kernels and what is built with them (headers, tools), each under a name
 * of its own; of rpm under one name. Kernels of another source are another series, which goes on beside (`linux` and
 * `linux-hwe-6.5`).
 */
const familyOf = (one: InventoryPackage, scheme: VersionScheme): string => {
  const { name, arch } = one;
  const found = scheme === 'deb' ? kernelName(name) : null;
  if (found === null) return `${name}:${arch}`;
  const source = signedSources(one)[0]?.source ?? one.source ?? '';
  // With a signature or without, it is the same kernel.
  const [kind, flavour] = [found.kind, found.flavour].map((part) => part.replace(/-unsigned$/, ''));
  return [kind, flavour, source, arch].join(' ');
};

/** What boots, by its name: the plain kernel, one of a series (Amazon's `kernel6.12`), or one that was built for something. */
const rpmKernel =
  /^kernel(?:\d+\.\d+)?(?:-(uek|zfcpdump|(?:rt|64k|rt-64k)(?:-debug)?|debug))?(?:-core)?$/;

/** As `uname -r` writes it: without an epoch, with the architecture. */
const releaseOf = ({ version, arch }: InventoryPackage): string =>
  `${version.replace(/^\d+:/, '')}.${arch}`;

/** Whether it is the kernel that `uname -r` names. */
const isRunning = (one: InventoryPackage, scheme: VersionScheme, kernel: string): boolean => {
  if (scheme === 'deb')
    return [
      ...[`linux-image-${kernel}`, `linux-image-unsigned-${kernel}`],
      `linux-image-${kernel}-unsigned`,
    ].includes(one.name);
  const found = rpmKernel.exec(one.name);
  // `+rt` tells kernels of the same version apart, where that does not say it already (`5.14.0-284.rt14.el9_2`).
  const [release, told] = kernel.split('+');
  if (found === null || release !== releaseOf(one)) return false;
  const built = found[1] === 'uek' || one.version.includes(`.${found[1]}`) ? undefined : found[1];
  return told === built;
};

/** A package that counts, and the older one of its family that runs in its place. */
export interface Present {
  installed: InventoryPackage;
  running: InventoryPackage | null;
}

/**
 * Of packages that may be there in several versions at once only the newest counts: that is what boots next. Beside it the
 * kernel that runs (`kernel`: what `uname -r` says), where that is an older one.
 */
export const newestOf = (
  packages: readonly InventoryPackage[],
  scheme: VersionScheme,
  kernel: string | null,
): Present[] => {
  const compare = scheme === 'deb' ? compareDebVersions : compareRpmVersions;
  const families = new Map<string, Present>();
  for (const one of packages) {
    const family = familyOf(one, scheme);
    const running = kernel !== null && isRunning(one, scheme, kernel) ? one : null;
    const known = families.get(family);
    if (known === undefined) {
      families.set(family, { installed: one, running });
      continue;
    }
    if (compare(one.version, known.installed.version) > 0) known.installed = one;
    known.running ??= running;
  }
  return [...families.values()].map(({ installed, running }) => ({
    installed,
    running: running === installed ? null : running,
  }));
};
