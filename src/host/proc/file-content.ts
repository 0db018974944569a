import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { Effort } from './effort.ts';
import { readOpened, TooLargeError } from './read-bounded.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const CHUNK = 1 << 18;

/** GNU build-id note of an ELF file, as hex; null where there is none in the first 64 kB. */
export const buildIdOf = (head: Buffer): string | null => {
  // "\x7fELF", 64 bit, little endian: what all platforms that we know are.
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46) return null;
  if (head[4] !== 2 || head[5] !== 1) return null;
  const [offset, size, count] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ];
  for (let at = offset; at < offset + size * count && at + 56 <= head.length; at += size) {
    const isNote = head.readUInt32LE(at) === 4;
    const begin = Number(head.readBigUInt64LE(at + 8));
    const end = Math.min(begin + Number(head.readBigUInt64LE(at + 32)), head.length);
    if (!isNote || size < 56) continue;
    for (let note = begin; note + 12 <= end;) {
      const nameSize = head.readUInt32LE(note);
      const idSize = head.readUInt32LE(note + 4);
      const id = note + 12 + Math.ceil(nameSize / 4) * 4;
      if (
        head.readUInt32LE(note + 8) === 3 &&
        head.toString('latin1', note + 12, note + 15) === 'GNU'
      )
        return id + idSize <= head.length ? head.toString('hex', id, id + idSize) : null;
      note = id + Math.ceil(idSize / 4) * 4;
    }
  }
  return null;
};

export interface Content {
  buildId: string | null;
  /** SHA-256 of everything that can be read. */
  digest: (effort: Effort) => string;
}

/** Something whose content can be compared. */
export interface ContentSource {
  /** Opened without following a link at its end, unless `follow` says that it is one of procfs. */
  path: string;
  follow: boolean;
  /** Names this very content for as long as the cache lives; null: do not remember. */
  identity: string | null;
  /** Bytes that there are to read; null where stat does not tell (with metacopy it is old). */
  size: bigint | null;
}

const openRegular = ({ path, follow }: Pick<ContentSource, 'path' | 'follow'>): number => {
  const fd = openSync(path, O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new Error('not a regular file');
};

/**
 * A regular file of a container as text. Throws for anything else that lies there, beyond `limit`
 * bytes, and what the system throws.
 */
export const readRegular = (path: string, limit: number): string => {
  const fd = openRegular({ path, follow: false });
  try {
    return readOpened(fd, limit);
  } finally {
    closeSync(fd);
  }
};

/** Reads up to `size` bytes, never trusting the size that stat tells: with metacopy it is old. */
const readHead = (source: ContentSource, size: number, effort: Effort): Buffer => {
  const fd = openRegular(source);
  try {
    const head = Buffer.alloc(size);
    let length = 0;
    for (let got = -1; got !== 0 && length < size; length += got)
      got = readSync(fd, head, length, size - length, length);
    effort.spend(length);
    return head.subarray(0, length);
  } finally {
    closeSync(fd);
  }
};

const hashAll = (source: ContentSource, effort: Effort): string => {
  const fd = openRegular(source);
  try {
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (let length = 0; ;) {
      const got = readSync(fd, chunk, 0, CHUNK, null);
      if (got === 0) return hash.digest('hex');
      length += got;
      if (length > effort.limits.fileBytes) throw new TooLargeError(effort.limits.fileBytes);
      effort.spend(got);
      hash.update(chunk.subarray(0, got));
    }
  } finally {
    closeSync(fd);
  }
};

/** What names a file's content as long as nobody sets the clock back: any write moves ctime. */
export const identityOf = (found: BigIntStats): string =>
  `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;

export interface ContentReader {
  /**
   * Whether two files hold the same. Throws, as the system does, when one cannot be read, and what
   * `effort` throws.
   */
  same: (a: ContentSource, b: ContentSource, effort: Effort) => boolean;
}

/** Contents are remembered between scans: files with an identity are read once. */
export const contentReader = (limit = 4096): ContentReader => {
  const known = new Map<string, Content>();
  const read = (source: ContentSource, effort: Effort): Content => {
    const found = source.identity === null ? undefined : known.get(source.identity);
    if (found !== undefined) return found;
    let digest: string | null = null;
    const content: Content = {
      buildId: buildIdOf(readHead(source, 1 << 16, effort)),
      digest: (again) => (digest ??= hashAll(source, again)),
    };
    if (known.size >= limit) known.clear();
    if (source.identity !== null) known.set(source.identity, content);
    return content;
  };
  return {
    same: (a, b, effort) => {
      if (a.identity !== null && a.identity === b.identity) return true;
      // Its owner can make a copy as large as a disk at no cost.
      if (a.size !== null && b.size !== null && a.size !== b.size) return false;
      const [one, other] = [read(a, effort), read(b, effort)];
      // Two builds never share an id. The same id can be on a file that was changed afterwards.
      if (one.buildId !== null && other.buildId !== null && one.buildId !== other.buildId)
        return false;
      return one.digest(effort) === other.digest(effort);
    },
  };
};
