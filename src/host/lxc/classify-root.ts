import type { RootKind } from '../runtime.ts';
import type { ConfigMeaning } from './interpret-config.ts';

/** How a directory relates to the host's root, seen by device, inode and mount table. */
export type LowerKind =
  /** The root itself, or a bind mount of it. */
  | 'host-root'
  /** A directory on which nothing is mounted. */
  | 'plain-directory'
  /** Another mount, such as a snapshot of the root. */
  | 'other-mount'
  | 'missing';

/** What lxc-update-config makes of `lxc.rootfs = overlayfs:…`; LXC does not start it. */
const DIR_OVERLAY = /^dir:overlay(?:fs)?:/;
const OVERLAY = /^(?:overlay|overlayfs):(.+)$/;

/** Lower and upper layer of an overlay rootfs value; null when it is none, has several lowers, or a relative path. */
export const overlayLayers = (rootfs: string): { lower: string; upper: string } | null => {
  const parts = OVERLAY.exec(rootfs)?.[1]?.split(':');
  const [lower, upper, ...more] = parts ?? [];
  if (lower === undefined || upper === undefined || more.length > 0) return null;
  // LXC does not start it; and to us it would be a path below wherever the agent works.
  if (!lower.startsWith('/') || !upper.startsWith('/')) return null;
  return { lower, upper };
};

const describeLower = (lower: string, kind: Exclude<LowerKind, 'host-root'>): string => {
  switch (kind) {
    case 'plain-directory':
      return `overlay over ${lower}, a directory of its own (nothing is mounted there)`;
    case 'other-mount':
      return `overlay over ${lower}, a mount that is not the host's root`;
    case 'missing':
      return `overlay over ${lower}, which does not exist`;
  }
};

/** Whether a container is on the host's root; `lowerKindOf` looks at the directory itself. */
export const classifyRoot = (
  { rootfs, oldKeys }: Pick<ConfigMeaning, 'rootfs' | 'oldKeys'>,
  lowerKindOf: (lower: string) => LowerKind,
): RootKind => {
  if (rootfs === null) return { kind: 'other', describe: 'no root filesystem configured' };
  const layers = overlayLayers(rootfs);
  if (layers === null) {
    const several = OVERLAY.test(rootfs);
    return {
      kind: 'other',
      describe: several
        ? `${rootfs} (not one lower and one upper, both absolute)`
        : DIR_OVERLAY.test(rootfs)
          ? `${rootfs} (lxc-update-config wrote dir: before an overlay: take that away)`
          : rootfs,
    };
  }
  const lowerKind = lowerKindOf(layers.lower);
  if (lowerKind !== 'host-root')
    return { kind: 'other', describe: describeLower(layers.lower, lowerKind) };
  return { kind: oldKeys.length > 0 ? 'host-overlay-old-keys' : 'host-overlay', ...layers };
};
