import { closeSync, openSync, readSync } from 'node:fs';

/** What is read is more than anybody may make us hold in memory. */
export class TooLargeError extends Error {
  constructor(limit: number) {
    super(`it is larger than ${sizeText(limit)}`);
  }
}

const sizeText = (bytes: number): string =>
  bytes >= 1 << 20 ? `${Math.floor(bytes / (1 << 20))} MiB` : `${bytes} bytes`;

/** Most files fit in it, so that none needs a buffer of its own; the scan's thread has its own. */
let buffer = Buffer.allocUnsafe(1 << 16);
/** A larger one is given back after use. */
const KEPT_BYTES = 1 << 20;

/**
 * The rest of an open file as text. Its size is not asked: procfs tells none, and what belongs to a
 * container may grow meanwhile. Throws `TooLargeError` beyond `limit` bytes, and what the system throws.
 */
export const readOpened = (fd: number, limit: number): string => {
  const kept = buffer;
  let length = 0;
  try {
    for (;;) {
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length)]);
      const got = readSync(fd, buffer, length, buffer.length - length, null);
      if (got === 0) return buffer.toString('utf8', 0, length);
      length += got;
      if (length > limit) throw new TooLargeError(limit);
    }
  } finally {
    if (buffer.length > KEPT_BYTES) buffer = kept;
  }
};

/** A file as text, as `readOpened` has it; links are followed, so never below a container's root. */
export const readBounded = (path: string, limit: number): string => {
  const fd = openSync(path, 'r');
  try {
    return readOpened(fd, limit);
  } finally {
    closeSync(fd);
  }
};
