import xz from 'xz-decompress';
import { errorText } from '../../../core/error-text.ts';

/** Numbers of xz-embedded, which the library tells in its messages. */
const meanings: Record<string, string> = {
  ...{ '2': 'its kind of check is not supported', '4': 'its dictionary is too big' },
  ...{ '5': 'this is no xz data', '6': 'its filters or kind of check are not supported' },
  ...{ '7': 'its data is damaged', '8': 'its data ends too early' },
};

const reasonOf = (error: unknown, isAtEnd: boolean): string => {
  const code = /error code (\d+)/.exec(errorText(error))?.[1];
  if (code !== undefined) return `xz: ${meanings[code] ?? `error ${code}`}`;
  return isAtEnd ? 'xz: its data ends too early' : `xz: ${errorText(error)}`;
};

/**
 * The content of xz data. One of these at a time is at work in a process, others wait: so nobody may wait for a
 * second one while in the middle of a first.
 */
export const unxz = async function* (
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const state = { failed: null as Error | null, ended: false };
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of packed) if (piece.length > 0) yield piece;
    } catch (error) {
      state.failed = error as Error;
      throw error;
    }
    state.ended = true;
  };
  try {
    const content = new xz.XzReadableStream(ReadableStream.from(watched()));
    for await (const piece of content) if (piece.length > 0) yield piece;
  } catch (error) {
    throw state.failed ?? new Error(reasonOf(error, state.ended));
  }
};
