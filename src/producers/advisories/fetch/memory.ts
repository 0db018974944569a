import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { FeedAddress } from './fetcher.ts';

const Memory = z.object({
  format: z.literal(1),
  /** What was fetched from where: of another address nothing here means anything. */
  address: z.string(),
  version: z.string().nullable(),
  complete: z.boolean(),
  /** Files were changed since `version`: it was ended in the middle. */
  unsettled: z.boolean(),
  /** Of the fetcher itself. */
  state: z.unknown(),
});
/** What a fetcher knows of a feed's directory. */
export type Memory = z.infer<typeof Memory>;

const pathIn = (directory: string): string => join(directory, '.fetched.json');

const addressText = ({ url, suite, components, architectures }: FeedAddress): string =>
  JSON.stringify([url, suite ?? null, components ?? null, architectures ?? null]);

/** What is remembered of a directory; of one that is new, of another address, or spoilt, nothing. */
export const readMemory = async (directory: string, from: FeedAddress): Promise<Memory> => {
  const address = addressText(from);
  const unknown: Memory = {
    ...{ format: 1, address, version: null, complete: false, unsettled: true, state: null },
  };
  try {
    const read = Memory.parse(JSON.parse(await readFile(pathIn(directory), 'utf8')));
    return read.address === address ? read : unknown;
  } catch {
    return unknown;
  }
};

/** Replaces what is remembered, as a whole. */
export const writeMemory = async (directory: string, memory: Memory): Promise<void> => {
  const path = pathIn(directory);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(memory));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
};
