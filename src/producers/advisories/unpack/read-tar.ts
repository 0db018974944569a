import type { ByteQueue } from './byte-queue.ts';
import { isTarHeader } from './sniff.ts';

/** A file within an archive: its bytes can be had once, and only until the next one is asked for. */
export interface ArchiveEntry {
  name: string;
  read: () => AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
/** Names are a few hundred bytes long; headers with more than this have nothing to do with a feed. */
const LONGEST_HEADER = 64 * 1024;

const text = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
};

/** Octal digits; large sizes are binary behind a first bit that is set. */
const numberOf = (field: Uint8Array): number => {
  if (((field[0] ?? 0) & 0x80) === 0) return parseInt(text(field).trim() || '0', 8);
  return field.subarray(1).reduce((number, byte) => number * 256 + byte, 0);
};

/** Records `length key=value` of an extended header. */
const extended = (bytes: Uint8Array): Map<string, string> => {
  const found = new Map<string, string>();
  const data = Buffer.from(bytes);
  for (let at = 0; at < data.length;) {
    const length = Number(/^\d+(?= )/.exec(data.toString('latin1', at, at + 12))?.[0] ?? 0);
    if (length < 4 || at + length > data.length) break;
    const [, key = '', value = ''] =
      /^\d+ ([^=]*)=([^]*)\n$/.exec(data.toString('utf8', at, at + length)) ?? [];
    found.set(key, value);
    at += length;
  }
  return found;
};

/** What headers before an entry say of it. */
interface Before {
  name: string | null;
  size: number | null;
}

const nameOf = (header: Uint8Array): string => {
  const prefix = text(header.subarray(257, 262)) === 'ustar' ? text(header.subarray(345, 500)) : '';
  const name = text(header.subarray(0, 100));
  return prefix === '' ? name : `${prefix}/${name}`;
};

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/**
 * The regular files of a tar archive (ustar, with names and sizes as pax and GNU tar extend them). Links, devices and the
 * like are passed over. Throws where it is damaged or ends before its end.
 */
export const readTar = async function* (queue: ByteQueue): AsyncGenerator<ArchiveEntry> {
  const cutOff = (): Error => new Error('tar: it ends too early');
  let before: Before = { name: null, size: null };
  for (;;) {
    // An archive without the two blocks of zeros at its end is as good, if it ends behind an entry.
    if (!(await queue.fill(BLOCK))) {
      if (queue.view().length > 0) throw cutOff();
      return;
    }
    const header = queue.view().subarray(0, BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (!isTarHeader(header)) throw new Error('tar: it is damaged (there is no header)');
    const kind = String.fromCharCode(header[156] ?? 0);
    const told = numberOf(header.subarray(124, 136));
    const isName = kind === 'L' || kind === 'x';
    const size = isName ? told : (before.size ?? told);
    if (!Number.isSafeInteger(size) || size < 0)
      throw new Error('tar: it is damaged (a size that is no number)');
    const name = before.name ?? nameOf(header);
    queue.drop(BLOCK);
    if (isName) {
      if (size > LONGEST_HEADER) throw new Error(`tar: a header of ${size} bytes`);
      if (!(await queue.fill(padded(size)))) throw cutOff();
      const content = queue.view().subarray(0, size);
      if (kind === 'L') before.name = text(content);
      else {
        const records = extended(content);
        const length = records.get('size');
        before = {
          name: records.get('path') ?? before.name,
          size: length === undefined ? before.size : Number(length),
        };
      }
      queue.drop(padded(size));
      continue;
    }
    before = { name: null, size: null };
    let left = size;
    const take = async function* (): AsyncGenerator<Uint8Array> {
      while (left > 0) {
        if (!(await queue.fill(1))) throw cutOff();
        const piece = queue.view().subarray(0, left);
        left -= piece.length;
        queue.drop(piece.length);
        yield piece;
      }
    };
    const isFile = kind === '0' || kind === '\0' || kind === '7';
    if (isFile && !name.endsWith('/')) yield { name, read: take };
    // What was not read of it, and what fills its last block.
    left += padded(size) - size;
    for (const unread = take(); (await unread.next()).done !== true;);
  }
};
