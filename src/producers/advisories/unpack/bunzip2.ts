import { byteQueue } from './byte-queue.ts';
import type { BitCursor } from './bzip2-block.ts';
import { readBits, readBlock, unrun } from './bzip2-block.ts';

const BLOCK = 0x314159265359;
const END = 0x177245385090;
/** More than a block can have: its symbols with 20 bits each, and its tables. */
const packedBytes = (level: number): number => level * 100_000 * 2.5 + 70_000;

/**
 * The content of bzip2 data, of one stream after the other. Not one of the libraries: those at hand loop forever over some
 * hostile blocks, or take 8 bytes of memory for each byte of a block that is 46 MB when unpacked.
 */
export const bunzip2 = async function* (
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const queue = byteQueue(packed);
  try {
    while (await queue.fill(1)) {
      await queue.fill(4);
      const [b = 0, z = 0, h = 0, digit = 0] = queue.view();
      const level = digit - 0x30;
      if (b !== 0x42 || z !== 0x5a || h !== 0x68 || level < 1 || level > 9)
        throw new Error('bzip2: this is no beginning of bzip2 data');
      queue.drop(4);
      let sum = 0;
      const bits: BitCursor = { data: new Uint8Array(0), at: 0 };
      for (;;) {
        await queue.fill(packedBytes(level));
        bits.data = queue.view();
        const mark = readBits(bits, 24) * 0x1000000 + readBits(bits, 24);
        const told = readBits(bits, 16) * 0x10000 + readBits(bits, 16);
        if (mark === END) {
          if (told !== sum) throw new Error('bzip2: its data is damaged (its checksum is another)');
          queue.drop(Math.ceil(bits.at / 8));
          break;
        }
        if (mark !== BLOCK) throw new Error('bzip2: its data is damaged (there is no block)');
        yield* unrun(readBlock(bits, level * 100_000), told);
        sum = (((sum << 1) | (sum >>> 31)) ^ told) >>> 0;
        queue.drop(bits.at >> 3);
        bits.at &= 7;
      }
    }
  } finally {
    await queue.close();
  }
};
