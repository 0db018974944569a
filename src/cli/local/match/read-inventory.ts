import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { Inventory } from '../../../core/advisories/inventory.ts';
import type { InventoryPackage } from '../../../core/advisories/inventory.ts';
import { parseRpmList } from '../../../core/advisories/parse-rpm-list.ts';
import { errorText } from '../../../core/error-text.ts';
import { parseDpkgStatus, presentPackages } from '../../../host/apt/parse-dpkg-status.ts';

const GZIP = [0x1f, 0x8b];

const dpkgPackages = (text: string, path: string): InventoryPackage[] => {
  const all = parseDpkgStatus(text, path);
  const held = new Set(
    all.filter(({ want }) => want === 'hold').map(({ name, arch }) => `${name}:${arch}`),
  );
  return presentPackages(all).map((one) => ({
    ...one,
    held: held.has(`${one.name}:${one.arch}`),
  }));
};

const fromJson = (text: string): Inventory => {
  const read = Inventory.safeParse(JSON.parse(text));
  if (!read.success) throw new Error(z.prettifyError(read.error));
  return read.data;
};

const readText = (text: string, path: string, platform: string): Inventory => {
  if (/^\s*\{/.test(text)) return { ...fromJson(text), platform };
  if (/^Package: /m.test(text)) return { platform, packages: dpkgPackages(text, path) };
  return { platform, packages: parseRpmList(text) };
};

/**
 * What a host has, from dpkg's status file, a list of rpm's, or the JSON of `groundswell inventory`; plain or gzipped. The
 * platform is the one that is asked about. Throws with the file and what is wrong in it.
 */
export const readInventory = async (path: string, platform: string): Promise<Inventory> => {
  try {
    const content = await readFile(path);
    const packed = GZIP.every((byte, index) => content[index] === byte);
    return readText((packed ? gunzipSync(content) : content).toString(), path, platform);
  } catch (error) {
    throw new Error(`inventory ${path}: ${errorText(error)}`, { cause: error });
  }
};
