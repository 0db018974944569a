import { parseMountinfo } from '../../core/stale/parse-mountinfo.ts';
import type { Mount } from '../../core/stale/parse-mountinfo.ts';
import { reasonOf } from './error-code.ts';
import { readBounded } from './read-bounded.ts';
import type { SeenProcess } from './read-processes.ts';

/** Of one namespace: hosts with a thousand containers have a tenth of it, and the kernel allows 100,000 mounts. */
const MAX_BYTES = 4 << 20;
/** Of all that are remembered: a container can have as many namespaces as processes. */
const MAX_MOUNTS = 100_000;

/**
 * Reads the mounts that a process sees, once for each namespace while those few are remembered. Answers why where they cannot be
 * read or are too many.
 */
export const mountsReader = (
  procRoot: string,
): ((process: SeenProcess) => readonly Mount[] | { reason: string }) => {
  const known = new Map<string, readonly Mount[]>();
  let remembered = 0;
  return (process) => {
    // A process that was moved into a chroot sees fewer mounts than its namespace has.
    const key = process.mountNamespace ?? `pid ${process.pid}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    let mounts: readonly Mount[];
    try {
      mounts = parseMountinfo(readBounded(`${procRoot}/${process.task}/mountinfo`, MAX_BYTES));
    } catch (error) {
      return { reason: `mounts cannot be read: ${reasonOf(error)}` };
    }
    remembered += mounts.length;
    if (remembered > MAX_MOUNTS) {
      known.clear();
      remembered = mounts.length;
    }
    known.set(key, mounts);
    return mounts;
  };
};
