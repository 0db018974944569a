import { damaged } from './damaged.ts';

/** Bits that are read from their end (RFC 8878, 4.1). */
export interface BackwardBits {
  data: Uint8Array;
  /** In bits: where they begin, and how far they are still to be read. Below `begin` when more were read than there are. */
  begin: number;
  at: number;
}

/** Opens data[begin, end), whose last byte holds the mark of the end. At least 4 bytes of `data` follow it. */
export const backwardBits = (data: Uint8Array, begin: number, end: number): BackwardBits => {
  const last = end > begin ? (data[end - 1] ?? 0) : 0;
  if (last === 0) throw damaged('bits without their end');
  return { data, begin: begin * 8, at: (end - 1) * 8 + 31 - Math.clz32(last) };
};

/** At most 24 bits from a place on. */
export const bitsAt = (data: Uint8Array, at: number, count: number): number => {
  const byte = at >> 3;
  const word =
    (data[byte] ?? 0) |
    ((data[byte + 1] ?? 0) << 8) |
    ((data[byte + 2] ?? 0) << 16) |
    ((data[byte + 3] ?? 0) << 24);
  return (word >>> (at & 7)) & ((1 << count) - 1);
};

/** The `count` bits before a place; as if zeros stood before the beginning. At most 24. */
export const peekBits = ({ data, begin, at }: BackwardBits, count: number): number => {
  const from = at - count;
  if (from >= begin) return bitsAt(data, from, count);
  const missing = begin - from;
  return missing >= count ? 0 : bitsAt(data, begin, count - missing) << missing;
};

/** Takes the next bits, at most 31 of them. */
export const takeBits = (bits: BackwardBits, count: number): number => {
  if (count > 16) {
    const high = takeBits(bits, count - 16);
    return high * 0x10000 + takeBits(bits, 16);
  }
  const value = peekBits(bits, count);
  bits.at -= count;
  return value;
};
