import xxhash from 'xxhash-wasm';
import type { ByteQueue } from '../byte-queue.ts';
import { byteQueue } from '../byte-queue.ts';
import { damaged } from './damaged.ts';
import { frameHeader, HEADER_BYTES } from './frame-header.ts';
import type { History } from './history.ts';
import { copyLiterals, makeRoom, newHistory } from './history.ts';
import type { HuffmanTable } from './huffman.ts';
import { readLiterals } from './literals.ts';
import type { KnownSequences } from './sequences.ts';
import { runSequences } from './sequences.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const LARGEST_BLOCK = 128 * 1024;
const tooEarly = (): Error => new Error('zstd: its data ends too early');

const need = async (queue: ByteQueue, count: number): Promise<Uint8Array> => {
  if (!(await queue.fill(count))) throw tooEarly();
  return queue.view();
};

const word = (bytes: Uint8Array): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE();

const skip = async (queue: ByteQueue, count: number): Promise<void> => {
  for (let left = count; left > 0;) {
    const there = (await need(queue, 1)).length;
    queue.drop(Math.min(there, left));
    left -= there;
  }
};

/** What blocks of a frame know of those before them. */
interface FrameState {
  history: History;
  huffman: HuffmanTable | null;
  sequences: KnownSequences;
}

const runBlock = (block: Uint8Array, length: number, most: number, frame: FrameState): void => {
  const literals = readLiterals(block, 0, length, most, frame);
  runSequences(block, literals.end, length, literals.bytes, frame.sequences, frame.history);
};

const readFrame = async function* (queue: ByteQueue): AsyncGenerator<Uint8Array> {
  await queue.fill(HEADER_BYTES);
  const header = frameHeader(queue.view());
  queue.drop(header.length);
  const most = Math.min(header.window, LARGEST_BLOCK);
  const history = newHistory(header.window);
  const frame: FrameState = {
    ...{ history, huffman: null, sequences: { tables: [null, null, null], offsets: [1, 4, 8] } },
  };
  const checksum = header.hasChecksum ? (await xxhash()).create64() : null;
  // Bits are read four bytes at a time: beyond the end of a block, but not of this.
  const block = new Uint8Array(LARGEST_BLOCK + 8);
  let size = 0;
  for (let isLast = false; !isLast;) {
    const [a = 0, b = 0, c = 0] = await need(queue, 3);
    queue.drop(3);
    isLast = (a & 1) === 1;
    const kind = (a >> 1) & 3;
    const told = (a >> 3) | (b << 5) | (c << 13);
    if (told > most || kind === 3) throw damaged('a block that is too long, or of no kind');
    const length = kind === 1 ? 1 : told;
    const data = (await need(queue, length)).subarray(0, length);
    makeRoom(history, most);
    const from = history.at;
    if (kind === 0) copyLiterals(history, data);
    else if (kind === 1) copyLiterals(history, new Uint8Array(told).fill(data[0] ?? 0));
    else {
      block.set(data);
      block.fill(0, length, length + 8);
      runBlock(block, length, most, frame);
    }
    queue.drop(length);
    const piece = history.bytes.slice(from, history.at);
    size += piece.length;
    checksum?.update(piece);
    if (piece.length > 0) yield piece;
  }
  if (header.size !== null && header.size !== size)
    throw damaged(`${size} bytes where ${header.size} were announced`);
  if (checksum === null) return;
  const told = word(await need(queue, 4));
  queue.drop(4);
  if (BigInt(told) !== (checksum.digest() & 0xffffffffn)) throw damaged('its checksum is another');
};

/**
 * The content of zstd data, of one frame after the other (RFC 8878). Node has it from version 22.15 on; the libraries
 * for older ones do not check checksums or lose memory over damaged data.
 */
export const unzstd = async function* (
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const queue = byteQueue(packed);
  try {
    while (await queue.fill(1)) {
      const magic = word(await need(queue, 4));
      queue.drop(4);
      if (magic === MAGIC) yield* readFrame(queue);
      else if (magic >>> 4 === SKIPPABLE) {
        const length = word(await need(queue, 4));
        queue.drop(4);
        await skip(queue, length);
      } else throw damaged('there is no frame');
    }
  } finally {
    await queue.close();
  }
};
