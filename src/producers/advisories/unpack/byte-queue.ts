/** The bytes of a stream, for who needs a certain number of them at a time. */
export interface ByteQueue {
  /** Waits until so many bytes are there. False: the stream ended before. */
  fill: (count: number) => Promise<boolean>;
  /** All that is there now. */
  view: () => Uint8Array;
  /** Forget the first bytes of what is there. */
  drop: (count: number) => void;
  /** What is there, then what follows; ends the stream when it is not read to its end. */
  rest: () => AsyncGenerator<Uint8Array>;
  /** End the stream before its end. */
  close: () => Promise<void>;
}

export const byteQueue = (source: AsyncIterable<Uint8Array>): ByteQueue => {
  const iterator = source[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array(0);
  let ended = false;
  let failure: Error | null = null;
  const next = async (): Promise<Uint8Array | null> => {
    // What failed once did not end: who asks again is told the same.
    if (failure !== null) throw failure;
    if (ended) return null;
    try {
      const result = await iterator.next();
      if (result.done !== true) return result.value;
    } catch (error) {
      failure = error as Error;
      throw error;
    }
    ended = true;
    return null;
  };
  const close = async (): Promise<void> => {
    if (ended || failure !== null) return;
    ended = true;
    await iterator.return?.();
  };
  return {
    fill: async (count) => {
      const pieces = [held];
      let size = held.length;
      while (size < count) {
        const piece = await next();
        if (piece === null) break;
        pieces.push(piece);
        size += piece.length;
      }
      if (pieces.length > 1) held = Buffer.concat(pieces, size);
      return size >= count;
    },
    view: () => held,
    drop: (count) => {
      held = held.subarray(count);
    },
    rest: async function* () {
      try {
        if (held.length > 0) yield held;
        held = new Uint8Array(0);
        for (let piece = await next(); piece !== null; piece = await next()) yield piece;
      } finally {
        await close();
      }
    },
    close,
  };
};
