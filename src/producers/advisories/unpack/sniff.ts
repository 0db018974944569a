/** What a compressed file was compressed with. */
export type Compression = 'gzip' | 'xz' | 'bzip2' | 'zstd';

/** As many bytes as it takes to tell what a file is. */
export const SNIFFED_BYTES = 512;

const beginnings: [Compression, readonly number[]][] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];

const beginsWith = (head: Uint8Array, bytes: readonly number[]): boolean =>
  bytes.every((byte, at) => head[at] === byte);

/** `BZh` may begin a text; a level and the mark of a first block (or of the end) do not follow by chance. */
const isBzip2 = (head: Uint8Array): boolean =>
  (head[3] ?? 0) >= 0x31 &&
  (head[3] ?? 0) <= 0x39 &&
  (beginsWith(head.subarray(4), [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]) ||
    beginsWith(head.subarray(4), [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]));

/** What a file is compressed with, by its first bytes; null: nothing that we know. */
export const compressionOf = (head: Uint8Array): Compression | null => {
  const found = beginnings.find(([, bytes]) => beginsWith(head, bytes))?.[0] ?? null;
  return found === 'bzip2' && !isBzip2(head) ? null : found;
};

export const isZip = (head: Uint8Array): boolean =>
  beginsWith(head, [0x50, 0x4b, 0x03, 0x04]) || beginsWith(head, [0x50, 0x4b, 0x05, 0x06]);

/** Whether a block is the header of a tar entry: the sum of its bytes, with blanks for the sum itself, is in it. */
export const isTarHeader = (block: Uint8Array): boolean => {
  if (block.length < 512 || block[0] === 0) return false;
  const told = /^[ \0]*([0-7]+)[ \0]/.exec(
    Buffer.from(block.subarray(148, 156)).toString('latin1') + '\0',
  )?.[1];
  if (told === undefined) return false;
  let sum = 8 * 0x20;
  for (let at = 0; at < 512; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return sum === parseInt(told, 8);
};
