import { backwardBits, takeBits } from './backward-bits.ts';
import { damaged } from './damaged.ts';
import type { FseTable } from './fse.ts';
import { fseOfOne, fseTable, nextState, readFse } from './fse.ts';
import type { History } from './history.ts';
import { copyLiterals, repeat } from './history.ts';

/** Codes of lengths, from 16 or 32 on: the first length, and the bits that are added to it (RFC 8878, 3.1.1.3.2.1). */
const lengthsOf = (
  plain: number,
  from: number,
  extra: readonly number[],
): { base: Uint32Array; bits: Uint8Array } => {
  const base = Array.from({ length: plain }, (_, code) => code + from);
  let next = plain + from;
  for (const width of extra) {
    base.push(next);
    next += 2 ** width;
  }
  return {
    base: Uint32Array.from(base),
    bits: Uint8Array.from([...new Array<number>(plain).fill(0), ...extra]),
  };
};

const literalLengths = lengthsOf(
  16,
  0,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const matchLengths = lengthsOf(
  32,
  3,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);

const times = (count: number, often: number): number[] => new Array<number>(count).fill(often);

/** The three codes of a sequence: what they may be, and what they are where nothing is said. */
const kinds = [
  {
    ...{ most: 9, symbols: 36 },
    usual: fseTable(
      [4, 3, ...times(11, 2), 1, 1, 1, ...times(9, 2), 3, 2, 1, 1, 1, 1, 1, ...times(4, -1)],
      6,
    ),
  },
  {
    ...{ most: 8, symbols: 32 },
    usual: fseTable([...times(6, 1), 2, 2, 2, ...times(15, 1), ...times(5, -1)], 5),
  },
  {
    ...{ most: 9, symbols: 53 },
    usual: fseTable([1, 4, 3, ...times(6, 2), ...times(37, 1), ...times(7, -1)], 6),
  },
] as const;

/** What sequences of a frame know of those before them. */
export interface KnownSequences {
  tables: (FseTable | null)[];
  offsets: [number, number, number];
}

const readTables = (
  data: Uint8Array,
  begin: number,
  end: number,
  known: KnownSequences,
): number => {
  const modes = data[begin] ?? 0;
  if ((modes & 3) !== 0) throw damaged('sequences of an unknown kind');
  let at = begin + 1;
  kinds.forEach((kind, number) => {
    const mode = (modes >> (6 - number * 2)) & 3;
    if (mode === 0) known.tables[number] = kind.usual;
    else if (mode === 1) {
      const symbol = data[at] ?? 0;
      if (symbol >= kind.symbols) throw damaged('a code that is not there');
      known.tables[number] = fseOfOne(symbol);
      at += 1;
    } else if (mode === 2) {
      const read = readFse(data, at, end, kind);
      known.tables[number] = read.table;
      at = read.end;
    }
  });
  return at;
};

/** How far back a match is: a number, or one of the last three. */
const offsetOf = (value: number, literals: number, offsets: [number, number, number]): number => {
  const [first, second, third] = offsets;
  if (value > 3) {
    known(offsets, value - 3, first, second);
    return value - 3;
  }
  switch (literals === 0 ? value + 1 : value) {
    case 1:
      return first;
    case 2:
      known(offsets, second, first, third);
      return second;
    case 3:
      known(offsets, third, first, second);
      return third;
    default:
      known(offsets, first - 1, first, second);
      return first - 1;
  }
};

const known = (
  offsets: [number, number, number],
  first: number,
  second: number,
  third: number,
): void => {
  offsets[0] = first;
  offsets[1] = second;
  offsets[2] = third;
};

/** Reads the sequences of data[begin, end) and carries them out: literals, then what is repeated from before. */
export const runSequences = (
  data: Uint8Array,
  begin: number,
  end: number,
  literals: Uint8Array,
  state: KnownSequences,
  history: History,
): void => {
  const [a = 0, b = 0, c = 0] = data.subarray(begin, begin + 3);
  const width = a < 128 ? 1 : a < 255 ? 2 : 3;
  const count = a < 128 ? a : a < 255 ? ((a - 128) << 8) + b : b + (c << 8) + 0x7f00;
  if (begin + width > end) throw damaged('sequences that are cut off');
  let used = 0;
  if (count > 0) {
    const from = readTables(data, begin + width, end, state);
    const [lengths, offsets, matches] = state.tables;
    if (!lengths || !offsets || !matches) throw damaged('sequences without their tables');
    const bits = backwardBits(data, from, end);
    let length = takeBits(bits, lengths.log);
    let offset = takeBits(bits, offsets.log);
    let match = takeBits(bits, matches.log);
    for (let number = 0; number < count; number += 1) {
      const offsetCode = offsets.symbols[offset] ?? 0;
      const value = 2 ** offsetCode + takeBits(bits, offsetCode);
      const matchCode = matches.symbols[match] ?? 0;
      const repeated =
        (matchLengths.base[matchCode] ?? 0) + takeBits(bits, matchLengths.bits[matchCode] ?? 0);
      const lengthCode = lengths.symbols[length] ?? 0;
      const copied =
        (literalLengths.base[lengthCode] ?? 0) +
        takeBits(bits, literalLengths.bits[lengthCode] ?? 0);
      // Before anything is done of it: what is not there is read as zeros.
      if (bits.at < bits.begin) throw damaged('sequences that are cut off');
      if (copied > literals.length - used) throw damaged('more literals than there are');
      copyLiterals(history, literals.subarray(used, used + copied));
      used += copied;
      repeat(history, offsetOf(value, copied, state.offsets), repeated);
      if (number === count - 1) break;
      length = nextState(lengths, length, bits);
      match = nextState(matches, match, bits);
      offset = nextState(offsets, offset, bits);
    }
    if (bits.at !== bits.begin) throw damaged('sequences that do not end where they should');
  } else if (begin + width !== end) throw damaged('something behind a block');
  copyLiterals(history, literals.subarray(used));
};
