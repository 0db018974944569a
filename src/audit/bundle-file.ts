import { isUtf8 } from 'node:buffer';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/** Longer than any line of a bundle: the leaves of a hundred thousand chains. */
const mostBytes = 64 * 1024 * 1024;

const lineFeed = 0x0a;

/** The lines in `bytes`, the first of which is number `first`. What is not UTF-8 would be read as another text than was hashed. */
const linesIn = (bytes: Buffer, first: number): string[] => {
  if (isUtf8(bytes)) return bytes.toString('utf8').split('\n');
  let number = first;
  let from = 0;
  for (;;) {
    const end = bytes.indexOf(lineFeed, from);
    if (end === -1 || !isUtf8(bytes.subarray(from, end)))
      throw new Error(`line ${number} has bytes that are not UTF-8`);
    from = end + 1;
    number += 1;
  }
};

/**
 * Lines of a bundle's file, plain or compressed with gzip, as many at a time as are read at once: to wait for each by itself takes longer than
 * to look at it. Throws where it cannot be read, is no gzip to its end, or has bytes that are not UTF-8.
 */
export async function* readBundlePages(path: string): AsyncGenerator<string[]> {
  const file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  await file.close();
  const isGzip = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  const bytes = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const plain = isGzip ? bytes.pipe(createGunzip({ chunkSize: 1024 * 1024 })) : bytes;
  // A pipe does not tell of what breaks before it.
  bytes.on('error', (error) => plain.destroy(error));
  let rest = Buffer.alloc(0);
  let count = 0;
  for await (const chunk of plain as AsyncIterable<Buffer>) {
    const read = Buffer.concat([rest, chunk]);
    const end = read.lastIndexOf(lineFeed);
    rest = read.subarray(end + 1);
    if (end !== -1) {
      const lines = linesIn(read.subarray(0, end), count + 1);
      count += lines.length;
      yield lines;
    }
    if (rest.length > mostBytes)
      throw new Error('it has a line that is longer than any of a bundle');
  }
  if (rest.length > 0) yield linesIn(rest, count + 1);
}

/** The same, line by line. */
export async function* readBundleFile(path: string): AsyncGenerator<string> {
  for await (const lines of readBundlePages(path)) yield* lines;
}

async function* asText(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let text = '';
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** The bytes of a bundle, compressed with gzip; it ends with an error where `lines` does. */
export const compressLines = (lines: AsyncIterable<string>): Readable => {
  const gzip = createGzip();
  pipeline(Readable.from(asText(lines)), gzip).catch((error: unknown) => {
    gzip.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return gzip;
};

/** Write lines to a new file, compressed with gzip, on disk when it resolves. */
export const writeBundleFile = async (
  path: string,
  lines: AsyncIterable<string>,
): Promise<void> => {
  await pipeline(
    Readable.from(asText(lines)),
    createGzip(),
    createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
  );
};
