import { mountOf, relativeTo } from './parse-mountinfo.ts';
import type { Mount } from './parse-mountinfo.ts';

/** Devices by which files of a container's root can show in `maps`. */
export interface RootDevices {
  /** The overlay's own. */
  overlay: string;
  /**
   * Of the file systems that hold its layers: kernels before 6.8 or so show the layer's file in
   * `maps` instead of the overlay's.
   */
  layers: readonly string[];
}

/**
 * The path, in the container's root, of a file that is mapped from there; null for files of other
 * mounts (volumes with files of the same path among them). `mounts` are those of the mount namespace
 * that the process lives in.
 *
 * Bind mounts inside the container keep the overlay's device and show the path through the mount:
 * only the mount's own root says which file it is. A mount that was put over the file later does not
 * hide that the file came from the overlay: the device decides.
 */
export const locateMapping = (
  path: string,
  device: string | null,
  mounts: readonly Mount[],
  devices: RootDevices,
): string | null => {
  const mount = mountOf(mounts, path);
  if (mount?.device === devices.overlay) {
    if (device !== null && device !== devices.overlay && !devices.layers.includes(device))
      return null;
    const below = relativeTo(mount.point, path) ?? '';
    return mount.root === '/' ? below || '/' : mount.root + below;
  }
  return device === devices.overlay ? path : null;
};
