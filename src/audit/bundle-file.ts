import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/** Longer than any line of a bundle: the leaves of a hundred thousand chains. */
const mostCharacters = 64 * 1024 * 1024;

/** Lines of a bundle's file, plain or compressed with gzip. Throws where it cannot be read, or is no gzip to its end. */
export async function* readBundleFile(path: string): AsyncGenerator<string> {
  const file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  await file.close();
  const isGzip = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  const bytes = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const plain = isGzip ? bytes.pipe(createGunzip({ chunkSize: 1024 * 1024 })) : bytes;
  // A pipe does not tell of what breaks before it.
  bytes.on('error', (error) => plain.destroy(error));
  plain.setEncoding('utf8');
  let rest = '';
  for await (const text of plain as AsyncIterable<string>) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > mostCharacters)
      throw new Error('it has a line that is longer than any of a bundle');
  }
  if (rest !== '') yield rest;
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
