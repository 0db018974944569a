import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

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
  digest: () => string;
}

/** Something whose content can be compared. */
export interface ContentSource {
  /** Opened without following a link at its end, unless `follow` says that it is one of procfs. */
  path: string;
  follow: boolean;
  /** Names this very content for as long as the cache lives; null: do not remember. */
  identity: string | null;
}

const openRegular = ({ path, follow }: ContentSource): number => {
  const fd = openSync(path, O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new Error('not a regular file');
};

/** Reads up to `size` bytes, never trusting the size that stat tells: with metacopy it is old. */
const readHead = (source: ContentSource, size: number): Buffer => {
  const fd = openRegular(source);
  try {
    const head = Buffer.alloc(size);
    let length = 0;
    for (let got = -1; got !== 0 && length < size; length += got)
      got = readSync(fd, head, length, size - length, length);
    return head.subarray(0, length);
  } finally {
    closeSync(fd);
  }
};

const hashAll = (source: ContentSource): string => {
  const fd = openRegular(source);
  try {
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const got = readSync(fd, chunk, 0, CHUNK, null);
      if (got === 0) return hash.digest('hex');
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
  /** Whether two files hold the same. Throws, as the system does, when one cannot be read. */
  same: (a: ContentSource, b: ContentSource) => boolean;
}

/** Contents are remembered between scans: files with an identity are read once. */
export const contentReader = (limit = 4096): ContentReader => {
  const known = new Map<string, Content>();
  const read = (source: ContentSource): Content => {
    const found = source.identity === null ? undefined : known.get(source.identity);
    if (found !== undefined) return found;
    let digest: string | null = null;
    const content: Content = {
      buildId: buildIdOf(readHead(source, 1 << 16)),
      digest: () => (digest ??= hashAll(source)),
    };
    if (known.size >= limit) known.clear();
    if (source.identity !== null) known.set(source.identity, content);
    return content;
  };
  return {
    same: (a, b) => {
      if (a.identity !== null && a.identity === b.identity) return true;
      const [one, other] = [read(a), read(b)];
      // Two builds never share an id. The same id can be on a file that was changed afterwards.
      if (one.buildId !== null && other.buildId !== null && one.buildId !== other.buildId)
        return false;
      return one.digest() === other.digest();
    },
  };
};
