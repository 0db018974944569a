import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorText } from '../../../core/error-text.ts';
import type { Inventory, InventoryPackage } from '../../../core/advisories/inventory.ts';
import { parseRpmList } from '../../../core/advisories/parse-rpm-list.ts';
import { parseDpkgStatus, presentPackages } from '../../../host/apt/parse-dpkg-status.ts';
import { decompress } from '../../../producers/advisories/unpack/decompress.ts';
import { compressionOf, SNIFFED_BYTES } from '../../../producers/advisories/unpack/sniff.ts';
import { inventoryOfJson } from './inventory-of-json.ts';

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

const readText = (text: string, path: string, platform: string): Inventory => {
  if (/^\s*[{[]/.test(text)) return { ...inventoryOfJson(text), platform };
  if (/^Package: /m.test(text)) return { platform, packages: dpkgPackages(text, path) };
  return { platform, packages: parseRpmList(text) };
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
export const readInventory = async (path: string, platform: string): Promise<Inventory> => {
  try {
    return readText(await readUnpacked(path), path, platform);
  } catch (error) {
    throw new Error(`inventory ${path}: ${errorText(error)}`, { cause: error });
  }
};
