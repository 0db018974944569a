import { execa } from 'execa';
import { ProvisionError } from './provision-error.ts';

/** What OverlayFS notes on an entry of an upper layer, as `trusted.overlay.<mark>`. */
export type OverlayMark = 'opaque' | 'metacopy' | 'redirect';

const MARKS: readonly OverlayMark[] = ['opaque', 'metacopy', 'redirect'];
const BLOCK = 512;

/** Records of a pax extended header, pax(1): `length key=value\n`, length in bytes of the whole. */
const paxRecords = (data: Buffer): Map<string, string> => {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length;) {
    const blank = data.indexOf(0x20, at);
    const length = Number(data.toString('latin1', at, blank));
    if (blank < 0 || !Number.isInteger(length) || length <= 0) break;
    const record = data.toString('utf8', blank + 1, at + length - 1);
    const equals = record.indexOf('=');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
};

const headerText = (block: Buffer, from: number, length: number): string => {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
};

/** Marks by path, out of an archive that GNU tar wrote with `--format=pax --xattrs`. */
export const marksInArchive = (archive: Buffer): Map<string, Set<OverlayMark>> => {
  const marks = new Map<string, Set<OverlayMark>>();
  let extended = new Map<string, string>();
  for (let at = 0; at + BLOCK <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK);
    if (header[0] === 0) break;
    const size = Number.parseInt(headerText(header, 124, 12).trim() || '0', 8);
    const type = String.fromCharCode(header[156] ?? 0);
    at += BLOCK;
    if (type === 'x') extended = paxRecords(archive.subarray(at, at + size));
    else {
      const prefix = headerText(header, 345, 155);
      const name = headerText(header, 0, 100);
      const path = extended.get('path') ?? (prefix === '' ? name : `${prefix}/${name}`);
      const found = MARKS.filter((mark) => extended.has(`SCHILY.xattr.trusted.overlay.${mark}`));
      marks.set(path.replace(/(.)\/$/, '$1'), new Set(found));
      extended = new Map();
    }
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
  return marks;
};

/**
 * Reads OverlayFS's marks of files and directories in upper layers: one child process for all.
 * Node cannot read extended attributes, and getfattr(1) is seldom installed; GNU tar always is.
 * Paths that vanish meanwhile are missing in the answer. Throws ProvisionError when tar cannot
 * read the marks (needs root).
 */
export const readOverlayMarks = async (
  paths: readonly string[],
): Promise<Map<string, Set<OverlayMark>>> => {
  if (paths.length === 0) return new Map();
  const result = await execa(
    'tar',
    [
      ...['--create', '--file=-', '--format=pax', '--absolute-names', '--no-recursion'],
      ...['--xattrs', '--xattrs-include=trusted.overlay.*', '--null', '--files-from=-'],
    ],
    {
      input: paths.join('\0') + '\0',
      encoding: 'buffer',
      reject: false,
      maxBuffer: 1024 * 1024 * 1024,
      env: { LC_ALL: 'C' },
    },
  );
  const complaint = Buffer.from(result.stderr).toString('utf8').trim();
  // 2: some path vanished while tar ran; what it could read is in the archive.
  const readable = result.exitCode === 0 || (result.exitCode === 2 && result.stdout.length > 0);
  if (!readable || /xattr support is not available/i.test(complaint))
    throw new ProvisionError(
      `cannot read what OverlayFS notes on files (trusted.overlay.*): ${complaint || result.shortMessage || 'tar failed'}`,
    );
  return marksInArchive(Buffer.from(result.stdout));
};
