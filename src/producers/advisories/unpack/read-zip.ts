import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { openPromise } from 'yauzl';
import { errorText } from '../../../core/error-text.ts';
import type { Budget } from './limits.ts';
import { withinBudget } from './limits.ts';
import type { ArchiveEntry } from './read-tar.ts';

const reason = (error: unknown): Error => new Error(`zip: ${errorText(error)}`);

const contentOf = async function* (zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
  if (entry.isEncrypted()) throw new Error('zip: it is encrypted');
  let sum = 0;
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const piece of stream as AsyncIterable<Buffer>) {
      sum = crc32(piece, sum);
      yield piece;
    }
  } catch (error) {
    throw reason(error);
  }
  if (sum !== entry.crc32) throw new Error('zip: it is damaged (its checksum is another)');
};

/**
 * The files of a zip archive, by its directory at the end. Throws where that cannot be read; what lies before it in the
 * directory was given by then.
 */
export const readZip = async function* (
  path: string,
  budget: Budget,
): AsyncGenerator<ArchiveEntry> {
  const zip = await openPromise(path, { autoClose: false, decodeStrings: false }).catch(
    (error: unknown) => {
      throw reason(error);
    },
  );
  try {
    const entries = zip.eachEntry();
    for (;;) {
      const next = await entries.next().catch((error: unknown) => {
        throw reason(error);
      });
      if (next.done === true) return;
      const entry = next.value;
      const name = Buffer.from(entry.fileNameRaw).toString('utf8');
      if (name.endsWith('/')) continue;
      yield {
        name,
        read: () => withinBudget(contentOf(zip, entry), { bytes: entry.compressedSize }, budget),
      };
    }
  } finally {
    zip.close();
  }
};
