import type { FeedFile } from './feed-file.ts';

/** A document as a whole. Throws what reading throws, and beyond so many bytes. */
export const readWhole = async (file: FeedFile, most: number): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of file.read()) {
    size += piece.length;
    if (size > most) throw new Error(`it has more than ${most} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
};
