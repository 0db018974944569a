import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorText } from '../../../core/error-text.ts';
import type { VersionScheme } from '../../../core/advisories/advisory.ts';
import { isOfDpkg, platformOf } from '../../../core/advisories/index-inventory.ts';
import type { Inventory, InventoryPackage } from '../../../core/advisories/inventory.ts';
import { parseRpmList } from '../../../core/advisories/parse-rpm-list.ts';
import { isRelease } from '../../../core/advisories/release-of.ts';
import { parseDpkgStatus, presentPackages } from '../../../host/apt/parse-dpkg-status.ts';
import { decompress } from '../../../producers/advisories/unpack/decompress.ts';
import { compressionOf, SNIFFED_BYTES } from '../../../producers/advisories/unpack/sniff.ts';
import { inventoryOfJson } from './inventory-of-json.ts';

export interface ReadInventory {
  inventory: Inventory;
  /** What is to be known of it: it says that it is of another platform, it has nothing that could be matched. */
  warnings: string[];
}

/** Images without dpkg keep a stanza of each package, and none says that it is installed: it is. */
const withStatus = (text: string): string =>
  text
    .split(/\n(?:[ \t]*\n)+/)
    .map((stanza) =>
      /^Package:/m.test(stanza) && !/^Status:/m.test(stanza)
        ? `Status: install ok installed\n${stanza.trimStart()}`
        : stanza,
    )
    .join('\n\n');

const dpkgPackages = (text: string, path: string): InventoryPackage[] => {
  const all = parseDpkgStatus(withStatus(text), path);
  const held = new Set(
    all.filter(({ want }) => want === 'hold').map(({ name, arch }) => `${name}:${arch}`),
  );
  return presentPackages(all).map((one) => ({
    ...one,
    held: held.has(`${one.name}:${one.arch}`),
  }));
};

/** What has rpm, as far as it is known. */
const rpmDistros = /^(?:almalinux|amzn|centos|fedora|ol|rhel|rocky|opensuse.*|sles)$/;

/** Throws where a platform has no packages of that kind. */
const refuseOther = (scheme: VersionScheme, platform: string): void => {
  const distro = platformOf(platform)?.distro ?? '';
  if (scheme === 'deb' ? rpmDistros.test(distro) : isOfDpkg(distro))
    throw new Error(
      scheme === 'deb'
        ? `these are packages of dpkg, and ${platform} has those of rpm`
        : `these are packages of rpm, and ${platform} has those of dpkg`,
    );
};

/** Whether two platforms may be the same host's, which may be told with its minor release or without. */
const areSame = (one: string, other: string): boolean => {
  const [a, b] = [platformOf(one.toLowerCase()), platformOf(other)];
  if (a === null || b === null) return one.toLowerCase() === other;
  return (
    a.distro === b.distro && (isRelease(a.release, b.release) || isRelease(b.release, a.release))
  );
};

const readText = (text: string, path: string, platform: string): ReadInventory => {
  if (/^\s*[{[]/.test(text)) {
    const { platform: own, ...rest } = inventoryOfJson(text);
    const warnings =
      own === undefined || areSame(own, platform)
        ? []
        : [`inventory ${path}: it is of ${own}, and is taken for one of ${platform}`];
    return { inventory: { ...rest, platform }, warnings };
  }
  const isDpkg = /^Package: /m.test(text);
  const packages = isDpkg ? dpkgPackages(text, path) : parseRpmList(text);
  if (packages.length > 0) refuseOther(isDpkg ? 'deb' : 'rpm', platform);
  return { inventory: { platform, packages }, warnings: [] };
};

/** What of an inventory counts for nothing. */
const oddities = ({ platform, packages }: Inventory, path: string): string[] => {
  if (packages.length === 0) return [`inventory ${path}: it has no package`];
  if (isOfDpkg(platformOf(platform)?.distro ?? '')) return [];
  const [first, ...more] = packages.filter(({ version }) => !version.includes('-'));
  return first === undefined
    ? []
    : [
        `inventory ${path}: ${first.name} ${first.version}${
          more.length === 0 ? '' : ` and ${more.length} more`
        }: no release (want [epoch:]version-release), so that no advisory is for it`,
      ];
};

const headOf = async (path: string): Promise<Uint8Array> => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(SNIFFED_BYTES) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

/** More than any host has of packages. */
const MOST_BYTES = 512 * 1024 * 1024;

const readUnpacked = async (path: string): Promise<string> => {
  const compression = compressionOf(await headOf(path));
  const packed: AsyncIterable<Uint8Array> = createReadStream(path);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of compression === null ? packed : decompress(compression, packed)) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks)
    .toString()
    .replace(/^\ufeff/, '');
};

/**
 * What a host has, from dpkg's status file, a list of rpm's, or the JSON of `groundswell inventory`; plain or compressed. The
 * platform is the one that is asked about. Throws with the file and what is wrong in it.
 */
export const readInventory = async (path: string, platform: string): Promise<ReadInventory> => {
  try {
    const { inventory, warnings } = readText(await readUnpacked(path), path, platform);
    return { inventory, warnings: [...warnings, ...oddities(inventory, path)] };
  } catch (error) {
    throw new Error(`inventory ${path}: ${errorText(error)}`, { cause: error });
  }
};
