/** One file that a process maps, proc_pid_maps(5): all its ranges together. */
export interface MappedFile {
  /** Device as mountinfo writes it: `major:minor`, decimal. */
  device: string;
  /** Inode number in decimal, as text: with xino it is above 2^53. */
  inode: string;
  /**
   * The path as `maps` writes it. Two things in it are ambiguous: a ` (deleted)` at its end and a
   * `\012` can stand for what they say or be part of the name.
   */
  text: string;
  /** Whether any of its ranges may be executed. */
  executable: boolean;
  /** Address range of one mapping: the name under /proc/PID/map_files. */
  range: string;
}

/** How `maps` marks a file whose last name is gone. */
export const DELETED = ' (deleted)';

/** Files that are memory: never on a file system, so never replaced by anybody. */
const MEMORY = [
  '/memfd:',
  '/dev/zero',
  '/SYSV',
  '/anon_hugepage',
  '/dev/shm/',
  '/[aio]',
  '/drm mm object',
  '/i915',
];

const decimalDevice = (hex: string): string => {
  const colon = hex.indexOf(':');
  return `${Number.parseInt(hex.slice(0, colon), 16)}:${Number.parseInt(hex.slice(colon + 1), 16)}`;
};

/**
 * The files in a /proc/PID/maps text, each once. Anonymous memory, `[heap]` and the like, and files
 * that are memory in truth are left out. Lines that are not as the kernel writes them are ignored:
 * the last one may be cut.
 */
export const parseMaps = (text: string): MappedFile[] => {
  const files = new Map<string, MappedFile | null>();
  let key = '';
  let file: MappedFile | null = null;
  let begin = 0;
  let slash = -1;
  while (begin < text.length) {
    let end = text.indexOf('\n', begin);
    if (end < 0) end = text.length;
    // Paths begin at the first slash of a line: nothing before it can hold one.
    // Looked for once, however many lines without one are before it.
    if (slash < begin) slash = text.indexOf('/', begin);
    if (slash < 0) break;
    if (slash < end) {
      const rangeEnd = text.indexOf(' ', begin);
      const deviceBegin = text.indexOf(' ', rangeEnd + 6) + 1;
      // Device, inode and path are one piece of text, the same in all ranges of a file, and the
      // ranges of one file mostly follow each other.
      if (end - deviceBegin !== key.length || !text.startsWith(key, deviceBegin)) {
        key = text.slice(deviceBegin, end);
        const known = files.get(key);
        file = known === undefined ? readFile(key, text.slice(begin, rangeEnd)) : known;
        if (known === undefined) files.set(key, file);
      }
      if (file !== null && text[rangeEnd + 3] === 'x') file.executable = true;
    }
    begin = end + 1;
  }
  return [...files.values()].filter((one) => one !== null);
};

/** A file from `major:minor inode path`; null for what is none, or memory in truth. */
const readFile = (key: string, range: string): MappedFile | null => {
  const match = /^([0-9a-f]{1,8}:[0-9a-f]{1,8}) (\d{1,20}) +(\/.*)$/s.exec(key);
  if (match === null) return null;
  const [, device = '', inode = '', path = ''] = match;
  if (isMemory(path)) return null;
  return { device: decimalDevice(device), inode, text: path, executable: false, range };
};

const isMemory = (path: string): boolean => MEMORY.some((prefix) => path.startsWith(prefix));

/**
 * Whether two inode numbers mean the same file of the lower layer. With xino an overlay over
 * different file systems marks the file system in the highest bit, so only 63 bits count.
 */
export const sameInode = (mapped: string, lower: string): boolean =>
  mapped === lower ||
  // 2^63 has 19 digits: shorter numbers have no mark.
  (mapped.length >= 19 && BigInt.asUintN(63, BigInt(mapped)).toString() === lower);
