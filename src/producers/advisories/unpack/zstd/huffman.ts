import { backwardBits, peekBits, takeBits } from './backward-bits.ts';
import { damaged } from './damaged.ts';
import { nextState, readFse } from './fse.ts';

/** A code of Huffman: for each `log` bits the symbol that they begin with, and how many of them it takes. */
export interface HuffmanTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
}

const MOST_BITS = 11;

/** Weights that were compressed: by two states in turn. */
const compressedWeights = (data: Uint8Array, begin: number, end: number): number[] => {
  const read = readFse(data, begin, end, { most: 6, symbols: MOST_BITS + 2 });
  const { table } = read;
  const bits = backwardBits(data, read.end, end);
  const weights: number[] = [];
  let state = takeBits(bits, table.log);
  let other = takeBits(bits, table.log);
  if (bits.at < bits.begin) throw damaged('weights that are cut off');
  while (weights.length < 254) {
    weights.push(table.symbols[state] ?? 0);
    state = nextState(table, state, bits);
    if (bits.at < bits.begin) {
      weights.push(table.symbols[other] ?? 0);
      return weights;
    }
    [state, other] = [other, state];
  }
  throw damaged('weights of too many symbols');
};

const plainWeights = (data: Uint8Array, begin: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => {
    const byte = data[begin + (at >> 1)] ?? 0;
    return at % 2 === 0 ? byte >> 4 : byte & 15;
  });

const tableOf = (weights: number[]): HuffmanTable => {
  let sum = 0;
  for (const weight of weights) {
    if (weight > MOST_BITS) throw damaged('a weight that is too large');
    if (weight > 0) sum += 1 << (weight - 1);
  }
  if (sum === 0) throw damaged('weights of nothing');
  // The last symbol has what is missing to a power of two.
  const log = 32 - Math.clz32(sum);
  const missing = (1 << log) - sum;
  if (log > MOST_BITS || (missing & (missing - 1)) !== 0)
    throw damaged('weights that do not add up');
  const all = [...weights, 32 - Math.clz32(missing)];
  const table = { log, symbols: new Uint8Array(1 << log), bits: new Uint8Array(1 << log) };
  let at = 0;
  for (let weight = 1; weight <= log; weight += 1)
    for (const [symbol, each] of all.entries()) {
      if (each !== weight) continue;
      const length = 1 << (weight - 1);
      table.symbols.fill(symbol, at, at + length);
      table.bits.fill(log + 1 - weight, at, at + length);
      at += length;
    }
  return table;
};

/** Reads the description of a code from data[begin, end): and where it ended. */
export const readHuffman = (
  data: Uint8Array,
  begin: number,
  end: number,
): { table: HuffmanTable; end: number } => {
  const head = data[begin] ?? 0;
  const from = begin + 1;
  const length = head < 128 ? head : (head - 126) >> 1;
  const to = from + length;
  if (to > end) throw damaged('weights that are cut off');
  const weights =
    head < 128 ? compressedWeights(data, from, to) : plainWeights(data, from, head - 127);
  return { table: tableOf(weights), end: to };
};

/** Fills `out` with what one stream of bits says. */
export const decodeHuffman = (
  table: HuffmanTable,
  data: Uint8Array,
  begin: number,
  end: number,
  out: Uint8Array,
): void => {
  const bits = backwardBits(data, begin, end);
  for (let at = 0; at < out.length; at += 1) {
    const code = peekBits(bits, table.log);
    out[at] = table.symbols[code] ?? 0;
    bits.at -= table.bits[code] ?? 0;
  }
  if (bits.at !== bits.begin) throw damaged('literals that do not end where they should');
};
