import { StringDecoder } from 'node:string_decoder';

/** More than this in one line is no text that people wrote. */
const longestLine = 1024 * 1024;

/** Lines of a text in UTF-8, without their ends. Throws beyond a megabyte in one line. */
export const linesOf = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > longestLine)
      throw new Error(`a line is longer than ${longestLine} characters`);
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
};
