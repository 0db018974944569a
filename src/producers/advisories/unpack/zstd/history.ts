import { damaged } from './damaged.ts';

/** What a frame became so far, as far back as it may be repeated. */
export interface History {
  bytes: Uint8Array;
  /** Where the next byte goes. */
  at: number;
  /** Where the block that is being read must end. */
  limit: number;
  window: number;
}

const FIRST_SIZE = 256 * 1024;
/** Beyond the window, so that it is moved only now and then. */
const SLACK = 4 * 1024 * 1024;

export const newHistory = (window: number): History => ({
  ...{ bytes: new Uint8Array(FIRST_SIZE), at: 0, limit: 0, window },
});

/** Makes room for a block of at most so many bytes. Memory is taken for what there is, not for what is announced. */
export const makeRoom = (history: History, most: number): void => {
  const { bytes, at, window } = history;
  if (at + most > bytes.length) {
    const largest = window + Math.max(most, Math.min(window, SLACK));
    if (bytes.length < largest) {
      history.bytes = new Uint8Array(Math.min(largest, Math.max(bytes.length * 2, at + most)));
      history.bytes.set(bytes.subarray(0, at));
    }
    if (at + most > history.bytes.length) {
      history.bytes.copyWithin(0, at - window, at);
      history.at = window;
    }
  }
  history.limit = history.at + most;
};

export const copyLiterals = (history: History, literals: Uint8Array): void => {
  if (history.at + literals.length > history.limit) throw damaged('a block that is too long');
  history.bytes.set(literals, history.at);
  history.at += literals.length;
};

/** Repeats what stands so far back; that may overlap with itself. */
export const repeat = (history: History, back: number, length: number): void => {
  const { bytes, at, limit, window } = history;
  if (back < 1 || back > at || back > window) throw damaged('a repetition of what is not there');
  if (at + length > limit) throw damaged('a block that is too long');
  if (back === 1) bytes.fill(bytes[at - 1] ?? 0, at, at + length);
  else if (back >= length && length > 24) bytes.copyWithin(at, at - back, at - back + length);
  else for (let to = at; to < at + length; to += 1) bytes[to] = bytes[to - back] ?? 0;
  history.at = at + length;
};
