import type { PackagedPaths } from '../../core/stale/packaged-paths.ts';
import { compareDebVersions } from '../../core/versions/compare-deb-versions.ts';
import { readVersions } from './dpkg-paths.ts';
import { readRegular } from './file-content.ts';
import type { UpperLayer } from './upper-layer.ts';

const STATUS = '/var/lib/dpkg/status';
/** That of a system with 10,000 packages is half as large. */
const MAX_STATUS_BYTES = 32 << 20;

/**
 * Versions that the owner of a container installed in it, by package: those that its own dpkg
 * database, where the upper layer has one, gives as newer than the host's.
 */
export const ownVersions = (
  upper: UpperLayer,
  packaged: PackagedPaths,
): ReadonlyMap<string, string> => {
  const newer = new Map<string, string>();
  const entry = upper.entry(STATUS);
  const source = upper.source(STATUS);
  if (entry?.type !== 'file' || entry.metadataOnly || source === null) return newer;
  let versions: ReadonlyMap<string, string>;
  try {
    versions = readVersions(readRegular(source.path, MAX_STATUS_BYTES), STATUS);
  } catch {
    // A database that cannot be read, or is none that dpkg wrote, proves no newer version.
    return newer;
  }
  for (const [name, version] of versions) {
    const hosts = packaged.versionOf(name);
    if (hosts !== null && compareDebVersions(version, hosts) > 0) newer.set(name, version);
  }
  return newer;
};
