import { damaged } from './damaged.ts';

/** What stands before the blocks of a frame (RFC 8878, 3.1.1.1). */
export interface FrameHeader {
  length: number;
  /** How far back may be repeated, in bytes. */
  window: number;
  /** Null: it does not say. */
  size: number | null;
  hasChecksum: boolean;
}

/** As much as the program `zstd` takes without being told to. */
const LARGEST_WINDOW = 128 * 1024 * 1024;
/** More than any header has. */
export const HEADER_BYTES = 18;

/** Reads the header of a frame, from behind its magic number on. */
export const frameHeader = (head: Uint8Array): FrameHeader => {
  const [flags = 0] = head;
  if ((flags & 8) !== 0) throw damaged('a kind of frame that is not known');
  if ((flags & 3) !== 0) throw new Error('zstd: its dictionary is not at hand');
  const isSingle = (flags & 32) !== 0;
  const form = flags >> 6;
  const begin = isSingle ? 1 : 2;
  const sizeBytes = form === 0 ? (isSingle ? 1 : 0) : 2 ** form;
  if (head.length < begin + sizeBytes) throw new Error('zstd: its data ends too early');
  let size = form === 1 ? 256 : 0;
  for (let at = 0; at < sizeBytes; at += 1) size += (head[begin + at] ?? 0) * 256 ** at;
  const [, descriptor = 0] = head;
  const base = 2 ** (10 + (descriptor >> 3));
  const window = isSingle ? size : base + (base / 8) * (descriptor & 7);
  if (window > LARGEST_WINDOW) throw new Error(`zstd: its window of ${window} bytes is too large`);
  return {
    ...{ length: begin + sizeBytes, window, size: sizeBytes === 0 ? null : size },
    hasChecksum: (flags & 4) !== 0,
  };
};
