import type { InventoryPackage } from './inventory.ts';
import { kernelName } from './kernels.ts';

/** Metapackages that have the newest kernel of a flavour installed: `linux-image-amd64`, `linux-headers-generic-hwe-22.04`. */
const metapackage = /^linux-(image|headers|cloud-tools|tools)-(?!(?:common|host)$)[a-z]/;

/** Which of them bring a package of a kernel: modules come with the image, and what headers need with those; null: none. */
const kindOf = (kind: string): string | null =>
  /(?:^|-)(headers|cloud-tools|tools)$/.exec(kind)?.[1] ??
  (kind === 'kbuild' ? 'headers' : /^(?:image|modules)(?:-|$)/.test(kind) ? 'image' : null);

/** `5.15.0-91` of Ubuntu's `5.15.0.91.88`; null: its version is that of the kernel. */
const releaseOf = (version: string): string | null => {
  const [, upstream, abi] = /^(\d+\.\d+\.\d+)\.(\d+)\./.exec(version) ?? [];
  return upstream === undefined ? null : `${upstream}-${abi}`;
};

/** Of several metapackages the one that is called most like the kernel comes first. */
const likeness = (name: string, { flavour }: { flavour: string }): number => {
  const own = name.replace(metapackage, (found) => found.slice(-1));
  return own === flavour ? 0 : own.startsWith(`${flavour}-`) ? 1 : 2;
};

const isOf = (meta: InventoryPackage, kernel: InventoryPackage, release: string): boolean =>
  meta.arch === kernel.arch &&
  (meta.version === kernel.version || releaseOf(meta.version) === release);

/** The kernel that a metapackage's offer brings, as if it were a new version of the one that is there. */
const broughtBy = (kernel: InventoryPackage, offer: InventoryPackage): InventoryPackage => {
  const release = releaseOf(offer.version);
  const { name, arch, source, sourceVersion } = kernel;
  if (release === null) return { ...offer, name, arch };
  // Each of Ubuntu's builds has a number of its own there, so that what stands behind it makes no difference.
  const version = `${release}.999999`;
  return {
    ...{ name, arch, version },
    ...(source === undefined ? {} : { source }),
    ...(sourceVersion === undefined ? {} : { sourceVersion: version }),
  };
};

/**
 * What a host's repositories offer, with the kernels that come under another name than those before them: nobody offers
 * `linux-image-6.1.0-49-amd64` in a newer version, but `linux-image-amd64` has the next one installed.
 */
export const withKernels = (
  packages: readonly InventoryPackage[],
  offers: readonly InventoryPackage[],
): InventoryPackage[] => {
  const newer = new Map(
    offers
      .filter(({ name }) => metapackage.test(name))
      .map((one) => [`${one.name}:${one.arch}`, one]),
  );
  if (newer.size === 0) return [...offers];
  const metas = packages.filter(({ name, arch }) => newer.has(`${name}:${arch}`));
  const brought = packages.flatMap((kernel): InventoryPackage[] => {
    const named = kernelName(kernel.name);
    if (named === null) return [];
    const kind = kindOf(named.kind);
    const [meta] = metas
      .filter(({ name }) => metapackage.exec(name)?.[1] === kind)
      .filter((one) => isOf(one, kernel, named.release))
      .sort((a, b) => likeness(a.name, named) - likeness(b.name, named));
    const offer = meta === undefined ? undefined : newer.get(`${meta.name}:${meta.arch}`);
    return meta === undefined || offer === undefined
      ? []
      : [
          {
            ...broughtBy(kernel, offer),
            through: { name: meta.name, installed: meta.version },
          },
        ];
  });
  return [...offers, ...brought];
};
