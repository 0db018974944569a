import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { FetchError } from './fetch-error.ts';
import { networkReason } from './network-reason.ts';

/** What has come. */
export interface Received {
  bytes: number;
  sha256: string;
}

interface Saving {
  url: string;
  to: string;
  maxBytes: number;
  answer: IncomingMessage;
  signal: AbortSignal;
}

/** More than this of an answer that is of no use is not waited for, but the connection ended. */
const MOST_DISCARDED = 64 * 1024;

/** Lets go of an answer, so that its connection can be used again. */
export const discard = (answer: IncomingMessage): void => {
  let bytes = 0;
  answer.on('error', () => undefined);
  answer.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > MOST_DISCARDED) answer.destroy();
  });
};

/** Writes what a server sends to a file, as far as it is within the limit and as long as was said. */
export const saveBody = async ({
  url,
  to,
  maxBytes,
  answer,
  signal,
}: Saving): Promise<Received> => {
  // One that is ended here has an error to tell, to nobody.
  answer.on('error', () => undefined);
  const refuse = (reason: string): never => {
    answer.destroy();
    throw new FetchError(url, reason);
  };
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding))
    refuse(`it comes in an encoding that nobody asked for (${encoding.slice(0, 50)})`);
  const told = answer.headers['content-length'];
  const length = typeof told === 'string' && /^\d+$/.test(told) ? Number(told) : null;
  const tooLarge = `it has more than ${maxBytes} bytes`;
  if (length !== null && length > maxBytes) refuse(tooLarge);
  const file = await open(to, 'w', 0o644).catch((error: unknown) => {
    answer.destroy();
    throw error;
  });
  const hash = createHash('sha256');
  let bytes = 0;
  let isWhole = false;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > maxBytes) throw new FetchError(url, tooLarge);
      hash.update(piece);
      for (let from = 0; from < piece.length;) from += (await file.write(piece, from)).bytesWritten;
    }
    if (length !== null && bytes !== length)
      throw new FetchError(url, `${bytes} bytes came, and ${length} were announced`);
    await file.sync();
    isWhole = true;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof FetchError ? error : new FetchError(url, networkReason(error));
  } finally {
    await file.close();
    if (!isWhole) await rm(to, { force: true });
  }
  return { bytes, sha256: hash.digest('hex') };
};
