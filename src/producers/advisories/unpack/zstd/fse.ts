import type { BackwardBits } from './backward-bits.ts';
import { bitsAt, takeBits } from './backward-bits.ts';
import { damaged } from './damaged.ts';

/** A table of finite state entropy: of each state its symbol, and how the next state is found. */
export interface FseTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
  base: Uint16Array;
}

/** A table that says one symbol for ever. */
export const fseOfOne = (symbol: number): FseTable => ({
  ...{ log: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), base: Uint16Array.of(0) },
});

/** The table of how often each symbol comes, in parts of 2^log; -1: less than once (RFC 8878, 4.1.1). */
export const fseTable = (often: readonly number[], log: number): FseTable => {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(often.length);
  let last = size - 1;
  often.forEach((count, symbol) => {
    next[symbol] = Math.abs(count);
    if (count !== -1) return;
    symbols[last] = symbol;
    last -= 1;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  often.forEach((count, symbol) => {
    for (let number = 0; number < count; number += 1) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place > last);
    }
  });
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  for (let state = 0; state < size; state += 1) {
    const symbol = symbols[state] ?? 0;
    const number = next[symbol] ?? 0;
    next[symbol] = number + 1;
    const width = log - 31 + Math.clz32(number);
    bits[state] = width;
    base[state] = (number << width) - size;
  }
  return { log, symbols, bits, base };
};

/** Reads a table from data[begin, end): and where it ended. */
export const readFse = (
  data: Uint8Array,
  begin: number,
  end: number,
  { most, symbols }: { most: number; symbols: number },
): { table: FseTable; end: number } => {
  let at = begin * 8;
  const log = bitsAt(data, at, 4) + 5;
  at += 4;
  if (log > most) throw damaged('a table that is too large');
  const often: number[] = [];
  let left = (1 << log) + 1;
  let width = log + 1;
  while (left > 1) {
    if (often.length >= symbols || at > end * 8) throw damaged('a table of too much');
    const half = 1 << (width - 1);
    const short = 2 * half - 1 - left;
    let value = bitsAt(data, at, width);
    if ((value & (half - 1)) < short) {
      value &= half - 1;
      at += width - 1;
    } else {
      if (value >= half) value -= short;
      at += width;
    }
    value -= 1;
    left -= Math.abs(value);
    often.push(value);
    for (let again = value === 0; again;) {
      const zeros = bitsAt(data, at, 2);
      at += 2;
      if (often.length + zeros > symbols) throw damaged('a table of too much');
      for (let each = 0; each < zeros; each += 1) often.push(0);
      again = zeros === 3;
    }
    while (left > 1 && left < 1 << (width - 1)) width -= 1;
  }
  if (left !== 1 || at > end * 8) throw damaged('a table that does not add up');
  return { table: fseTable(often, log), end: (at + 7) >> 3 };
};

/** The state that follows. */
export const nextState = (table: FseTable, state: number, bits: BackwardBits): number =>
  (table.base[state] ?? 0) + takeBits(bits, table.bits[state] ?? 0);
