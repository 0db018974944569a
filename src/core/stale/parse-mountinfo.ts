/** One line of /proc/PID/mountinfo, proc_pid_mountinfo(5). */
export interface Mount {
  /** `major:minor`, decimal. */
  device: string;
  /** The directory of the file system that is visible here. */
  root: string;
  /** Where, relative to the root directory of the process. */
  point: string;
  fileSystem: string;
  /** Options of the file system, parted by commas, such as `upperdir=…`; as they were written. */
  options: string;
}

/** Undoes the octal escapes of blanks, newlines, backslashes and number signs. */
const unescape = (text: string): string =>
  text.includes('\\')
    ? text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      )
    : text;

/** The mounts of a mountinfo text in its order: of two on one point the later one is on top. */
export const parseMountinfo = (text: string): Mount[] => {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    // Optional fields stand between the sixth field and a lone dash.
    const dash = line.indexOf(' - ');
    if (dash < 0) continue;
    const [, , device, root, point] = line.slice(0, dash).split(' ');
    const [fileSystem, , options = ''] = line.slice(dash + 3).split(' ');
    if (device === undefined || root === undefined || point === undefined) continue;
    mounts.push({
      ...{ device, root: unescape(root), point: unescape(point) },
      fileSystem: fileSystem ?? '',
      options,
    });
  }
  return mounts;
};

/** The same mounts seen from further up: each point below `directory`. */
export const mountsBelow = (directory: string, mounts: readonly Mount[]): Mount[] =>
  directory === '/'
    ? [...mounts]
    : mounts.map((mount) => ({
        ...mount,
        point: mount.point === '/' ? directory : directory + mount.point,
      }));

/** `path` relative to the directory `point` (with its slash), or null when it is not below it. */
export const relativeTo = (point: string, path: string): string | null => {
  if (point === '/') return path;
  if (!path.startsWith(point)) return null;
  return path.length === point.length
    ? ''
    : path[point.length] === '/'
      ? path.slice(point.length)
      : null;
};

/** The topmost mount on each point, made at the first question: a process may map a thousand files, and have as many mounts. */
const indexes = new WeakMap<readonly Mount[], ReadonlyMap<string, Mount>>();

const indexOf = (mounts: readonly Mount[]): ReadonlyMap<string, Mount> => {
  const known = indexes.get(mounts);
  if (known !== undefined) return known;
  const index = new Map(mounts.map((mount) => [mount.point, mount]));
  indexes.set(mounts, index);
  return index;
};

/** The mount that `path` lies on: the deepest point above it, on each point the topmost mount. */
export const mountOf = (mounts: readonly Mount[], path: string): Mount | null => {
  const index = indexOf(mounts);
  for (let above = path; above !== ''; above = above.slice(0, above.lastIndexOf('/'))) {
    const found = index.get(above);
    if (found !== undefined) return found;
  }
  return index.get('/') ?? null;
};
