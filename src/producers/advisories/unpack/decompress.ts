import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { hasCode } from '../../../core/error-code.ts';
import { errorText } from '../../../core/error-text.ts';
import { bunzip2 } from './bunzip2.ts';
import type { Compression } from './sniff.ts';
import { unxz } from './unxz.ts';
import { unzstd } from './zstd/unzstd.ts';

type Decompress = (packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

const gunzip = async function* (packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    // What goes wrong is thrown to who reads.
    yield* pipeline(packed, createGunzip(), () => undefined);
  } catch (error) {
    if (hasCode(error, 'Z_BUF_ERROR'))
      throw new Error('gzip: its data ends too early', { cause: error });
    if (hasCode(error, 'Z_DATA_ERROR'))
      throw new Error(`gzip: its data is damaged (${errorText(error)})`, { cause: error });
    throw error;
  }
};

const decompressors: Record<Compression, Decompress> = {
  ...{ gzip: gunzip, xz: unxz, bzip2: bunzip2, zstd: unzstd },
};

/** The content of a compressed stream. Throws where it is damaged or ends too early. */
export const decompress = (
  compression: Compression,
  packed: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> => decompressors[compression](packed);
