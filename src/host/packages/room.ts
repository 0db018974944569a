import { statfs } from 'node:fs/promises';

/** What is left on the file system of a directory. */
export interface RoomOf {
  path: string;
  bytes: number;
  files: number;
}

/** Where package managers write; each may be a file system of its own. */
const places = ['/', '/usr', '/boot', '/opt', '/var', '/var/cache', '/var/lib', '/var/tmp'];

/** So much more is worth another try; what a rotated log gives back is not. */
const enough = { bytes: 16 * 1024 * 1024, files: 1_000 };

/** Room on the disks to which packages are written. Never rejects: what is not there has none. */
export const readRoom = async (paths: readonly string[] = places): Promise<RoomOf[]> => {
  const all = await Promise.all(
    paths.map(async (path) => {
      const found = await statfs(path).catch(() => null);
      return found === null
        ? []
        : [{ path, bytes: found.bavail * found.bsize, files: found.ffree }];
    }),
  );
  return all.flat();
};

const sameOf = ({ path }: RoomOf, all: readonly RoomOf[]): RoomOf | undefined =>
  all.find((one) => one.path === path);

/** Whether any disk has so much more room than it had that what found none may find some. */
export const hasMoreRoom = (now: readonly RoomOf[], before: readonly RoomOf[]): boolean =>
  now.some((one) => {
    const was = sameOf(one, before);
    return (
      was !== undefined &&
      (one.bytes - was.bytes >= enough.bytes || one.files - was.files >= enough.files)
    );
  });

/** The least that each disk had. */
export const leastRoom = (some: readonly RoomOf[], others: readonly RoomOf[]): RoomOf[] =>
  some.map((one) => {
    const other = sameOf(one, others) ?? one;
    return {
      path: one.path,
      bytes: Math.min(one.bytes, other.bytes),
      files: Math.min(one.files, other.files),
    };
  });
