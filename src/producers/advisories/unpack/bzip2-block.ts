/** A place within data, in bits. */
export interface BitCursor {
  data: Uint8Array;
  at: number;
}

const damaged = (what: string): Error => new Error(`bzip2: its data is damaged (${what})`);

/** The next bits, at most 24 of them, the first of them the highest. */
export const readBits = (cursor: BitCursor, count: number): number => {
  const { data, at } = cursor;
  if (at + count > data.length * 8) throw new Error('bzip2: its data ends too early');
  const byte = at >> 3;
  const word =
    (((data[byte] ?? 0) << 24) |
      ((data[byte + 1] ?? 0) << 16) |
      ((data[byte + 2] ?? 0) << 8) |
      (data[byte + 3] ?? 0)) <<
    (at & 7);
  cursor.at = at + count;
  return count === 0 ? 0 : word >>> (32 - count);
};

const usedBytes = (cursor: BitCursor): number[] => {
  const used: number[] = [];
  const groups = readBits(cursor, 16);
  for (let high = 0; high < 16; high += 1) {
    if ((groups & (0x8000 >> high)) === 0) continue;
    const bytes = readBits(cursor, 16);
    for (let low = 0; low < 16; low += 1)
      if ((bytes & (0x8000 >> low)) !== 0) used.push(high * 16 + low);
  }
  if (used.length === 0) throw damaged('a block uses no bytes');
  return used;
};

/** Moves what is at a place to the front, and returns it. */
const moveToFront = (list: Uint8Array, at: number): number => {
  const value = list[at] ?? 0;
  list.copyWithin(1, 0, at);
  list[0] = value;
  return value;
};

const readSelectors = (cursor: BitCursor, tables: number): Uint8Array => {
  const selectors = new Uint8Array(readBits(cursor, 15));
  const order = Uint8Array.from({ length: tables }, (_, at) => at);
  for (let at = 0; at < selectors.length; at += 1) {
    let place = 0;
    while (readBits(cursor, 1) === 1) place += 1;
    if (place >= tables) throw damaged('a table that is not there');
    selectors[at] = moveToFront(order, place);
  }
  return selectors;
};

const LONGEST = 20;

/** A canonical Huffman code: for each length its first code, and the symbols in the order of their codes. */
interface Code {
  first: Int32Array;
  count: Int32Array;
  symbols: Uint16Array;
}

const readCode = (cursor: BitCursor, symbols: number): Code => {
  const lengths = new Uint8Array(symbols);
  let length = readBits(cursor, 5);
  for (let at = 0; at < symbols; at += 1) {
    while (readBits(cursor, 1) === 1) length += readBits(cursor, 1) === 1 ? -1 : 1;
    if (length < 1 || length > LONGEST) throw damaged('a code of no length');
    lengths[at] = length;
  }
  const count = new Int32Array(LONGEST + 1);
  for (const each of lengths) count[each] = (count[each] ?? 0) + 1;
  const first = new Int32Array(LONGEST + 2);
  for (let each = 1; each <= LONGEST; each += 1)
    first[each + 1] = ((first[each] ?? 0) + (count[each] ?? 0)) << 1;
  const order = [...lengths.keys()].sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  return { first, count, symbols: Uint16Array.from(order) };
};

const readSymbol = (cursor: BitCursor, { first, count, symbols }: Code): number => {
  let code = 0;
  let before = 0;
  for (let length = 1; length <= LONGEST; length += 1) {
    code = (code << 1) | readBits(cursor, 1);
    const place = code - (first[length] ?? 0);
    const here = count[length] ?? 0;
    if (place >= 0 && place < here) return symbols[before + place] ?? 0;
    before += here;
  }
  throw damaged('a code that is not there');
};

/** A block before its last step: in `links` of each byte it and where the next one is; the first one is at `from`. */
export interface Block {
  links: Uint32Array;
  size: number;
  from: number;
}

/** The bytes of a block in the order of what follows them, and from that the way through them. */
export const readBlock = (cursor: BitCursor, most: number): Block => {
  if (readBits(cursor, 1) === 1) throw damaged('a randomised block, which nobody writes any more');
  const origin = readBits(cursor, 24);
  const used = usedBytes(cursor);
  const tables = readBits(cursor, 3);
  if (tables < 2 || tables > 6) throw damaged(`${tables} tables`);
  const selectors = readSelectors(cursor, tables);
  const codes = Array.from({ length: tables }, () => readCode(cursor, used.length + 2));
  const order = Uint8Array.from(used);
  const links = new Uint32Array(most);
  const counts = new Uint32Array(256);
  let size = 0;
  let run = 0;
  let weight = 1;
  for (let number = 0; ; number += 1) {
    const code = codes[selectors[Math.floor(number / 50)] ?? -1];
    if (code === undefined) throw damaged('more symbols than it says');
    const symbol = readSymbol(cursor, code);
    if (symbol <= 1) {
      run += weight << symbol;
      weight <<= 1;
      if (size + run > most) throw damaged('a block that is too long');
      continue;
    }
    if (run > 0) {
      const byte = order[0] ?? 0;
      links.fill(byte, size, size + run);
      counts[byte] = (counts[byte] ?? 0) + run;
      size += run;
      run = 0;
      weight = 1;
    }
    if (symbol === used.length + 1) break;
    if (size >= most) throw damaged('a block that is too long');
    const byte = moveToFront(order, symbol - 1);
    links[size] = byte;
    counts[byte] = (counts[byte] ?? 0) + 1;
    size += 1;
  }
  if (origin >= size) throw damaged('a beginning outside of the block');
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const count = counts[byte] ?? 0;
    counts[byte] = sum;
    sum += count;
  }
  for (let at = 0; at < size; at += 1) {
    const byte = (links[at] ?? 0) & 0xff;
    const place = counts[byte] ?? 0;
    counts[byte] = place + 1;
    links[place] = ((links[place] ?? 0) | (at << 8)) >>> 0;
  }
  return { links, size, from: (links[origin] ?? 0) >>> 8 };
};

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

const PIECE = 65_536;

/** The content of a block: four times the same byte are followed by how many more there are. */
export const unrun = function* (block: Block, told: number): Generator<Uint8Array> {
  const { links, size } = block;
  let piece = new Uint8Array(PIECE);
  let filled = 0;
  let crc = -1;
  let at = block.from;
  let previous = -1;
  let same = 0;
  for (let number = 0; number < size; number += 1) {
    const link = links[at] ?? 0;
    at = link >>> 8;
    let byte = link & 0xff;
    let copies = 1;
    if (same === 4) {
      copies = byte;
      byte = previous;
      same = 0;
      previous = -1;
    } else {
      same = byte === previous ? same + 1 : 1;
      previous = byte;
    }
    for (; copies > 0; copies -= 1) {
      crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ byte] ?? 0);
      piece[filled] = byte;
      filled += 1;
      if (filled < PIECE) continue;
      yield piece;
      piece = new Uint8Array(PIECE);
      filled = 0;
    }
  }
  if (~crc >>> 0 !== told) throw damaged('the checksum of a block is another');
  if (filled > 0) yield piece.subarray(0, filled);
};
