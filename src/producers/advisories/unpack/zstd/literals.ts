import { damaged } from './damaged.ts';
import type { HuffmanTable } from './huffman.ts';
import { decodeHuffman, readHuffman } from './huffman.ts';

/** The bytes of a block that are not repeated from before it. */
export interface Literals {
  bytes: Uint8Array;
  /** Where the section ended. */
  end: number;
}

/** Bytes as they are, or one of them many times. */
const plainLiterals = (data: Uint8Array, begin: number, end: number, most: number): Literals => {
  const head = data[begin] ?? 0;
  const form = (head >> 2) & 3;
  const length = form === 1 ? 2 : form === 3 ? 3 : 1;
  const size =
    length === 1
      ? head >> 3
      : (head >> 4) |
        ((data[begin + 1] ?? 0) << 4) |
        (length === 3 ? (data[begin + 2] ?? 0) << 12 : 0);
  const from = begin + length;
  const isRepeated = (head & 3) === 1;
  const to = from + (isRepeated ? 1 : size);
  if (size > most || to > end) throw damaged('more literals than a block has');
  const bytes = isRepeated ? new Uint8Array(size).fill(data[from] ?? 0) : data.subarray(from, to);
  return { bytes, end: to };
};

/** Reads the section of literals at the beginning of a block (RFC 8878, 3.1.1.3.1). */
export const readLiterals = (
  data: Uint8Array,
  begin: number,
  end: number,
  most: number,
  known: { huffman: HuffmanTable | null },
): Literals => {
  const head = data[begin] ?? 0;
  if ((head & 3) < 2) return plainLiterals(data, begin, end, most);
  const form = (head >> 2) & 3;
  const length = form < 2 ? 3 : form + 2;
  const width = form < 2 ? 10 : form === 2 ? 14 : 18;
  // Up to 40 bits: by multiplication, since shifts have 32.
  let word = 0;
  for (let at = length - 1; at >= 0; at -= 1) word = word * 256 + (data[begin + at] ?? 0);
  const sizes = Math.floor(word / 16);
  const size = sizes % 2 ** width;
  const packed = Math.floor(sizes / 2 ** width);
  let from = begin + length;
  const to = from + packed;
  if (size > most || to > end) throw damaged('more literals than a block has');
  if ((head & 3) === 2) {
    const read = readHuffman(data, from, to);
    known.huffman = read.table;
    from = read.end;
  }
  const table = known.huffman;
  if (table === null) throw damaged('literals without a code');
  const bytes = new Uint8Array(size);
  if (form === 0) decodeHuffman(table, data, from, to, bytes);
  else {
    const part = (size + 3) >> 2;
    if (part * 3 > size) throw damaged('too few literals for four streams');
    let begins = from + 6;
    for (let stream = 0; stream < 4; stream += 1) {
      const told = (data[from + stream * 2] ?? 0) | ((data[from + stream * 2 + 1] ?? 0) << 8);
      const ends = stream === 3 ? to : begins + told;
      if (ends > to) throw damaged('literals that are cut off');
      const out = bytes.subarray(part * stream, stream === 3 ? size : part * (stream + 1));
      decodeHuffman(table, data, begins, ends, out);
      begins = ends;
    }
  }
  return { bytes, end: to };
};
